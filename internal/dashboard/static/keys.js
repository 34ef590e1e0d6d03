// The keyboard: single letters outside of fields, which can be switched off.
import { part } from './parts.js';

const off = () => localStorage.getItem('probity-letters') === 'off';
let go = false; // g was the last key, however long ago

const rows = () => [...document.querySelectorAll('li.pod')];
const current = () => document.activeElement?.closest('li.pod');

function move(step) {
  const all = rows();
  if (!all.length) return false;
  const i = all.indexOf(current());
  const next = all[i < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(i + step, 0), all.length - 1)];
  next.querySelector('h3 a').focus();
  return true;
}

// press does what the element of a key does: in the Pod that has the focus, or on the page.
function press(key) {
  const top = current() ?? document;
  const target = top.querySelector(`[data-key="${CSS.escape(key)}"]`) ?? document.querySelector(`main [data-key="${CSS.escape(key)}"]`);
  if (!target || (top === document && target.closest('li.pod'))) return false;
  const menu = target.closest('details.menu');
  if (menu) menu.open = true;
  target.click();
  return true;
}

function escape() {
  const filter = document.querySelector('input[type=search]');
  if (document.activeElement?.matches('input, select, textarea')) return document.activeElement.blur(), true;
  if (filter?.value) { filter.value = ''; filter.dispatchEvent(new Event('input')); return true; }
  const back = document.querySelector('.crumbs a');
  if (back) { back.click(); return true; }
  return false;
}

function letter(key) {
  if (go) {
    go = false;
    const tab = document.querySelector(`.tabs [data-go="${CSS.escape(key)}"]`);
    if (tab) { tab.click(); return true; }
  }
  switch (key) {
    case 'g': go = true; return true;
    case '?': document.getElementById('help').showModal(); return true;
    case '/': { const q = document.querySelector('input[type=search]'); if (!q) return find(), true; q.focus(); q.select(); return true; }
    case 'j': return move(1);
    case 'k': return move(-1);
  }
  return press(key);
}

// find goes to what one types, on pages that have no filter.
let asked = 0;
function find() {
  const box = document.getElementById('find-q'), found = document.getElementById('found');
  box.oninput = async () => {
    const mine = ++asked, page = await part('/ui/find?q=' + encodeURIComponent(box.value)).catch(() => null);
    if (page && mine === asked) found.replaceChildren(...[...page.getElementById('found').children].map((n) => document.importNode(n, true)));
  };
  box.form.onsubmit = (e) => { e.preventDefault(); found.querySelector('a')?.click(); };
  document.getElementById('finder').showModal();
  box.select();
  box.oninput();
}

export function start() {
  const help = document.getElementById('help'), letters = document.getElementById('letters');
  letters.checked = !off();
  letters.onchange = () => { try { localStorage.setItem('probity-letters', letters.checked ? 'on' : 'off'); } catch { /* private window */ } };
  for (const [id, f] of [['keys', () => help.showModal()], ['find', () => letter('/')]]) {
    const button = document.getElementById(id);
    button.hidden = false;
    button.onclick = f;
  }
  document.addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || document.querySelector('dialog[open]')) return;
    const field = e.target.closest?.('input, select, textarea, [contenteditable]');
    if (e.key === 'Escape') { go = false; if (escape()) e.preventDefault(); return; }
    if (field && field.type !== 'checkbox') return;
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
      if (current() && move(e.key === 'ArrowDown' ? 1 : -1)) e.preventDefault();
      return;
    }
    if (off() && e.key.length === 1) return;
    if (letter(e.key)) e.preventDefault();
  });
}
