// Contents on small screens, the section being read, colours and search. The pages can be read without it.
const assets = new URL('.', document.currentScript.src);
const root = document.documentElement;
const all = (selector) => [...document.querySelectorAll(selector)];
root.classList.add('scripted');
all('.tool[hidden]').forEach((tool) => { tool.hidden = false; });

const menu = document.querySelector('.menu-button');
const sidebar = document.querySelector('.sidebar');
menu.addEventListener('click', () => menu.setAttribute('aria-expanded', String(sidebar.classList.toggle('open'))));

const current = sidebar.querySelector('[aria-current]');
if (current && sidebar.scrollHeight > sidebar.clientHeight) {
  sidebar.scrollTop = Math.max(0, current.offsetTop - sidebar.clientHeight / 2);
}

// A table that is a little too wide is set smaller; only one that goes on past its edge all the same needs a tab stop
// to be scrolled.
const scrolls = () => all('.table-scroll').forEach((box) => {
  box.classList.remove('tight');
  const over = () => box.scrollWidth > box.clientWidth + 1;
  if (over() && box.scrollWidth < 1.2 * box.clientWidth) box.classList.add('tight');
  if (over()) box.tabIndex = 0;
  else box.removeAttribute('tabindex');
});
new ResizeObserver(scrolls).observe(document.querySelector('main'));
document.fonts.ready.then(scrolls);

const entries = new Map(all('.on-page a').map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
const headings = [...entries.keys()].map((id) => document.getElementById(id)).filter(Boolean);
const mark = () => {
  const read = headings.filter((heading) => heading.getBoundingClientRect().top < 120).pop();
  entries.forEach((link, id) => {
    if (read && read.id === id) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  });
};
if (headings.length) {
  addEventListener('scroll', mark, { passive: true });
  mark();
}

// ----- Light or dark: the system's choice until the reader makes another; kept where the browser allows it.
const dark = matchMedia('(prefers-color-scheme: dark)');
const isDark = () => (root.dataset.theme ? root.dataset.theme === 'dark' : dark.matches);
const nameTheme = () => all('.theme-name').forEach((name) => { name.textContent = isDark() ? 'Light' : 'Dark'; });
all('.tool.theme').forEach((button) => button.addEventListener('click', () => {
  root.dataset.theme = isDark() ? 'light' : 'dark';
  try { localStorage.setItem('theme', root.dataset.theme); } catch { /* private windows keep nothing */ }
  nameTheme();
}));
dark.addEventListener('change', nameTheme);
nameTheme();

// ----- Search: library and passages are loaded as scripts when first asked for, so that it works from a file.
const MOST = 20;
const AROUND = 70; // characters of context on either side
const dialog = document.getElementById('search');
const field = dialog.querySelector('input');
const said = dialog.querySelector('.search-said');
const results = dialog.querySelector('.search-results');
let index;
let passages = [];
let synonyms = [];

const script = (name) => new Promise((done, fail) => {
  const element = document.createElement('script');
  Object.assign(element, { src: new URL(name, assets).href, onload: done, onerror: fail });
  document.head.append(element);
});
const build = () => {
  elasticlunr.tokenizer.setSeperator(/[\s\-–—·,;:()[\]/=+|<>≥≤†‡§]+/);
  index = elasticlunr(function fields() {
    this.addField('title');
    this.addField('words');
    this.saveDocument(false);
  });
  passages = evidencePassages.flatMap(([page, chapter, found]) => found.map(([anchor, title, words]) => (
    { page, chapter, anchor, title, words })));
  synonyms = typeof evidenceSynonyms === 'undefined' ? [] : evidenceSynonyms;
  passages.forEach((passage, id) => index.addDoc({ id, title: passage.title, words: passage.words }));
};
const ready = () => {
  ready.once ??= Promise.all([script('elasticlunr.min.js'), script('search-index.js')]).then(build);
  return ready.once;
};

const element = (tag, kind, ...content) => {
  const made = document.createElement(tag);
  made.className = kind;
  made.append(...content);
  return made;
};
// The words around the first hit, each hit marked.
const excerpt = (text, words) => {
  const hit = new RegExp(`(?:${words.map((word) => word.replace(/[^\p{L}\p{N}]/gu, '\\$&')).join('|') || '$^'})\\p{L}*`, 'giu');
  const first = Math.max(text.search(hit), 0);
  const start = first > AROUND ? text.indexOf(' ', first - AROUND) + 1 : 0;
  const end = first + 2 * AROUND < text.length ? text.lastIndexOf(' ', first + 2 * AROUND) : text.length;
  const part = text.slice(start, end > first ? end : first + 2 * AROUND);
  const out = [start ? '… ' : ''];
  let at = 0;
  for (const found of part.matchAll(hit)) {
    out.push(part.slice(at, found.index), element('mark', '', found[0]));
    at = found.index + found[0].length;
  }
  return [...out, part.slice(at), end < text.length ? ' …' : ''];
};
const entry = (passage, words) => {
  const link = element('a', '', element('span', 'found-title', passage.title));
  link.href = `${new URL(`../${passage.page}`, assets).href}#${encodeURIComponent(passage.anchor)}`;
  if (passage.chapter !== passage.title) link.append(element('span', 'found-chapter', passage.chapter));
  link.append(element('span', 'found-words', ...excerpt(passage.words, words)));
  link.addEventListener('click', () => dialog.close());
  return element('li', '', link);
};
// What was asked, and the same with each phrase of it replaced by those that mean it; whole words only.
const MOST_READINGS = 24;
const readings = (asked) => {
  const found = [asked.toLowerCase()];
  for (const group of synonyms) {
    const ways = [...group].sort((one, other) => other.length - one.length);
    for (const text of [...found]) {
      const way = ways.find((one) => ` ${text} `.includes(` ${one} `));
      if (way) ways.forEach((other) => found.push(` ${text} `.replace(` ${way} `, ` ${other} `).trim()));
    }
  }
  return [...new Set(found)].slice(0, MOST_READINGS);
};
const LESS = 0.6; // what a place counts that has a synonym of the word that was asked for
const REGISTERED = /^[a-z]{2,}[\w-]*\d{5,}$/i; // a registry number, and nothing besides
const searched = (asked, bool) => {
  const best = new Map();
  readings(asked).forEach((reading, at) => {
    const some = index.search(reading, { fields: { title: { boost: 3 }, words: { boost: 1 } }, bool, expand: true });
    for (const { ref, score } of some) best.set(ref, Math.max(best.get(ref) || 0, at ? score * LESS : score));
  });
  return [...best].sort((one, other) => other[1] - one[1]).map(([ref]) => Number(ref));
};
// The pages of the studies that have a registry number, before all other places that name it.
const registered = (asked, found) => {
  if (!REGISTERED.test(asked)) return found;
  const has = new RegExp(`registry number · [^·]*${asked}`, 'i');
  const own = found.filter((id) => /\/study_/.test(passages[id].page) && has.test(passages[id].words));
  const tops = own.map((id) => passages.findIndex((one) => one.page === passages[id].page));
  tops.sort((one, other) => one - other);
  return [...new Set([...tops, ...found])];
};
const tell = (exact, found) => {
  if (!found) return 'Nothing found';
  const count = found === 1 ? '1 place' : `${found} places`;
  const words = exact ? count : `No place has all of these words; ${count} with some of them`;
  return found > MOST ? `${words}, the best ${MOST} shown` : words;
};
const look = async () => {
  const asked = field.value.trim();
  try {
    await ready();
  } catch {
    said.textContent = 'The search could not be loaded.';
    return;
  }
  if (asked !== field.value.trim()) return;
  const exact = asked ? registered(asked, searched(asked, 'AND')) : [];
  const found = asked && !exact.length ? searched(asked, 'OR') : exact;
  const words = elasticlunr.tokenizer(readings(asked).join(' ')).filter((word) => word && !elasticlunr.stopWordFilter.stopWords[word]);
  const stems = [...new Set(words.map((word) => elasticlunr.stemmer(word)).filter(Boolean))];
  results.replaceChildren(...found.slice(0, MOST).map((id) => entry(passages[id], stems)));
  said.textContent = asked ? tell(exact.length, found.length) : '';
};
const open = () => {
  dialog.showModal();
  field.select();
  look();
};
all('.tool.find').forEach((button) => button.addEventListener('click', open));
field.addEventListener('input', look);
dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
dialog.addEventListener('keydown', (event) => {
  const links = [...results.querySelectorAll('a')];
  const at = links.indexOf(document.activeElement);
  if (event.key === 'Escape') { // a search field would only empty itself
    event.preventDefault();
    dialog.close();
  } else if (event.key === 'Enter' && event.target === field) {
    event.preventDefault();
    if (links[0]) links[0].click();
  } else if (event.key === 'ArrowDown' && links.length) {
    event.preventDefault();
    links[Math.min(at + 1, links.length - 1)].focus();
  } else if (event.key === 'ArrowUp' && at >= 0) {
    event.preventDefault();
    (links[at - 1] || field).focus();
  }
});
document.addEventListener('keydown', (event) => {
  const typing = event.target.closest && event.target.closest('input, textarea, select, [contenteditable]');
  if (event.key === '/' && !typing && !dialog.open && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    open();
  }
});
