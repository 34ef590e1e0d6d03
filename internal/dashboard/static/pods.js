// The page of the Pods: strips, counters and messages from the stream, rows from the server.
import { on, messages } from './live.js';
import { part, swap, say } from './parts.js';
import * as strips from './strip.js';

let probes = new Map(); // by number
let paused = false, clockAt = 0;
const past = () => document.querySelector('#pods[data-past]'); // the strips show another time, and stand still

// collect finds the probes that the page shows.
export function collect(top = document) {
  if (top === document) probes = new Map();
  for (const li of top.querySelectorAll('li.probe')) {
    const svg = li.querySelector('svg.strip');
    const strip = svg && strips.read(svg);
    if (!li.dataset.probe) continue;
    const p = { li, strip, type: li.dataset.type, timeout: +li.dataset.timeout, failures: +li.dataset.failures, successes: +li.dataset.successes,
      lat: li.querySelector('.lat'), box: li.querySelector('.counter'), msg: li.querySelector('.msg') };
    probes.set(+li.dataset.probe, p);
    if (strip) strip.appear = () => tellNews(p);
  }
}

const latencyText = (us, code, timeout) => {
  if ((code & 7) === 4) return `> ${timeout} s`;
  const ms = us / 1000;
  if (ms < 0.05) return '<0.1 ms';
  if (ms < 9.95) return ms.toFixed(1) + ' ms';
  if (ms < 999.5) return ms.toFixed(0) + ' ms';
  return (ms / 1000).toFixed(2).replace(/0$/, '').replace(/\.0$/, '') + ' s';
};

// counter is the server's counterOf.
function counter(p, code, run) {
  const failing = code & 64, result = (code >> 4) & 3, outcome = code & 7, readiness = p.type === 'readiness';
  const threshold = failing ? p.failures : p.successes, n = Math.min(run, threshold), share = `${n}/${threshold}`;
  const pips = threshold <= 6 ? [n, threshold] : [0, 0];
  if (readiness && result === 2 && failing) return { pips, text: share + ' out', cls: 'bad' };
  if (readiness && result === 2) return { pips, text: share + ' back', good: true };
  if (readiness && failing && outcome !== 2) return { pips, text: share };
  if (readiness && result === 1) return { pips: [0, 0], text: 'in rotation', cls: 'ok' };
  if (p.type === 'startup' && result === 1) return { pips: [0, 0], text: 'passed', cls: 'ok' };
  if (failing) return { pips, text: share };
  return { pips: p.failures <= 6 ? [0, p.failures] : [0, 0], text: `0/${p.failures}` };
}

function show(p, us, code, run, text) {
  const took = latencyText(us, code, p.timeout);
  if (p.took !== took) p.lat.textContent = p.took = took;
  const c = counter(p, code, run), key = c.text + c.pips + c.good + c.cls;
  if (p.counter !== key) {
    p.counter = key;
    const words = document.createElement('span');
    words.className = 'small ' + (c.cls ?? '');
    words.textContent = c.text;
    const all = [words];
    if (c.pips[1]) {
      const box = document.createElement('span');
      box.className = 'pips';
      box.setAttribute('aria-hidden', 'true');
      for (let i = 0; i < c.pips[1]; i++) {
        const pip = document.createElement('i');
        if (i < c.pips[0]) pip.className = c.good ? 'good' : 'on';
        box.append(pip);
      }
      all.unshift(box);
    }
    p.box.replaceChildren(...all);
  }
  const msg = p.msg;
  if (text !== undefined && p.said !== text) {
    p.said = msg.textContent = msg.title = text;
    const failed = (code & 7) >= 3;
    msg.className = 'msg small cut ' + (failed && !(code & 8) ? 'bad' : failed ? 'muted' : 'muted dull');
  }
}

on('a', (r) => {
  clockAt = r.t;
  if (paused) return;
  const still = past();
  for (let i = 0; i < r.a.length; i += 5) {
    const p = probes.get(r.a[i]);
    if (!p) continue;
    const code = r.a[i + 1], us = r.a[i + 2], run = r.a[i + 3], message = r.a[i + 4];
    if (p.strip && !still) strips.add(p.strip, r.t, strips.markOf(code, us, p.timeout), '?ud'[(code >> 4) & 3]);
    p.news = [us, code, run, messages.get(message)];
    if (!p.strip || p.strip.seen) tellNews(p);
    else unseen.add(p);
  }
});

// What is not in sight is written when it comes into sight, or some of it each second: for who
// looks for a text, or listens to the page.
const unseen = new Set();

function tellNews(p) {
  if (!p.news) return;
  show(p, ...p.news);
  p.news = null;
  unseen.delete(p);
}

// Each second every strip moves, so that one axis holds for all of them.
setInterval(() => {
  if (paused || past() || document.hidden || !clockAt || document.body.hasAttribute('data-lost')) return;
  const now = clockAt = Math.max(clockAt, Date.now());
  for (const { strip } of probes.values()) {
    if (!strip) continue;
    strips.advance(strip, now);
    strips.draw(strip);
  }
  for (const p of [...unseen].slice(0, 60)) tellNews(p);
  const axis = document.getElementById('axis-start'), list = document.getElementById('pods');
  if (axis && list) axis.textContent = new Date(now - +list.dataset.window).toLocaleTimeString('en-GB');
}, 1000);

// Rows that changed come from the server; at most one request at a time.
let wanted = new Set(), whole = false, busy = false;

async function refresh() {
  if (busy || paused || document.hidden || (!whole && !wanted.size)) return;
  if (document.querySelector('details.menu[open]')) return void setTimeout(refresh, 500); // somebody is about to do something
  busy = true;
  const only = [...wanted], all = whole;
  wanted = new Set(); whole = false;
  try {
    const address = new URL(location.href);
    const some = !all && only.length <= 50;
    if (some) address.searchParams.set('only', only.join());
    else address.searchParams.set('outline', '1');
    let page = await part(address), rows = null;
    if (!some) {
      const others = changed(page);
      if (others.length > 50 || !alike(page)) page = await part(location.href);
      else rows = others.length ? await rowsOf(others) : page;
    }
    if (document.querySelector('details.menu[open]')) { // opened meanwhile: what is under a hand stays
      for (const uid of only) wanted.add(uid);
      whole = all || whole;
    } else if (some) replaceRows(page, only);
    else if (rows) arrange(page, rows);
    else replaceList(page);
  } catch { whole = true; }
  busy = false;
  setTimeout(refresh, 1000);
}

function stateOf(row) { return row?.querySelector('.line span')?.textContent; }

function replaceRow(old, next) {
  const before = stateOf(old), after = stateOf(next);
  if (before !== after) say(`${next.querySelector('h3').textContent} ${after}`);
  const row = swap(old, next);
  collect(row);
  return row;
}

function replaceRows(page, only) {
  for (const uid of only) {
    const next = page.querySelector(`li.pod[data-pod="${CSS.escape(uid)}"]`), old = document.querySelector(`li.pod[data-pod="${CSS.escape(uid)}"]`);
    if (old && next) replaceRow(old, next);
    else if (old || next) whole = true;
  }
  if (whole) setTimeout(refresh, 0);
}

const rowOf = (top, uid) => top.querySelector(`li.pod[data-pod="${CSS.escape(uid)}"]`);

function rowsOf(pods) {
  const address = new URL(location.href);
  address.searchParams.set('only', pods.join());
  return part(address);
}

// changed are the Pods of an outline whose rows the page does not have as they are now.
const changed = (outline) => [...outline.querySelectorAll('#pods li.pod')].filter((li) => rowOf(document, li.dataset.pod)?.dataset.mark !== li.dataset.mark).map((li) => li.dataset.pod);

// alike reports whether an outline has the workloads that the page has, in their order.
function alike(outline) {
  const shape = (page) => [...(page.getElementById('pods')?.children ?? [])].map((n) => n.tagName + (n.querySelector('h2')?.textContent ?? '') + n.className).join();
  if (![outline, document].every((page) => page.querySelector('section#pods'))) return false;
  return shape(outline) === shape(document) && past() !== null === (outline.querySelector('#pods[data-past]') !== null);
}

// arrange brings the list into the order of an outline. Rows that have not changed stay where they
// are: of many Pods a list that is made anew holds up the page.
function arrange(outline, rows) {
  const list = document.getElementById('pods'), next = outline.getElementById('pods');
  [...next.children].forEach((part, i) => {
    const old = list.children[i];
    if (part.matches('.group') && part.outerHTML !== old.outerHTML) swap(old, part);
    if (part.matches('ul')) arrangeRows(old, part, rows);
  });
  const services = document.getElementById('services'), others = outline.getElementById('services');
  if (services && others) swap(services, others);
}

function arrangeRows(old, next, rows) {
  let at = old.firstElementChild;
  for (const { dataset: { pod, mark } } of next.children) {
    let row = rowOf(old, pod);
    const fresh = rowOf(rows, pod);
    if (row?.dataset.mark !== mark && !fresh) whole = true; // it has changed again, or is gone
    if (row && row.dataset.mark !== mark && fresh) {
      const here = row === at;
      row = replaceRow(row, fresh);
      if (here) at = row;
    } else if (!row) {
      if (!fresh) continue;
      row = document.importNode(fresh, true);
      row.classList.add('new');
      old.insertBefore(row, at);
      collect(row);
      continue;
    }
    if (row === at) at = at.nextElementSibling;
    else old.insertBefore(row, at);
  }
  while (at) {
    const gone = at;
    at = at.nextElementSibling;
    for (const probe of gone.querySelectorAll('li.probe')) probes.delete(+probe.dataset.probe);
    gone.remove();
  }
}

function replaceList(page) {
  const old = document.getElementById('pods'), next = page.getElementById('pods');
  if (!old || !next) return;
  const focus = document.activeElement?.closest('li.pod')?.dataset.pod;
  const known = new Map([...old.querySelectorAll('li.pod')].map((li) => [li.dataset.pod, li]));
  const list = document.importNode(next, true);
  for (const li of list.querySelectorAll('li.pod')) {
    const same = known.get(li.dataset.pod);
    if (same && same.dataset.mark === li.dataset.mark) li.replaceWith(same);
    else if (!same) li.classList.add('new');
  }
  old.replaceWith(list);
  if (focus) list.querySelector(`li.pod[data-pod="${CSS.escape(focus)}"] h3 a`)?.focus({ preventScroll: true });
  const services = document.getElementById('services'), others = page.getElementById('services');
  if (services && others) swap(services, others);
  collect();
}

on('pods', (r) => {
  for (const [name, n] of [['all', r.all], ['pods', r.all], ['attention', r.attention]]) {
    for (const c of document.querySelectorAll(`[data-count=${name}]`)) c.textContent = n;
  }
  for (const uid of r.changed ?? []) wanted.add(uid);
  if (r.new || r.gone) whole = true;
  refresh();
});
on('svc', (r) => {
  for (const [id, figures] of Object.entries(r)) {
    for (const row of document.querySelectorAll(`[data-service="${CSS.escape(id)}"]`)) {
      for (const [name, text] of Object.entries(figures)) {
        const f = row.querySelector(`[data-fig=${name}]`);
        if (!f || f.textContent === text) continue;
        f.textContent = text;
        if (name === 'ready') { whole = true; refresh(); } // its form, and what a rollout waits for
      }
    }
  }
});
on('again', () => { whole = true; refresh(); });
document.addEventListener('visibilitychange', () => { if (!document.hidden) { whole = true; refresh(); } });

const pause = document.getElementById('pause');
pause?.addEventListener('click', () => {
  paused = !paused;
  pause.setAttribute('aria-pressed', paused);
  pause.firstElementChild.textContent = paused ? 'Go on' : 'Pause';
  if (!paused) { whole = true; refresh(); }
});

// The filter acts while one types; the address follows, so that it can be linked.
const filter = document.getElementById('q');
let typing = 0;
filter?.addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    const address = new URL(location.href);
    if (filter.value) address.searchParams.set('q', filter.value);
    else address.searchParams.delete('q');
    history.replaceState(null, '', address);
    whole = true;
    refresh();
  }, 200);
});
filter?.form.addEventListener('submit', (e) => { e.preventDefault(); filter.dispatchEvent(new Event('input')); });

collect();
