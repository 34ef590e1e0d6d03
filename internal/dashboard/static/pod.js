// The page of a Pod: its sections come again from the server when something of it is new, those with
// figures up to four times a second, the others once.
import { connected, on } from './live.js';
import { part, say } from './parts.js';
import { start as logs } from './secrets.js';

const page = document.getElementById('pod');
const probes = new Set(page?.dataset.probes.split(' ').filter(Boolean).map(Number));
const known = new Map(); // what the server wrote, by section
let figures = false, rest = false, busy = false, due = 0;

const width = () => Math.floor((document.getElementById('timeline')?.clientWidth ?? 900) / 20) * 20;

function replace(next, id) {
  const old = document.getElementById(id);
  const raw = next?.outerHTML ?? '';
  if (known.get(id) === raw) return;
  known.set(id, raw);
  if (!old || !next) return;
  if (old.querySelector('details[open]') && !old.querySelector('.as-text[open]')) return; // somebody is about to do something
  if (old.contains(document.activeElement) && document.activeElement !== old) return;
  if (getSelection()?.toString() && old.contains(getSelection().anchorNode)) return;
  const open = [...old.querySelectorAll('details[open]')].map((d) => d.id);
  const scrolled = [...old.querySelectorAll('.scroll, .wire, .log')].map((n) => n.scrollLeft);
  const fresh = document.importNode(next, true);
  old.replaceWith(fresh);
  for (const o of open) if (o) document.getElementById(o).open = true;
  [...fresh.querySelectorAll('.scroll, .wire, .log')].forEach((n, i) => { n.scrollLeft = scrolled[i] ?? 0; });
}

async function refresh() {
  const whole = rest && Date.now() >= due;
  if (busy || document.hidden || !(figures || whole)) return;
  busy = true; figures = false;
  if (whole) { rest = false; due = Date.now() + 1000; }
  try {
    const address = new URL(location.href);
    if (whole) address.searchParams.set('w', width());
    else address.pathname += '/figures';
    const fresh = await part(address);
    const before = document.querySelector('#head .state')?.textContent;
    for (const id of ['head', 'probes', 'attempts']) replace(fresh.getElementById(id), id);
    if (whole) for (const id of ['happened', 'history', 'log', 'facts', 'findings', 'events']) replace(fresh.getElementById(id), id);
    const after = document.querySelector('#head .state')?.textContent;
    if (before !== after) say(after);
  } catch (e) { if (e.status === 404) location.reload(); }
  setTimeout(() => { busy = false; refresh(); }, 250);
  if (rest) setTimeout(refresh, due - Date.now());
}

if (page) {
  const want = () => { figures = rest = true; refresh(); };
  const look = () => { figures = true; refresh(); }; // who asks for figures is told of them at once
  on('a', (r) => { for (let i = 0; i < r.a.length; i += 5) if (probes.has(r.a[i])) return want(); });
  on('pods', (r) => { if ((r.changed ?? []).includes(page.dataset.pod) || (r.gone ?? []).includes(page.dataset.pod)) want(); });
  on('up', want);
  if (connected()) want(); // nobody tells it again
  document.addEventListener('visibilitychange', want);
  setInterval(look, 10000);
  look();
  let last = width();
  addEventListener('resize', () => { if (width() !== last) { last = width(); want(); } });
  logs();
}
