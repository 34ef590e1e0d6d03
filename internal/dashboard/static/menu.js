// Actions in place: a menu, a question that names the consequence, an answer.
import { part } from './parts.js';

const close = (menu) => {
  menu.open = false;
  const answer = menu.querySelector('.answer');
  answer?.replaceChildren();
  menu.querySelector('.choices')?.removeAttribute('hidden');
};

const raise = (menu, open) => menu.closest('.pod, section')?.classList.toggle('acting', open);

async function ask(menu, what) {
  const answer = menu.querySelector('.answer');
  try {
    const page = await part(`${menu.dataset.at}/ask?do=${what}`);
    menu.querySelector('.choices').hidden = true;
    answer.replaceChildren(document.importNode(page.querySelector('.question'), true));
    answer.querySelector('[data-sure]').focus();
  } catch (e) { answer.textContent = e.message; }
}

async function act(menu, what) {
  const answer = menu.querySelector('.answer'), body = new URLSearchParams({ do: what });
  for (const field of answer.querySelectorAll('select')) body.set(field.name, field.value);
  menu.querySelector('.choices').hidden = true;
  answer.textContent = '…';
  try {
    const response = await fetch(menu.dataset.at + '/do', { method: 'POST', body });
    answer.textContent = await response.text();
    answer.classList.toggle('bad', !response.ok);
    if (response.ok) setTimeout(() => { if (menu.open) { close(menu); menu.querySelector('summary').focus(); } }, 2500);
  } catch { answer.textContent = 'Probity does not answer.'; }
}

export function start() {
  // What is open lies above the rows that follow; a selector that looks for it would cost at every change.
  document.addEventListener('toggle', (event) => {
    if (event.target.matches?.('details.menu')) raise(event.target, event.target.open);
  }, true);
  document.addEventListener('click', async (event) => {
    const short = event.target.closest('button[data-press]');
    if (short) { // what is in the menu too: the question and the answer are there
      const item = short.closest('section').querySelector(`details.menu [data-key="${CSS.escape(short.dataset.press)}"]`);
      item.closest('details').open = true;
      return item.click();
    }
    const menu = event.target.closest('details.menu');
    if (event.target.closest('summary') && menu) raise(menu, !menu.open); // the event for it comes later
    for (const other of document.querySelectorAll('details.menu[open]')) if (other !== menu) close(other);
    const button = event.target.closest('button');
    if (!menu || !button) return;
    if (button.dataset.copy) {
      await navigator.clipboard.writeText(button.dataset.copy).catch(() => {});
      menu.querySelector('.answer').textContent = 'Copied: ' + button.dataset.copy;
    } else if ('cancel' in button.dataset) { close(menu); menu.querySelector('summary').focus(); }
    else if (button.dataset.do) {
      if ('sure' in button.dataset || ['out', 'back'].includes(button.dataset.do)) act(menu, button.dataset.do);
      else ask(menu, button.dataset.do);
    }
  });
  document.addEventListener('keydown', (event) => {
    const menu = document.querySelector('details.menu[open]');
    if (event.key === 'Escape' && menu) { close(menu); menu.querySelector('summary').focus(); event.stopImmediatePropagation(); }
  }, true);
}
