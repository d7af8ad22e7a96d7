// Picks what was computed beforehand and draws it: nothing is calculated here but places on an axis.
(() => {
  'use strict';
  const data = JSON.parse(document.getElementById('explorer-data').textContent);
  const root = document.getElementById('explorer');
  const colors = JSON.parse(root.dataset.colors);
  const find = (selector) => root.querySelector(selector);
  const text = (place) => data.texts[place];
  const MARK = '#explore:';
  const form = find('.explorer-form');
  const fields = {
    question: find('#explorer-question'), pooling: find('#explorer-pooling'), interval: find('#explorer-interval'),
    set: find('#explorer-set'),
  };
  const radios = (name) => [...form.querySelectorAll(`input[name="explorer-${name}"]`)];
  const chosen = (name) => radios(name).find((radio) => radio.checked).value;
  const topicOf = (id) => data.topics.find((topic) => topic.id === id);

  // ----- What is chosen: in the controls, in the address, and as the place of an analysis

  const first = {
    q: fields.question.value, level: chosen('level'), missing: chosen('missing'), pool: fields.pooling.value,
    interval: fields.interval.value, set: 0, all: true,
  };
  let state = { ...first };

  const everyone = (topic) => {
    const most = Math.max(...topic.sets.map((some) => some.length));
    return topic.sets.findIndex((some) => some.length === most);
  };
  const setOf = (topic, places) => topic.sets.findIndex((some) => some.join() === places.join());
  const allowed = (list, value, otherwise) => (list.includes(value) ? value : otherwise);

  const read = () => {
    if (!location.hash.startsWith(MARK)) return { ...first, set: everyone(topicOf(first.q)) };
    const asked = new URLSearchParams(location.hash.slice(MARK.length));
    const topic = topicOf(asked.get('q')) || topicOf(first.q);
    return {
      q: topic.id, level: allowed(data.levels, asked.get('level'), first.level),
      missing: allowed(data.missing, asked.get('missing'), first.missing),
      pool: allowed(data.pooling, asked.get('pool'), first.pool),
      interval: allowed(data.interval, asked.get('interval'), first.interval), set: readSet(topic, asked),
    };
  };
  const readSet = (topic, asked) => {
    if (topic.setNames.length) return Math.max(topic.setNames.indexOf(asked.get('set')), 0);
    if (!asked.has('studies')) return everyone(topic);
    const keys = asked.get('studies').split(',');
    return setOf(topic, topic.keys.flatMap((key, place) => (keys.includes(key) ? [place] : [])));
  };
  const written = () => {
    const topic = topicOf(state.q);
    const asked = new URLSearchParams({
      q: state.q, level: state.level, missing: state.missing, pool: state.pool, interval: state.interval,
    });
    if (topic.setNames.length) asked.set('set', topic.setNames[state.set]);
    else if (state.set !== everyone(topic)) asked.set('studies', (topic.sets[state.set] || []).map((place) => topic.keys[place]).join());
    return MARK + asked.toString();
  };
  const place = (topic, asked) => {
    if (asked.set < 0) return -1;
    const models = data.interval.length;
    let at = data.levels.indexOf(asked.level);
    at = at * data.missing.length + data.missing.indexOf(asked.missing);
    at = (at * data.pooling.length + data.pooling.indexOf(asked.pool)) * models + data.interval.indexOf(asked.interval);
    return topic.places[at * topic.sets.length + asked.set];
  };

  // ----- The still picture below is for paper and for browsers without scripts

  const still = () => {
    const head = document.getElementById('sec-explorer-default');
    const figure = document.getElementById('fig-explorer');
    if (!head || !figure || ['#fig-explorer', '#sec-explorer-default'].includes(location.hash)) return;
    const section = head.closest('section');
    if (section) section.hidden = true;
    for (let one = head; one && (one === head || !/^H[12]$/.test(one.tagName)); one = one.nextElementSibling) one.hidden = true;
    document.querySelectorAll('nav a').forEach((link) => { if (link.hash === '#sec-explorer-default') link.closest('li').hidden = true; });
  };
  addEventListener('DOMContentLoaded', still);

  // ----- Elements; text from the data is only ever set as text

  const made = (tag, kind, ...content) => {
    const element = document.createElement(tag);
    if (kind) element.className = kind;
    element.append(...content);
    return element;
  };
  const drawn = (tag, attributes, ...content) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
    Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    element.append(...content);
    return element;
  };

  // ----- Controls

  const own = (topic) => topic.own[data.levels.indexOf(state.level) * data.missing.length + data.missing.indexOf(state.missing)];
  const showControls = (topic) => {
    fields.question.value = state.q;
    fields.pooling.value = state.pool;
    fields.interval.value = state.interval;
    radios('level').forEach((radio) => { radio.checked = radio.value === state.level; });
    radios('missing').forEach((radio) => { radio.checked = radio.value === state.missing; });
    showStudies(topic);
    const lists = { missing: data.missing, pool: data.pooling, interval: data.interval };
    const names = { missing: 'missing', pool: 'pooling', interval: 'interval' };
    Object.entries(lists).forEach(([name, list]) => {
      const views = new Set(list.map((value) => place(topic, { ...state, [name]: value })));
      find(`[data-for="${names[name]}"]`).textContent = views.size === 1 ? 'Changes nothing in this view.' : '';
    });
  };
  let shownTopic;
  const showStudies = (topic) => {
    const many = topic.setNames.length > 0;
    find('.explorer-studies').hidden = many;
    find('.explorer-sets').hidden = !many;
    if (shownTopic !== topic) {
      shownTopic = topic;
      fields.set.replaceChildren(...topic.setNames.map((name, at) => new Option(name, String(at))));
      find('.explorer-boxes').replaceChildren(...(many ? [] : topic.names.map((name, at) => box(topic, name, at))));
    }
    fields.set.value = String(state.set);
    const counted = topic.sets[state.set] || [];
    find('.explorer-boxes').querySelectorAll('input').forEach((input, at) => { input.checked = counted.includes(at); });
  };
  const box = (topic, name, at) => {
    const input = made('input');
    Object.assign(input, { type: 'checkbox', value: topic.keys[at] });
    const section = topic.sections.find(([, places]) => places.includes(at))[0];
    return made('label', '', input, made('span', '', name, ...(section ? [made('small', '', section)] : [])));
  };

  // ----- The answer in numbers

  const card = ([heading, sub, parts]) => {
    const list = made('dl');
    parts.forEach(([name, main, limits, bar], at) => {
      const strip = made('dd', bar ? `explorer-bar${at ? ' explorer-against' : ''}` : 'explorer-none');
      if (bar) {
        const whisker = made('b');
        whisker.style.left = `${bar[1] * 100}%`;
        whisker.style.width = `${(bar[2] - bar[1]) * 100}%`;
        const fill = made('i');
        fill.style.width = `${bar[0] * 100}%`;
        if (colors[text(name)]) fill.style.setProperty('--x-own', colors[text(name)]);
        strip.append(fill, whisker);
        strip.setAttribute('aria-hidden', 'true');
      }
      list.append(made('div', '', made('dt', '', text(name)), made('dd', 'explorer-main', text(main)), strip, made('dd', '', text(limits))));
    });
    return made('div', 'explorer-card', made('p', '', made('b', '', text(heading)), made('span', '', ` · ${text(sub)} · per 1,000 patients`)), list);
  };

  // ----- The forest plot

  const SIZE = 13.5;
  const SMALL = 12;
  const LINE = 19;
  const LARGEST = 14;
  const pen = document.createElement('canvas').getContext('2d');
  const width = (words, bold) => {
    pen.font = `${bold ? 600 : 400} ${SIZE}px ${getComputedStyle(root).fontFamily}`;
    return pen.measureText(words).width;
  };
  const wrapped = (words, most, bold) => {
    const lines = [''];
    words.replace(/(\d) (?=[a-z])/g, '$1\u00a0').split(' ').forEach((word) => {
      const longer = `${lines.at(-1)} ${word}`.trim();
      if (width(longer, bold) <= most || !lines.at(-1)) lines[lines.length - 1] = longer;
      else lines.push(word);
    });
    return lines;
  };

  const rowsOf = (topic, view) => {
    const groups = view ? view[3] : [];
    const rows = [];
    topic.sections.forEach(([title, places]) => {
      if (title) rows.push({ left: title, muted: true, space: 6 });
      places.forEach((at) => rows.push(studyRow(topic, groups, at)));
      groups.filter((group) => places.includes(group[0][0])).forEach((group) => rows.push(...groupRows(group, places)));
    });
    return rows;
  };
  const studyRow = (topic, groups, at) => {
    const group = groups.find(([places]) => places.includes(at));
    const values = own(topic)[at];
    const weight = group && group[1].length ? text(group[1][group[0].indexOf(at)]) : '';
    const row = { left: topic.names[at], out: !group, study: true };
    if (!values) return { ...row, right: 'no count' };
    const [ends, effect, treated, against] = values;
    const share = weight ? parseFloat(weight) || 0 : NaN;
    return {
      ...row, right: text(effect), counts: [text(treated), text(against)], weight: group ? weight : 'left out', ends,
      shape: 'square', side: Number.isNaN(share) ? 8 : Math.max(4, LARGEST * Math.sqrt(share / 100)),
    };
  };
  const groupRows = ([places, , summary, reason], section) => {
    const why = text(reason);
    if (!summary) return section.length > 1 && why ? [{ left: why, muted: true }] : [];
    const [label, ends, effect, hollow, bars, told, treated, against] = summary;
    return [
      { left: text(label), right: text(effect), bold: true, counts: [text(treated), text(against)], ends, shape: hollow ? 'hollow' : 'diamond' },
      ...bars.map(([name, limits, words]) => ({ left: text(name), right: text(words), ends: limits && [NaN, ...limits], shape: 'bar' })),
      ...[text(told), why].filter(Boolean).map((words) => ({ left: words, muted: true })),
    ];
  };

  const layout = (heads, rows, all) => {
    const narrow = all < 420;
    const needed = heads.map((head, at) => Math.max(
      head ? width(head) * SMALL / SIZE : 0, ...rows.map((row) => width((row.counts || [])[at] || '', row.bold)),
    ));
    const first = Math.max(needed[0], narrow ? 0 : 68);
    const second = heads[1] ? first + Math.max(needed[1] + 10, narrow ? 0 : 80) : first;
    const left = second + (narrow ? 10 : 18);
    const right = Math.max(narrow ? 40 : 50, ...rows.map((row) => width(row.weight || ''))) + 10;
    return { all, columns: [first, second], left, span: all - left - right };
  };
  const position = (scale, box, value) => {
    const at = scale.log ? Math.log : (x) => x;
    const share = (at(Math.max(value, scale.log ? 1e-9 : value)) - at(scale.low)) / (at(scale.high) - at(scale.low));
    return box.left + Math.min(Math.max(share, 0), 1) * box.span;
  };

  const label = (x, y, words, kind, anchor = 'start', size = SIZE) => drawn('text', { x, y, class: kind, 'text-anchor': anchor, 'font-size': size }, words);
  // Words on a patch of paper, so that no line runs through them.
  const patched = (x, y, words, kind, anchor, bold) => {
    const long = width(words, bold);
    const from = anchor === 'end' ? x - long : x;
    const patch = drawn('rect', { class: 'x-patch', x: from - 3, y: y - LINE / 2, width: long + 6, height: LINE });
    return [patch, label(x, y, words, kind, anchor)];
  };
  const arrow = (x, y, way) => drawn('path', { class: 'x-arrow', d: `M${x} ${y - 4.5}V${y + 4.5}L${x + 7 * way} ${y}Z` });
  const shape = (row, y, scale, box) => {
    const [middle, low, high] = row.ends.map((value) => position(scale, box, value));
    const inside = row.ends[0] >= scale.low && row.ends[0] <= scale.high;
    const parts = [];
    if (row.shape === 'diamond' || row.shape === 'hollow') {
      parts.push(drawn('path', { class: `x-diamond x-${row.shape}`, d: `M${low} ${y}L${middle} ${y - 7}L${high} ${y}L${middle} ${y + 7}Z` }));
    } else {
      parts.push(drawn('line', { class: row.shape === 'bar' ? 'x-thick' : 'x-line', x1: low, x2: high, y1: y, y2: y }));
    }
    if (row.ends[1] < scale.low) parts.push(arrow(box.left, y, -1));
    if (row.ends[2] > scale.high) parts.push(arrow(box.left + box.span, y, 1));
    if (row.shape === 'square' && inside) {
      parts.push(drawn('rect', { class: 'x-square', x: middle - row.side / 2, y: y - row.side / 2, width: row.side, height: row.side }));
    }
    return parts;
  };
  const drawRow = (row, top, scale, box) => {
    const group = drawn('g', { class: row.out ? 'x-out' : '' });
    const kind = [row.muted ? 'x-muted' : '', row.bold ? 'x-bold' : ''].join(' ').trim();
    const free = box.all - (row.right ? width(row.right, row.bold) + 14 : 0);
    const lines = wrapped(row.left, free, row.bold);
    let y = top + (row.space || 0) + LINE / 2;
    if (row.right) group.append(...patched(box.all, y, row.right, kind, 'end', row.bold));
    lines.forEach((line, at) => group.append(...patched(0, y + at * LINE, line, kind, 'start', row.bold)));
    y += (lines.length - 1) * LINE;
    if (row.counts || row.ends) {
      y += LINE;
      (row.counts || []).forEach((words, at) => { if (words) group.append(label(box.columns[at], y, words, kind, 'end')); });
      if (row.weight) group.append(label(box.all, y, row.weight, kind, 'end'));
      if (row.ends) group.append(...shape(row, y, scale, box));
    }
    return { group, bottom: y + LINE / 2 + (row.counts || row.ends ? 7 : 2) };
  };
  const drawAxis = (topic, y, box) => {
    const { scale } = topic;
    const parts = [drawn('line', { class: 'x-axis', x1: box.left, x2: box.left + box.span, y1: y, y2: y })];
    let end = -Infinity;
    scale.ticks.forEach((tick, at) => {
      const x = position(scale, box, tick);
      parts.push(drawn('line', { class: 'x-axis', x1: x, x2: x, y1: y, y2: y + 4 }));
      const half = width(scale.labels[at]) / 2;
      if (x - half < end + 5) return;
      end = x + half;
      parts.push(label(x, y + 15, scale.labels[at], 'x-muted', 'middle'));
    });
    let bottom = y + 35;
    const half = width(scale.label) / 2;
    const middle = Math.min(box.left + box.span / 2, box.all - half);
    parts.push(label(middle, bottom, scale.label, 'x-muted', 'middle'));
    if (scale.left) {
      const [one, other] = [`← ${scale.left}`, `${scale.right} →`];
      bottom += 22;
      parts.push(label(0, bottom, one, ''));
      if (width(one) + width(other) + 16 > box.all) bottom += LINE;
      parts.push(label(box.all, bottom, other, '', 'end'));
    }
    return { parts, bottom: bottom + 12 };
  };
  const drawForest = (topic, view) => {
    const target = find('.explorer-forest');
    const rows = rowsOf(topic, view);
    const heads = topic.compared ? ['Treatment', 'Comparator'] : ['Events/n', ''];
    const box = layout(heads, rows, Math.max(target.clientWidth, 240));
    const weighted = rows.some((row) => row.weight);
    const level = view ? text(view[5]) : `${parseFloat(state.level) * 100}%`;
    const svg = drawn('svg', { role: 'img', 'aria-label': described(topic, rows) });
    svg.append(label(0, LINE / 2, 'Study', 'x-muted'), label(box.all, LINE / 2, `${topic.head} (${level} CI)`, 'x-muted', 'end'));
    heads.forEach((words, at) => { if (words) svg.append(label(box.columns[at], LINE * 1.5, words, 'x-muted', 'end', SMALL)); });
    if (weighted) svg.append(label(box.all, LINE * 1.5, 'Weight', 'x-muted', 'end', SMALL));
    let y = 2 * LINE + 4;
    svg.append(drawn('line', { class: 'x-axis', x1: 0, x2: box.all, y1: y, y2: y }));
    const behind = drawn('g', {});
    svg.append(behind);
    y += 5;
    rows.forEach((row) => {
      const { group, bottom } = drawRow(row, y, topic.scale, box);
      svg.append(group);
      y = bottom;
    });
    if (topic.scale.reference !== null) {
      const x = position(topic.scale, box, topic.scale.reference);
      behind.append(drawn('line', { class: 'x-axis', x1: x, x2: x, y1: 2 * LINE + 4, y2: y + 4 }));
    }
    const axis = drawAxis(topic, y + 4, box);
    svg.append(...axis.parts);
    svg.setAttribute('viewBox', `0 0 ${box.all} ${axis.bottom}`);
    target.replaceChildren(svg);
  };
  const described = (topic, rows) => {
    const told = rows.filter((row) => row.right).map((row) => {
      const counts = row.study && row.counts ? `${row.counts.filter(Boolean).join(' against ')}, ` : '';
      return `${row.left}: ${counts}${topic.head.toLowerCase()} ${row.right}${row.out ? ', left out' : ''}.`;
    });
    return `Forest plot. ${told.join(' ')}`;
  };

  // ----- All of it

  // Told anew only where it is new, so that nobody hears it twice.
  const say = ([told, said, apart]) => {
    const place = find('.explorer-sentence');
    const whole = [told, said, apart].filter(Boolean).join(' ');
    if (place.textContent === whole) return;
    place.replaceChildren(told, told && ' ', made('b', '', said), apart && ' ', apart);
  };
  const NOTHING = 'No study with a count is chosen, so there is nothing to say. Choose at least one study.';
  const show = () => {
    const topic = topicOf(state.q);
    const at = place(topic, state);
    const view = at < 0 ? null : topic.views[at];
    showControls(topic);
    find('.explorer-title').textContent = topic.title.replace(/ × /g, '\u00a0×\u00a0');
    find('.explorer-title').hidden = width(topic.title, true) * 1.4 < fields.question.clientWidth - 50;
    say(view ? view[0].map(text) : ['', NOTHING, '']);
    find('.explorer-cards').replaceChildren(...(view ? view[4].map(card) : []));
    drawForest(topic, view);
    const notes = view ? [...view[1].map(text), text(view[2])] : [];
    const cut = find('.x-arrow') ? 'Arrows: the interval goes on beyond the axis.' : '';
    find('.explorer-reading').textContent = [...notes, cut, topic.signs].filter(Boolean).join(' ');
  };
  const change = (changed) => {
    state = { ...state, ...changed };
    find('.explorer-copied').textContent = '';
    show();
    if (location.hash !== written()) location.hash = written();
  };

  fields.question.addEventListener('change', () => change({ q: fields.question.value, set: everyone(topicOf(fields.question.value)) }));
  fields.pooling.addEventListener('change', () => change({ pool: fields.pooling.value }));
  fields.interval.addEventListener('change', () => change({ interval: fields.interval.value }));
  fields.set.addEventListener('change', () => change({ set: Number(fields.set.value) }));
  ['level', 'missing'].forEach((name) => radios(name).forEach((radio) => {
    radio.addEventListener('change', () => change({ [name]: radio.value }));
  }));
  find('.explorer-boxes').addEventListener('change', () => {
    const boxes = [...find('.explorer-boxes').querySelectorAll('input')];
    change({ set: setOf(topicOf(state.q), boxes.flatMap((input, at) => (input.checked ? [at] : []))) });
  });
  find('.explorer-reset').addEventListener('click', () => change({ ...first, set: everyone(topicOf(first.q)) }));
  find('.explorer-copy').addEventListener('click', async () => {
    const said = find('.explorer-copied');
    const link = location.href.split('#')[0] + written();
    try {
      await navigator.clipboard.writeText(link);
      said.textContent = 'The link is copied; it opens this view.';
    } catch {
      location.hash = written();
      said.textContent = 'The address of this page is the link to this view.';
    }
  });
  form.addEventListener('submit', (event) => event.preventDefault());
  addEventListener('hashchange', () => {
    if (location.hash === written() || (location.hash && !location.hash.startsWith(MARK))) return;
    state = read();
    show();
  });

  form.hidden = false;
  if (root.clientWidth < 480) find('.explorer-more').open = false;
  state = read();
  show();
  let seen = find('.explorer-forest').clientWidth;
  new ResizeObserver(() => {
    const now = find('.explorer-forest').clientWidth;
    if (now !== seen) {
      seen = now;
      show();
    }
  }).observe(find('.explorer-forest'));
  if (document.fonts) document.fonts.ready.then(show);
})();
