// What a page of the documentation does: its search, and keys for what is wider than the window.
import { Index } from './search.js';

const field = document.getElementById('q'), results = document.getElementById('results');
const list = results.querySelector('ul'), count = document.getElementById('count');
const root = document.documentElement.dataset.root, most = 30;
let loading = null;

// load loads the index once, when somebody wants to search. It is a script, as a page that is a
// file may load nothing else.
const load = () => (loading ??= new Promise((resolve, reject) => {
  const script = document.createElement('script');
  script.src = `${root}search-index.js`;
  script.onload = () => resolve(new Index(globalThis.probitySearch));
  script.onerror = () => { loading = null; reject(new Error('The index of the search cannot be loaded.')); };
  document.head.append(script);
}));

async function search() {
  const typed = field.value;
  if (typed.trim() === '') return close();
  try {
    const found = (await load()).find(typed);
    if (field.value === typed) show(found);
  } catch (e) { show([], e.message); }
}

function show(found, said) {
  count.textContent = said ?? (found.length === 0 ? 'Nothing is found.' : found.length > most ? `${most} of ${found.length} sections` : found.length === 1 ? '1 section' : `${found.length} sections`);
  list.replaceChildren(...found.slice(0, most).map(result));
  results.hidden = false;
}

function result({ address, anchor, title, page, beginning }) {
  const item = document.createElement('li'), link = document.createElement('a'), more = document.createElement('span');
  link.href = `${root}${address}#${anchor}`;
  link.textContent = page === title ? title : `${page} › ${title}`;
  more.className = 'muted small';
  more.textContent = beginning;
  link.append(more);
  item.append(link);
  return item;
}

function close() { results.hidden = true; }

// move moves the focus among the field and the results.
function move(by) {
  const all = [field, ...list.querySelectorAll('a')];
  all[Math.min(Math.max(all.indexOf(document.activeElement) + by, 0), all.length - 1)].focus();
}

document.addEventListener('keydown', (e) => {
  const searching = document.activeElement === field || results.contains(document.activeElement);
  if (e.key === '/' && !searching && !e.ctrlKey && !e.metaKey && !e.altKey) field.focus();
  else if (searching && e.key === 'Escape') { close(); field.focus(); }
  else if (searching && !results.hidden && (e.key === 'ArrowDown' || e.key === 'ArrowUp')) move(e.key === 'ArrowDown' ? 1 : -1);
  else if (document.activeElement === field && e.key === 'Enter' && !results.hidden) list.querySelector('a')?.click();
  else return;
  e.preventDefault();
});
field.addEventListener('focus', load, { once: true });
field.addEventListener('input', search);
document.addEventListener('click', (e) => { if (!e.target.closest('#results, .search')) close(); });
list.addEventListener('click', close); // a section of this page is no other page

// What scrolls to the side has to be reached by the keyboard, and nothing else may be in its way.
function scrollers() {
  for (const n of document.querySelectorAll('article pre, article .scroll')) {
    if (n.scrollWidth > n.clientWidth) n.tabIndex = 0;
    else n.removeAttribute('tabindex');
  }
}
scrollers();
addEventListener('resize', scrollers);
