// The playground: what is typed goes to the program in this page, its answers become parts of it.
import { values, set, layout, openProbe, width, put, show, showErrors, showMany } from '../../internal/dashboard/static/form.js';
import { say } from '../../internal/dashboard/static/parts.js';
import * as editor from './editor.js';
import * as link from './link.js';
import { load, parsed, Program, Superseded } from './program.js';

const $ = (id) => document.getElementById(id);
const text = $('text'), longest = 1 << 20, pause = 150, longSimulation = 300; // milliseconds
let simulated = 0, base = {}, typing = 0, drafting = 0, pausing = 0, checks = 0, reads = 0, drafts = 0, chosen = '';

// The page can be used before its program is there: questions wait for it. What takes seconds has a
// program of its own, which is started when it is asked first: nobody who types waits for it.
const compiled = load();
const started = async (program) => new Program(await program);
const program = started(compiled);
let slow;
const ask = async (question) => (await program).ask(question);
const askSlowly = async (question) => (await (slow ??= started(compiled))).ask(question);

// question is what is asked about the text as it is now.
function question(kind, more = {}) {
  const form = $('health');
  const all = new URLSearchParams(form ? new FormData(form) : {});
  for (const [name, value] of Object.entries(played())) all.set(name, value);
  const open = form?.querySelector('[data-probe][aria-current]')?.dataset.probe ?? '';
  const what = { ask: kind, text: text.value, workload: chosen, container: $('container')?.value ?? '', probe: open, w: width($('what') ?? $('health-checks')), ...more };
  for (const [name, value] of Object.entries(what)) all.set(name, value);
  return all;
}

// played is what is to be simulated.
function played() {
  const fields = new FormData($('simulate'));
  return { 'simulated-fault': fields.get('fault'), horizon: fields.get('horizon') };
}

function play(typed) {
  for (const name of ['simulated-fault', 'horizon']) if (name in typed) $(name).value = typed[name];
}

// failed says what went wrong, unless only a newer question has taken the place of one.
function failed(e) {
  if (e instanceof Superseded) return;
  $('verdict').textContent = e.message;
}

// check asks what is found in the text, which people wait for, and then for the rest.
async function check() {
  if (text.value.length > longest) return failed(new Error('This is more than 1 MiB: take the command line, probity check.'));
  try {
    const asked = text.value, page = await ask(question('check'));
    if (text.value === asked) found(page); // else another one is on its way
    if (++checks === 1) document.body.dataset.checked = Math.round(performance.now());
    await read();
  } catch (e) { failed(e); }
}

// found shows what was found.
function found(page) {
  put(page, 'verdict');
  put(page, 'found');
  mark();
  document.body.dataset.first ??= Math.round(performance.now());
}

// read asks for the form of a workload in the text.
async function read(more = {}) {
  try {
    const page = await ask(question('read', more));
    put(page, 'workloads');
    const focused = document.activeElement?.id;
    put(page, 'health-checks');
    if (focused && focused !== document.activeElement?.id) $(focused)?.focus({ preventScroll: true }); // it was in there
    chosen = $('workloads').value;
    const form = $('health');
    if (form) { base = values(form); layout(form); showErrors(form); draft(); }
    document.body.dataset.read = ++reads;
    simulate();
  } catch (e) { failed(e); }
}

// mark marks the lines of findings, each by the worst of them.
function mark() {
  const worst = new Map(), order = ['outage', 'risk', 'waste', 'style'], looks = ['bad', 'warn', 'idle', 'idle'];
  for (const place of $('found').querySelectorAll('[data-line]')) {
    const line = Number(place.dataset.line), rank = order.indexOf(place.dataset.severity);
    worst.set(line, Math.min(worst.get(line) ?? rank, rank));
  }
  editor.number(new Map([...worst].map(([line, rank]) => [line, looks[rank]])));
}

async function draft() {
  const form = $('health');
  clearTimeout(pausing);
  if (!form) return;
  try {
    const page = await ask(question('draft'));
    if ($('health') !== form) return; // another text was read meanwhile
    put(page, 'chip');
    show(form, page, ['error-count', 'errors', 'what', 'findings', 'changes', 'why-not']);
    form.dataset.shown = ++drafts;
    pausing = setTimeout(many, 3000);
  } catch (e) { failed(e); }
}

// many counts the restarts for nothing, which takes longer than all else, when nobody types.
async function many() {
  const mine = drafts;
  try {
    const page = await askSlowly(question('many'));
    if (mine === drafts) showMany(page);
  } catch (e) { failed(e); }
}

async function write() {
  if ($('apply').getAttribute('aria-disabled') === 'true') return say($('why-not').textContent);
  try {
    const page = await ask(question('write'));
    const next = page.getElementById('written');
    if (!next) return put(page, 'done');
    editor.replace(next.textContent);
    clearTimeout(typing); // a second check would take away what is said below
    await check();
    put(page, 'done');
  } catch (e) { failed(e); }
}

// simulate plays the manifests. If that took long it is done beside all else the next time.
async function simulate() {
  try {
    await program;
    const began = performance.now();
    const asked = question('simulate', { w: width($('picture')) || width(document.querySelector('main')) - 40 });
    const page = await (simulated > longSimulation ? askSlowly : ask)(asked);
    simulated = performance.now() - began;
    put(page, 'picture');
    document.body.dataset.simulated = Number(document.body.dataset.simulated ?? 0) + 1;
  } catch (e) { failed(e); }
}

function changed() {
  clearTimeout(typing);
  clearTimeout(pausing);
  typing = setTimeout(check, pause);
  editor.number();
  if (checks === 0) known();
}

// known shows what is known without the program: what it says of the example.
function known() {
  if (text.value === EXAMPLE) found(parsed(FOUND));
  else for (const part of [$('found'), $('verdict')]) part.replaceChildren();
}
const drafted = () => { clearTimeout(drafting); drafting = setTimeout(draft, pause); };

async function open(files) {
  if (files.length > 0) { editor.replace(await editor.take(files)); changed(); }
}

// carry takes what a link carries into the page, the manifests by the function, and returns what is
// wrong with the link.
async function carry(place) {
  let typed;
  try { typed = await link.typed(location.hash); } catch { return new Error('This link is damaged: what it carries cannot be read. What you see is not what was sent.'); }
  if (!typed) return null;
  place(typed.text);
  play(typed);
  chosen = typed.workload ?? '';
  return null;
}

// follow goes to a part of the page and leaves the address as it is, which may carry what was typed.
function follow(e) {
  const part = e.target.closest('a[href^="#"]');
  if (!part) return;
  const to = document.querySelector(part.hash);
  e.preventDefault();
  to.tabIndex = -1;
  to.focus({ preventScroll: true });
  to.scrollIntoView();
}

async function copyLink() {
  const typed = { text: text.value, ...played(), workload: chosen };
  history.replaceState(null, '', await link.fragment(typed));
  copied($('link'), location.href, 'Copy link', 'See the address');
}

// copied copies a text. Not every page may: one without TLS has no clipboard at all.
async function copied(button, what, word, otherwise) {
  try {
    await navigator.clipboard.writeText(what);
    button.textContent = 'Copied';
  } catch { button.textContent = otherwise; }
  setTimeout(() => { button.textContent = word; }, 1500);
}

function listen() {
  text.addEventListener('input', changed);
  $('example').onclick = () => { editor.replace(EXAMPLE); changed(); };
  $('choose').onclick = () => $('files').click();
  $('files').onchange = async (e) => { await open(e.target.files); e.target.value = ''; }; // the same file may come again
  $('link').onclick = copyLink;
  $('workloads').onchange = (e) => { chosen = e.target.value; read({ container: '' }); };
  $('simulate').addEventListener('submit', (e) => { e.preventDefault(); simulate(); });
  const showLine = (e) => {
    const place = e.target.closest('[data-line]');
    if (place) { e.preventDefault(); editor.goTo(Number(place.dataset.line)); }
  };
  $('found').addEventListener('click', showLine);
  // when the key is up, else Enter would be typed over the line that it leads to
  $('found').addEventListener('keydown', (e) => { if (e.key === 'Enter' && e.target.closest('[data-line]')) e.preventDefault(); });
  $('found').addEventListener('keyup', (e) => { if (e.key === 'Enter') showLine(e); });
  const drop = (e) => { if (!e.dataTransfer.types.includes('Files')) return; e.preventDefault(); document.body.classList.toggle('dropping', e.type === 'dragover'); if (e.type === 'drop') open(e.dataTransfer.files); };
  for (const type of ['dragover', 'dragleave', 'drop']) addEventListener(type, drop);
  addEventListener('hashchange', async () => { const wrong = await carry(editor.replace); if (wrong) failed(wrong); else changed(); });
  for (const place of [document.querySelector('header'), document.querySelector('.skip')]) place.addEventListener('click', follow);
  let last = innerWidth;
  addEventListener('resize', () => { if (innerWidth !== last) { last = innerWidth; drafted(); simulate(); } });
}

// listenToForm hears the form of the health checks, which each text has anew.
function listenToForm(box) {
  box.addEventListener('input', (e) => {
    if (e.target.id === 'container') return;
    if (e.target.type === 'radio') layout($('health'));
    drafted();
  });
  box.addEventListener('change', (e) => { if (e.target.id === 'container') read(); });
  box.addEventListener('submit', (e) => { e.preventDefault(); write(); });
  box.addEventListener('click', (e) => {
    const tab = e.target.closest('[data-probe]'), button = e.target.closest('button');
    if (tab) { e.preventDefault(); openProbe($('health'), tab.dataset.probe); }
    if (button?.id === 'copy') copied(button, $('yaml')?.textContent ?? '', 'Copy YAML', 'Select the text');
    if (button?.id === 'discard') { set($('health'), base); drafted(); }
  });
}

async function start() {
  listen();
  listenToForm($('health-checks'));
  const wrong = await begin();
  try {
    await program;
    $('program').textContent = 'Ready';
    await check();
    if (wrong) failed(wrong);
  } catch (e) {
    $('program').textContent = 'Not loaded';
    failed(wrong ? new Error(`${wrong.message} And ${e.message}`) : e);
  }
}

// begin shows the example, or what a link carries, and returns what is wrong with the link. What the
// program says of the example is known.
async function begin() {
  put(parsed(FIELDS), 'simulate');
  text.value = EXAMPLE;
  const wrong = await carry((typed) => { text.value = typed; });
  editor.number();
  known();
  if (wrong) failed(wrong);
  return wrong;
}

start();
