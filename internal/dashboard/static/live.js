// The stream: one connection per browser, however many tabs. The tab that holds the lock has it and
// passes records on; when it is closed, the next one goes on after the last record it knows.

const listeners = new Map();
const channel = new BroadcastChannel('probity-stream');
const state = { last: '', boot: '', source: null, tries: 0, timer: 0, lost: 0, heard: 0, retryAt: 0, connected: false, leader: false, messages: new Map() };
export const messages = state.messages;

// on calls a function with each record of a kind: hello, pods, a, svc, ev, bye; up and down tell of the connection.
export function on(kind, listener) {
  if (!listeners.has(kind)) listeners.set(kind, []);
  listeners.get(kind).push(listener);
}

function tell(kind, data) {
  if (kind === 'a' || kind === 'hello') {
    const m = data.m ?? [];
    if (messages.size > 5000) messages.clear();
    for (let i = 0; i < m.length; i += 2) messages.set(m[i], m[i + 1]);
  }
  if (kind === 'hello') {
    const restarted = state.boot && state.boot !== data.boot;
    state.boot = data.boot;
    up(restarted);
    if (data.again || restarted) for (const f of listeners.get('again') ?? []) f(restarted);
  }
  for (const f of listeners.get(kind) ?? []) f(data);
}

function take(kind, id, data) {
  state.last = id;
  state.heard = Date.now();
  tell(kind, data);
}

channel.onmessage = (event) => {
  const { kind, id, data, want, table } = event.data;
  if (want) { // another tab was opened: it gets what it has missed of the messages
    if (state.leader && state.connected) channel.postMessage({ table: [...messages], boot: state.boot, id: state.last });
  } else if (table) {
    if (state.leader) return;
    for (const [n, text] of table) messages.set(n, text);
    state.boot ||= event.data.boot;
    state.last ||= event.data.id;
    up(false);
  } else if (kind === 'down') down();
  else take(kind, id, data);
};

function connect() {
  clearTimeout(state.timer);
  state.source?.close();
  const since = document.querySelector('[data-now]')?.dataset.now;
  const source = new EventSource('/ui/stream' + (state.last ? '?from=' + encodeURIComponent(state.last) : since ? '?since=' + since : ''));
  state.source = source;
  for (const kind of ['hello', 'pods', 'a', 'svc', 'ev', 'src', 'drill', 'bye']) {
    source.addEventListener(kind, (event) => {
      const data = JSON.parse(event.data);
      take(kind, event.lastEventId, data);
      channel.postMessage({ kind, id: event.lastEventId, data });
      state.tries = 0;
    });
  }
  source.onerror = async () => {
    source.close();
    if (source !== state.source) return;
    state.source = null;
    down();
    channel.postMessage({ kind: 'down' });
    if (navigator.onLine !== false && (await signedOut())) return location.reload();
    const pause = Math.min(500 * 2 ** state.tries++, 10000) * (0.8 + 0.4 * Math.random());
    state.retryAt = Date.now() + pause;
    state.timer = setTimeout(connect, pause);
  };
}

async function signedOut() {
  try { return (await fetch('/ui/alive', { cache: 'no-store' })).status === 401; } catch { return false; }
}

// now tries at once.
function now() {
  if (state.leader && !state.source) { state.tries = 0; connect(); }
}

function up(restarted) {
  const was = state.connected;
  state.connected = true;
  state.heard = Date.now();
  if (!was && state.lost) {
    const away = Math.round((Date.now() - state.lost) / 1000);
    banner('good', `Connected again after ${away} s` + (restarted ? '. Probity was started again: counters start anew.' : '.'));
    setTimeout(() => banner(''), 6000);
  }
  state.lost = 0;
  document.body.removeAttribute('data-lost');
  indicate();
  for (const f of listeners.get('up') ?? []) f();
}

function down() {
  if (!state.lost) state.lost = Date.now();
  state.connected = false;
  setTimeout(() => {
    if (state.connected) return;
    document.body.setAttribute('data-lost', '');
    indicate();
    for (const f of listeners.get('down') ?? []) f();
    lostBanner();
  }, 1000);
}

function lostBanner() {
  if (state.connected || !state.lost) return;
  const left = Math.max(0, Math.ceil((state.retryAt - Date.now()) / 1000));
  const since = new Date(state.heard || state.lost).toLocaleTimeString();
  banner('', `No connection to Probity. What is shown is of ${since}.`, state.leader ? `Next try in ${left} s` : '', true);
  setTimeout(lostBanner, 1000);
}

function banner(kind, text = '', more = '', retry = false) {
  const box = document.getElementById('banners');
  if (!box) return;
  if (!text) return box.replaceChildren();
  let b = box.firstElementChild;
  if (!b || b.dataset.kind !== kind) {
    b = document.createElement('div');
    b.className = 'banner ' + kind;
    b.dataset.kind = kind;
    const t = document.createElement('span'), m = document.createElement('span');
    m.setAttribute('aria-hidden', 'true');
    b.append(t, m);
    if (retry) {
      const button = document.createElement('button');
      button.type = 'button'; button.className = 'btn'; button.textContent = 'Try now';
      button.onclick = () => { if (state.leader) now(); else channel.postMessage({ kind: 'try' }); };
      b.append(button);
    }
    box.replaceChildren(b);
  }
  if (b.children[0].textContent !== text) b.children[0].textContent = text;
  b.children[1].textContent = more;
}

// What is not seen of a cluster, and since when that is not heard.
on('src', ({ text }) => {
  const box = document.getElementById('source');
  if (!box) return;
  document.body.toggleAttribute('data-old', /^The cluster is not heard/.test(text));
  const line = document.createElement('span'), banner = document.createElement('div');
  line.textContent = text;
  banner.className = 'banner';
  banner.append(line);
  box.replaceChildren(...(text ? [banner] : []));
});

function indicate() {
  const live = document.getElementById('live');
  if (!live) return;
  live.querySelector('circle').setAttribute('class', state.connected ? 'f-ok' : 'f-idle');
  live.lastElementChild.textContent = state.connected ? 'Live' : 'Not live';
}

export const connected = () => state.connected;

// start begins, once per page.
export function start() {
  on('bye', down);
  on('try', now);
  channel.postMessage({ want: true });
  if (navigator.locks) {
    navigator.locks.request('probity-stream', () => {
      state.leader = true;
      connect();
      return new Promise(() => {}); // until the tab is closed
    });
  } else { state.leader = true; connect(); }
  addEventListener('online', now);
  addEventListener('pageshow', now);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) now(); });
}
