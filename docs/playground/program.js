// The program of the page: Probity itself, compiled for the browser, in a worker. It answers one
// question after the other; of those of one kind that wait, only the newest counts.

// The only texts that may become markup or scripts are the program's answers and its own code.
const trusted = { createHTML: (text) => text, createScriptURL: (address) => address };
const policy = globalThis.trustedTypes?.createPolicy('probity', trusted) ?? trusted;

// Superseded is why a question gets no answer: a newer one of its kind was asked.
export class Superseded extends Error {}

const waiting = new Map();
let worker = null, bytes = null, asked = null;

// load gets the program and starts it.
export async function load() {
  bytes = location.protocol === 'file:' ? await fromScript() : await fromHost();
  start();
}

async function fromHost() {
  const answer = await fetch('probity.wasm.gz');
  if (!answer.ok) throw new Error(`cannot load the program: the host answers ${answer.status} for probity.wasm.gz`);
  const all = new Uint8Array(await answer.arrayBuffer());
  closeDoor();
  return all;
}

// closeDoor forbids the page all connections from here on.
function closeDoor() {
  const rule = document.createElement('meta');
  rule.httpEquiv = 'Content-Security-Policy';
  rule.content = "connect-src 'none'";
  document.head.append(rule);
}

// fromScript is for pages that were opened as files: these may load scripts and nothing else.
async function fromScript() {
  closeDoor();
  await new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = policy.createScriptURL('probity.wasm.js');
    script.onload = resolve;
    script.onerror = () => reject(new Error('cannot load the program: probity.wasm.js does not lie beside this page'));
    document.head.append(script);
  });
  const text = atob(globalThis.probityProgram), all = new Uint8Array(text.length);
  delete globalThis.probityProgram;
  for (let i = 0; i < text.length; i++) all[i] = text.charCodeAt(i);
  return all;
}

function start() {
  const address = URL.createObjectURL(new Blob([WORKER], { type: 'text/javascript' }));
  worker = new Worker(policy.createScriptURL(address));
  worker.onmessage = ({ data }) => {
    const { resolve, reject } = asked;
    asked = null;
    data.error ? reject(new Error(data.error)) : resolve(new DOMParser().parseFromString(policy.createHTML(data.page), 'text/html'));
    next();
  };
  worker.onerror = worker.onmessageerror = (e) => fail(e.message);
  worker.postMessage({ bytes });
  next();
}

// fail begins with a fresh program: this one has ended.
function fail(message) {
  worker.terminate();
  worker = null;
  const failed = asked;
  asked = null;
  failed?.reject(new Error(`the program has ended, which is a mistake of Probity: ${message}`));
  if (failed) start();
}

// ask asks the program and returns the document of its answer.
export function ask(question) {
  return new Promise((resolve, reject) => {
    const kind = question.get('ask');
    waiting.get(kind)?.reject(new Superseded());
    waiting.set(kind, { question, resolve, reject });
    next();
  });
}

function next() {
  if (!worker || asked || waiting.size === 0) return;
  const [kind, first] = waiting.entries().next().value;
  waiting.delete(kind);
  asked = first;
  worker.postMessage({ question: first.question.toString() });
}
