// The page of a log: a window of lines in the page, 100,000 of them in memory.
import { part, say } from './parts.js';

const most = 100000, row = 20;
const box = document.getElementById('lines');
const first = JSON.parse(document.getElementById('first-lines').dataset.batch);
const query = new URLSearchParams(box.dataset.query);
const stateBox = document.getElementById('log-state'), toEnd = document.getElementById('to-end');
const buttons = Object.fromEntries(['follow', 'wrap', 'times', 'announce', 'asked'].map((id) => [id, document.getElementById(id)]));

let lines = first.lines ?? [], more = !!first.more, dropped = 0, unseen = 0, loading = null, problem = first.error ?? '';
let follow = box.dataset.live === 'on', wrap = false, times = true, announce = false, source = null, match = -1;

const room = document.createElement('div'), shown = document.createElement('div');
room.className = 'room'; shown.className = 'shown';
room.append(shown); box.replaceChildren(room);

const two = (n, w = 2) => String(n).padStart(w, '0');
const clock = (us) => { const d = new Date(us / 1000); return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${two(d.getMilliseconds(), 3)}`; };
const words = { E: 'ERROR', W: 'WARN', I: 'info', D: 'debug' };
const printed = (all) => all.reduce((n, l) => n + (l.k !== 'probe' && l.k !== 'rule'), 0);
const plain = (l) => { let t = ''; for (let i = 1; i < l.s.length; i += 2) t += l.s[i]; return t; };

let counted = printed(lines); // of lines; counted anew, each step of a long log would take a while

// colour gives a Pod one of six marks, always the same.
const colours = new Map();
const colour = (p) => { if (!colours.has(p)) colours.set(p, colours.size % 6); return colours.get(p); };

function render(l, i) {
  const div = document.createElement('div');
  div.className = (l.k === 'probe' ? 'p' : l.k === 'rule' ? 'rule' : l.k === 'request' ? 'dim' : l.l ? 'lv-' + l.l : '') + (l.b ? ' bad' : '') + (i === match ? ' found' : '');
  if (times) { const t = document.createElement('time'); t.textContent = clock(l.t); t.title = new Date(l.t / 1000).toLocaleString(); const a = document.createElement('a'); a.href = '#t=' + l.t; a.tabIndex = -1; a.append(t); div.append(a); }
  if (l.p) { const p = document.createElement('span'); p.className = 'from c' + colour(l.p); p.textContent = l.p; div.append(p); }
  if (l.l === 'E' || l.l === 'W') { const s = document.createElement('span'); s.className = 'sr'; s.textContent = words[l.l] + ': '; div.append(s); }
  for (let k = 0; k < l.s.length; k += 2) {
    if (!l.s[k]) mark(div, l.s[k + 1]);
    else { const s = document.createElement('span'); s.className = l.s[k]; mark(s, l.s[k + 1]); div.append(s); }
  }
  return div;
}

// mark writes a text, with what is looked for marked.
function mark(node, text) {
  const q = query.get('q') ?? '';
  let re = null;
  if (q) try { re = new RegExp(/^\/.+\/$/.test(q) ? q.slice(1, -1) : q.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'gi'); } catch { /* RE2 knows it */ }
  let at = 0;
  if (re) for (const m of text.matchAll(re)) {
    if (!m[0]) break;
    const k = document.createElement('mark');
    k.textContent = m[0];
    node.append(text.slice(at, m.index), k);
    at = m.index + m[0].length;
  }
  node.append(text.slice(at));
}

const atEnd = () => box.scrollTop + box.clientHeight >= box.scrollHeight - row && !(wrap && to < lines.length);
const selecting = () => getSelection()?.toString() && box.contains(getSelection().anchorNode);

let from = -1, to = -1, drawn = null;
function draw(force) {
  if (wrap) return drawWrapped(force);
  const a = Math.max(0, Math.floor(box.scrollTop / row) - 30), b = Math.min(lines.length, a + Math.ceil(box.clientHeight / row) + 60);
  room.style.setProperty('height', lines.length * row + 'px');
  if (!force && a === from && b === to && drawn === lines) return;
  if (!force && selecting()) return;
  from = a; to = b; drawn = lines;
  shown.style.setProperty('transform', `translateY(${a * row}px)`);
  shown.replaceChildren(...lines.slice(a, b).map((l, i) => render(l, a + i)));
}

// With wrapped lines, whose heights only the page knows, some blocks of a hundred are in it: they go
// along with what is seen, which stays in its place.
const block = 100, blocks = 6;
function drawWrapped(force) {
  const last = Math.max(0, lines.length - blocks * block), near = 40 * row;
  let a = Math.min(Math.max(0, from), last);
  if (!force && box.scrollTop < near) a = Math.max(0, a - 2 * block);
  else if (!force && box.scrollHeight - box.clientHeight - box.scrollTop < near) a = Math.min(last, a + 2 * block);
  const b = Math.min(lines.length, a + blocks * block);
  if (!force && (a === from && b === to || selecting())) return;
  const top = box.getBoundingClientRect().top, seen = force ? -1 : [...shown.children].findIndex((d) => d.getBoundingClientRect().bottom > top);
  const place = shown.children[seen]?.getBoundingClientRect().top, line = from + seen;
  from = a; to = b;
  room.style.setProperty('height', 'auto');
  shown.style.setProperty('transform', 'none');
  shown.replaceChildren(...lines.slice(a, b).map((l, i) => render(l, a + i)));
  const now = seen < 0 ? null : shown.children[line - a];
  if (now) box.scrollTop += now.getBoundingClientRect().top - place;
}

function tell() {
  stateBox.textContent = [`${counted.toLocaleString('en')} lines`, more ? 'older ones above' : '', dropped ? `${dropped.toLocaleString('en')} lines not shown: too many at once` : '', problem].filter(Boolean).join(' · ');
  toEnd.hidden = atEnd();
  toEnd.textContent = unseen ? `${unseen.toLocaleString('en')} new lines ↓` : 'To the end ↓';
}

function end() { unseen = 0; from = lines.length; box.scrollTop = box.scrollHeight; draw(true); box.scrollTop = box.scrollHeight; tell(); }

// unknown are lines without the attempts that are shown: one that was under way may come again.
function unknown(news) {
  const probes = new Set(lines.slice(-5000).filter((l) => l.k === 'probe').map((l) => JSON.stringify(l)));
  return news.filter((l) => l.k !== 'probe' || !probes.has(JSON.stringify(l)));
}

function add(news) {
  const stay = !follow || !atEnd();
  lines = lines.concat(news); counted += printed(news);
  const bad = announce && news.findLast((l) => l.l === 'E' || l.b);
  if (bad) say('Error: ' + plain(bad));
  const over = lines.length - most;
  if (over > 0) {
    counted -= printed(lines.slice(0, over)); lines = lines.slice(over); more = true;
    if (wrap) { from -= over; to -= over; } else if (stay) box.scrollTop -= over * row;
  }
  if (stay) { unseen += news.length; draw(false); tell(); } else end();
}

function older(count) { return loading ??= fetchOlder(count).finally(() => { loading = null; tell(); }); }

async function fetchOlder(count) {
  if (!more || !lines.length) return;
  const t = lines[0].t, have = lines.findIndex((l) => l.t !== t);
  const address = new URLSearchParams(query);
  address.set('before', t); address.set('have', have < 0 ? lines.length : have);
  if (count) address.set('most', count);
  try {
    const batch = await (await fetch('/ui/logs/lines?' + address)).json();
    more = batch.more && batch.lines.length > 0;
    if (lines.length + batch.lines.length <= most) {
      lines = batch.lines.concat(lines); counted += printed(batch.lines);
      if (wrap) { from += batch.lines.length; to += batch.lines.length; return draw(false); }
      draw(true);
      box.scrollTop += batch.lines.length * row;
      draw(true);
    } else { more = false; problem = 'no more than 100,000 lines are kept here: filter them, or download the log'; }
  } catch { /* when one scrolls again */ }
}

function listen() {
  source?.close(); source = null;
  if (box.dataset.live !== 'on' || document.hidden) return;
  const address = new URLSearchParams(query), last = lines.reduce((t, l) => Math.max(t, l.t), 0);
  if (last) { address.set('after', last); address.set('have', lines.filter((l) => l.t === last).length); }
  source = new EventSource('/ui/logs/stream?' + address);
  const own = source;
  let begun = false;
  source.addEventListener('lines', (e) => { const r = JSON.parse(e.data); dropped += r.dropped; add(begun ? r.lines : unknown(r.lines)); begun = true; });
  source.addEventListener('problem', (e) => { problem = JSON.parse(e.data); own.close(); tell(); });
  source.onerror = async () => {
    own.close();
    if (own !== source) return;
    source = null;
    const answer = await fetch('/ui/alive').catch(() => null);
    if (answer?.status === 401) return location.reload();
    problem = answer ? 'not followed: four logs are followed already, or the run ends' : 'no connection';
    tell();
    setTimeout(() => { if (!source) { problem = ''; listen(); } }, 3000);
  };
}

// jump shows the line that the address names: #t=µs. What is before all that is here is not.
const notHere = 'that line is not loaded, or not kept any more';
async function jump() {
  const t = +location.hash.slice(3);
  if (!location.hash.startsWith('#t=') || !t) return;
  follow = press('follow', false);
  for (let n = -1; more && n !== lines.length && lines[0]?.t > t;) { n = lines.length; await older(20000); }
  const i = lines[0]?.t > t ? -1 : lines.findIndex((l) => l.t >= t);
  if (i < 0) problem = lines.length ? notHere : problem || notHere;
  else if (problem === notHere) problem = '';
  if (i >= 0) show(i);
  tell();
}

// show has a line in the middle, marked.
function show(i) {
  match = i;
  follow = press('follow', false);
  if (wrap) { from = i - blocks * block / 2; draw(true); return shown.children[i - from]?.scrollIntoView({ block: 'center' }); }
  draw(true);
  box.scrollTop = Math.max(0, i * row - box.clientHeight / 2);
  draw(true);
}

// restart begins anew with another filter.
async function restart() {
  source?.close(); source = null;
  try {
    const page = await part('/ui/logs?' + query);
    const fresh = JSON.parse(page.getElementById('first-lines')?.dataset.batch ?? '{"lines":[]}');
    problem = page.querySelector('.err')?.textContent ?? fresh.error ?? '';
    lines = fresh.lines; counted = printed(lines); more = fresh.more; dropped = 0; match = -1;
    history.replaceState(null, '', '/ui/logs?' + query);
    const next = page.getElementById('asked');
    if (next) { buttons.asked.href = next.href; press('asked', next.getAttribute('aria-pressed')); }
  } catch (e) { problem = e.message; }
  end();
  listen();
}

function press(id, is) { buttons[id].setAttribute('aria-pressed', is); return is; }
buttons.follow.onclick = () => { follow = press('follow', !follow); if (follow) end(); };
buttons.wrap.onclick = () => { wrap = press('wrap', !wrap); box.classList.toggle('wrapped', wrap); end(); };
buttons.announce.onclick = () => { announce = press('announce', !announce); };
buttons.times.onclick = () => { times = press('times', !times); draw(true); };
toEnd.onclick = () => { follow = press('follow', true); end(); };

let lastTop = 0;
box.addEventListener('scroll', () => {
  if (box.scrollTop < lastTop - 2 && !atEnd() && follow) follow = press('follow', false);
  else if (box.scrollTop > lastTop && atEnd() && !follow && box.dataset.live === 'on') { follow = press('follow', true); unseen = 0; }
  lastTop = box.scrollTop;
  if (box.scrollTop < 40 * row && !(wrap && from > 0)) older();
  draw(false);
  tell();
}, { passive: true });
box.addEventListener('keydown', (e) => {
  if (e.key === 'End') { follow = press('follow', true); end(); e.preventDefault(); }
  if (e.key === 'Home') { if (wrap) { from = 0; draw(true); } box.scrollTop = 0; e.preventDefault(); }
});

const filter = document.getElementById('q'), choices = ['level', 'stream'].map((id) => document.getElementById(id)).filter(Boolean);
let typing = 0;
const change = () => {
  for (const f of [filter, ...choices]) { if (f.value) query.set(f.name, f.value); else query.delete(f.name); }
  restart();
};
filter.addEventListener('input', () => { clearTimeout(typing); typing = setTimeout(change, 250); });
for (const c of choices) c.addEventListener('change', change);
filter.form.addEventListener('submit', (e) => { e.preventDefault(); change(); });

// n and N walk from match to match: a line that has what is looked for.
document.addEventListener('keydown', (e) => {
  if ((e.key !== 'n' && e.key !== 'N') || e.target.closest('input, select') || !query.get('q')) return;
  const step = e.key === 'n' ? 1 : -1;
  let i = match < 0 ? (step > 0 ? (wrap ? from : Math.floor(box.scrollTop / row)) - 1 : lines.length) : match;
  for (i += step; i >= 0 && i < lines.length && (lines[i].k === 'probe' || !plain(lines[i])); i += step);
  if (i < 0 || i >= lines.length) return;
  show(i);
  history.replaceState(null, '', '#t=' + lines[i].t);
});
addEventListener('hashchange', jump);

document.addEventListener('visibilitychange', () => { if (document.hidden) { source?.close(); source = null; } else listen(); });
addEventListener('resize', () => draw(true));
end();
listen();
jump();
