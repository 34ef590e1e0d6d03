// The form of the health checks: what follows from what is typed comes from the server, the fields
// themselves are never replaced.
import { say } from './parts.js';
import { values, set, layout, openProbe, width, put, show, showErrors, showMany } from './form.js';

const form = document.getElementById('health');
const $ = (id) => document.getElementById(id);
let number = 0, shown = 0, typing = 0, pausing = 0, following = 0;
let base, undo = null;

function body(more = {}) {
  const data = new URLSearchParams(new FormData(form));
  data.set('w', width($('what')));
  for (const [name, value] of Object.entries(more)) data.set(name, value);
  return data;
}

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

async function draft() {
  const mine = ++number;
  try {
    const { status, page } = await post('/ui/draft', body());
    if (mine < shown || status !== 200) return; // a newer one was shown already
    shown = mine;
    put(page, 'chip');
    show(form, page, ['error-count', 'errors', 'what', 'findings', 'changes', 'why-not', 'file']);
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
    if (status === 200 && mine === number) showMany(page);
  } catch { /* the next pause counts again */ }
}

const changed = (pause) => { clearTimeout(typing); typing = setTimeout(draft, pause); };

// keep puts what is chosen into the address.
function keep(name, value) {
  const address = new URL(location.href);
  address.searchParams.set(name, value);
  history.replaceState(null, '', address);
}

async function apply(more = {}) {
  if ($('apply').getAttribute('aria-disabled') === 'true') return say($('why-not').textContent);
  const mine = values(form), was = { ...more };
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
  $('done').querySelector('[data-theirs]').onclick = () => { base = now; set(form, now); $('done').replaceChildren(); draft(); };
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
  base = values(form);
  layout(form);
  showErrors(form);
  form.addEventListener('input', (e) => {
    if (e.target.type === 'radio') layout(form);
    if (/Probe\./.test(e.target.name) && $('done').querySelector('button')) $('done').replaceChildren(); // it asks about what was typed then
    if (e.target.id === 'fault') keep('fault', e.target.value);
    changed(150);
  });
  form.addEventListener('submit', (e) => { e.preventDefault(); apply(); });
  form.addEventListener('click', async (e) => {
    const tab = e.target.closest('[data-probe]'), button = e.target.closest('button');
    if (tab) { e.preventDefault(); openProbe(form, tab.dataset.probe); keep('probe', tab.dataset.probe); }
    switch (button?.id) {
      case 'copy': await navigator.clipboard.writeText($('yaml')?.textContent ?? '').then(() => { button.textContent = 'Copied'; setTimeout(() => { button.textContent = 'Copy YAML'; }, 1500); }).catch(() => say('cannot copy')); break;
      case 'discard': set(form, base); $('done').replaceChildren(); changed(0); break;
      case 'undo': if (undo) { const back = undo; set(form, back); await draft(); await apply(); $('undo').hidden = true; } break;
      case 'write': write(); break;
    }
  });
  const room = () => width($('what'));
  let last = room();
  addEventListener('resize', () => { if (room() !== last) { last = room(); changed(150); } });
  draft();
}
