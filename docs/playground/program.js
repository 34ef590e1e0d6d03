// The program of the page: Probity itself, compiled for the browser, in workers.

// The only texts that may become markup or scripts are the program's answers and its own code.
const trusted = { createHTML: (text) => text, createScriptURL: (address) => address };
const policy = globalThis.trustedTypes?.createPolicy('probity', trusted) ?? trusted;

// Superseded is why a question gets no answer: a newer one of its kind was asked.
export class Superseded extends Error {}

// load gets the program, compressed.
export const load = () => location.protocol === 'file:' ? fromScript() : fromHost();

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

// Program is one that runs, in a worker of its own. It answers one question after the other; of those
// of one kind that wait, only the newest counts.
export class Program {
  #bytes; #worker; #asked = null; #waiting = new Map();

  constructor(bytes) {
    this.#bytes = bytes;
    this.#start();
  }

  #start() {
    const address = URL.createObjectURL(new Blob([WORKER], { type: 'text/javascript' }));
    this.#worker = new Worker(policy.createScriptURL(address));
    this.#worker.onmessage = ({ data }) => {
      const { resolve, reject } = this.#asked;
      this.#asked = null;
      data.error ? reject(new Error(data.error)) : resolve(new DOMParser().parseFromString(policy.createHTML(data.page), 'text/html'));
      this.#next();
    };
    this.#worker.onerror = (e) => this.#fail(e.message);
    this.#worker.postMessage({ bytes: this.#bytes });
    this.#next();
  }

  // fail begins with a fresh worker: what ran in this one has ended.
  #fail(message) {
    this.#worker.terminate();
    this.#worker = null;
    const failed = this.#asked;
    this.#asked = null;
    failed?.reject(new Error(`the program has ended, which is a mistake of Probity: ${message}`));
    if (failed) this.#start();
  }

  // ask asks a question and returns the document of its answer.
  ask(question) {
    return new Promise((resolve, reject) => {
      const kind = question.get('ask');
      this.#waiting.get(kind)?.reject(new Superseded());
      this.#waiting.set(kind, { question, resolve, reject });
      this.#next();
    });
  }

  #next() {
    if (!this.#worker || this.#asked || this.#waiting.size === 0) return;
    const [kind, first] = this.#waiting.entries().next().value;
    this.#waiting.delete(kind);
    this.#asked = first;
    this.#worker.postMessage({ question: first.question.toString() });
  }
}
