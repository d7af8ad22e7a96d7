// Opens the contents on small screens and marks the section being read. The pages work without it.
document.documentElement.classList.add('scripted');

const button = document.querySelector('.menu-button');
const sidebar = document.querySelector('.sidebar');
button.addEventListener('click', () => {
  const open = sidebar.classList.toggle('open');
  button.setAttribute('aria-expanded', String(open));
});

const current = sidebar.querySelector('[aria-current]');
if (current && sidebar.scrollHeight > sidebar.clientHeight) {
  sidebar.scrollTop = Math.max(0, current.offsetTop - sidebar.clientHeight / 2);
}

const entries = new Map(
  [...document.querySelectorAll('.on-page a')].map((link) => [decodeURIComponent(link.hash.slice(1)), link]),
);
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
