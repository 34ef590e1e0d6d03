// The form of the health checks: what follows from what is typed comes from the server, the fields
// themselves are never replaced.
import { say } from './parts.js';

const form = document.getElementById('health');
const $ = (id) => document.getElementById(id);
let number = 0, shown = 0, typing = 0, pausing = 0, following = 0;
let base, undo = null;

// values are the fields of the probes, as they are sent.
function values() {
  const all = {};
  for (const [name, value] of new FormData(form)) if (/^(startup|readiness|liveness)Probe\./.test(name)) all[name] = value;
  return all;
}

function body(more = {}) {
  const data = new URLSearchParams(new FormData(form));
  data.set('w', width());
  for (const [name, value] of Object.entries(more)) data.set(name, value);
  return data;
}

const width = () => {
  const pane = $('what')?.querySelector('.scroll') ?? $('what');
  return Math.floor(pane.clientWidth / 20) * 20;
};

// post sends the form and returns the status and the document of the answer.
function post(address, data) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', address);
    request.responseType = 'document';
    request.timeout = 20000;
    request.onload = () => {
      if (request.status === 401) location.reload();
      resolve({ status: request.status, page: request.response });
    };
    request.onerror = request.ontimeout = () => reject(new Error('Probity does not answer'));
    request.send(data);
  });
}

// put replaces what is in a part of the page by what is in that of an answer.
function put(page, id) {
  const next = page?.getElementById(id), old = $(id);
  if (!next || !old) return null;
  old.replaceChildren(...[...next.childNodes].map((n) => document.importNode(n, true)));
  return next;
}

// showErrors puts errors at their fields.
function showErrors() {
  for (const slot of form.querySelectorAll('[data-error-of]')) {
    const found = $('errors').querySelectorAll(`[data-field="${CSS.escape(slot.dataset.errorOf)}"] > .err`);
    slot.replaceChildren(...[...found].map((n) => n.cloneNode(true)));
    const field = form.elements[slot.dataset.errorOf];
    if (field?.setAttribute) found.length ? field.setAttribute('aria-invalid', 'true') : field.removeAttribute('aria-invalid');
  }
  for (const tab of form.querySelectorAll('[data-probe]')) {
    const n = $('errors').querySelectorAll(`[data-field^="${tab.dataset.probe}."]`).length;
    n ? (tab.dataset.errors = n) : delete tab.dataset.errors;
    n ? (tab.title = `${n} to fix`) : tab.removeAttribute('title');
  }
  const others = $('errors').querySelectorAll('[data-field=""] > .err');
  for (const n of others) $('why-not').append(' ', n.cloneNode(true));
  $('apply').setAttribute('aria-disabled', String(!!$('why-not').querySelector(':scope > :not([data-may])')));
}

async function draft() {
  const mine = ++number, open = [...form.querySelectorAll('details[open]')].map((d) => [...form.querySelectorAll('details')].indexOf(d));
  try {
    const { status, page } = await post('/ui/draft', body());
    if (mine < shown || status !== 200) return; // a newer one was shown already
    shown = mine;
    for (const id of ['chip', 'error-count', 'errors', 'what', 'findings', 'changes', 'why-not', 'file']) put(page, id);
    for (const i of open) { const d = form.querySelectorAll('details')[i]; if (d) d.open = true; }
    showErrors();
    form.dataset.shown = mine;
    clearTimeout(pausing);
    pausing = setTimeout(() => many(mine), 1000);
  } catch (e) { $('why-not').textContent = e.message; }
}

// many counts the restarts for nothing, when nothing was typed for a second.
async function many(mine) {
  if (mine !== number || document.hidden) return;
  try {
    const { status, page } = await post('/ui/draft', body({ many: 'yes' }));
    const row = page?.querySelector('tr');
    if (status === 200 && row && mine === number && $('many')) $('many').replaceChildren(...[...document.importNode(row, true).childNodes]);
  } catch { /* the next pause counts again */ }
}

const changed = (pause) => { clearTimeout(typing); typing = setTimeout(draft, pause); };

// layout shows the fields of the handler that is chosen.
function layout() {
  for (const panel of form.querySelectorAll('[data-panel]')) {
    const handler = panel.querySelector('input[type=radio]:checked')?.value ?? '';
    for (const fields of panel.querySelectorAll('[data-handler]')) fields.hidden = fields.dataset.handler !== handler;
    panel.querySelector('[data-numbers]').hidden = handler === '';
  }
}

function openProbe(probe) {
  for (const panel of form.querySelectorAll('[data-panel]')) panel.hidden = panel.dataset.panel !== probe;
  for (const tab of form.querySelectorAll('[data-probe]')) tab.dataset.probe === probe ? tab.setAttribute('aria-current', 'true') : tab.removeAttribute('aria-current');
  keep('probe', probe);
}

// keep puts what is chosen into the address.
function keep(name, value) {
  const address = new URL(location.href);
  address.searchParams.set(name, value);
  history.replaceState(null, '', address);
}

// set gives the fields these values.
function set(all) {
  for (const field of form.elements) {
    if (!/Probe\./.test(field.name ?? '')) continue;
    const value = all[field.name] ?? '';
    if (field.type === 'radio') field.checked = field.value === value;
    else field.value = value;
  }
  layout();
}

async function apply(more = {}) {
  if ($('apply').getAttribute('aria-disabled') === 'true') return say($('why-not').textContent);
  const mine = values(), was = { ...more };
  for (const [name, value] of Object.entries(base)) was['was.' + name] = value;
  $('done').textContent = '…';
  try {
    const { status, page } = await post('/ui/apply', body(was));
    const answer = put(page, 'done');
    if (!answer) { $('done').textContent = page?.body?.textContent?.trim() || `the server answers ${status}`; return; }
    if (status === 409) return conflict(answer);
    undo = base; base = mine;
    $('undo').hidden = form.elements.new !== undefined;
    if (answer.dataset.made) setTimeout(() => { location.href = answer.dataset.made; }, 1500);
    follow(answer.dataset.follow);
    draft();
  } catch (e) { $('done').textContent = e.message; }
}

function conflict(answer) {
  if (!answer.dataset.conflict) return;
  const replace = $('done').querySelector('[data-replace]');
  if (replace) { replace.onclick = () => apply({ replace: 'yes' }); return replace.focus(); }
  const now = JSON.parse(answer.dataset.conflict);
  const mine = $('done').querySelector('[data-mine]'), consent = mine.dataset.mine;
  mine.onclick = () => { base = now; apply(consent ? { [consent]: 'yes' } : {}); };
  $('done').querySelector('[data-theirs]').onclick = () => { base = now; set(now); $('done').replaceChildren(); draft(); };
  mine.focus();
}

// follow shows the rollout until it is over.
async function follow(address) {
  clearTimeout(following);
  if (!address) return;
  let state = '';
  try {
    const response = await new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open('GET', address);
      request.responseType = 'document';
      request.onload = () => resolve(request.response);
      request.onerror = reject;
      request.send();
    });
    const line = response?.querySelector('[data-rollout]');
    if (line) {
      const before = $('done').textContent;
      if (line.textContent !== before) $('done').replaceChildren(document.importNode(line, true));
      state = line.dataset.rollout;
    }
  } catch { /* the next second asks again */ }
  if (state === '') following = setTimeout(() => follow(address), 1000);
  else draft();
}

async function write() {
  try {
    const { page } = await post('/ui/write', body());
    put(page, 'file');
  } catch (e) { $('file').textContent = e.message; }
}

if (form) {
  base = values();
  layout();
  showErrors();
  form.addEventListener('input', (e) => {
    if (e.target.type === 'radio') layout();
    if (/Probe\./.test(e.target.name) && $('done').querySelector('button')) $('done').replaceChildren(); // it asks about what was typed then
    if (e.target.id === 'fault') keep('fault', e.target.value);
    changed(150);
  });
  form.addEventListener('submit', (e) => { e.preventDefault(); apply(); });
  form.addEventListener('click', async (e) => {
    const tab = e.target.closest('[data-probe]'), button = e.target.closest('button');
    if (tab) { e.preventDefault(); openProbe(tab.dataset.probe); }
    switch (button?.id) {
      case 'copy': await navigator.clipboard.writeText($('yaml')?.textContent ?? '').then(() => { button.textContent = 'Copied'; setTimeout(() => { button.textContent = 'Copy YAML'; }, 1500); }).catch(() => say('cannot copy')); break;
      case 'discard': set(base); $('done').replaceChildren(); changed(0); break;
      case 'undo': if (undo) { const back = undo; set(back); await draft(); await apply(); $('undo').hidden = true; } break;
      case 'write': write(); break;
    }
  });
  let last = width();
  addEventListener('resize', () => { if (width() !== last) { last = width(); changed(150); } });
  draft();
}
