// The program of the page: Probity itself, compiled for the browser, in threads of their own.

// The only texts that may become markup or scripts are the program's answers and its own code.
const trusted = { createHTML: (text) => text, createScriptURL: (address) => address };
const policy = globalThis.trustedTypes?.createPolicy('probity', trusted) ?? trusted;

// Superseded is why a question gets no answer: a newer one of its kind was asked.
export class Superseded extends Error {}

// parsed is the document of an answer.
export const parsed = (answer) => new DOMParser().parseFromString(policy.createHTML(answer), 'text/html');

// thread is a new thread, with worker.js in it. It may connect to what the page may when it begins.
function thread() {
  const address = URL.createObjectURL(new Blob([WORKER], { type: 'text/javascript' }));
  return new Worker(policy.createScriptURL(address));
}

// load gets the program and compiles it, once for all threads that run it. It is done in a thread
// that ends with it: unpacking takes time, and no program runs in a thread that may still connect.
export async function load() {
  const compiler = thread(); // at first, since it begins while a script is read
  const compiled = new Promise((resolve, reject) => {
    compiler.onmessage = ({ data }) => data.error ? reject(new Error(data.error)) : resolve(data.program);
    compiler.onerror = (e) => reject(new Error(`cannot load the program: ${e.message}`));
  });
  try {
    compiler.postMessage(location.protocol === 'file:' ? { text: await fromScript() } : { address: new URL('probity.wasm.gz', location.href).href });
    return await compiled;
  } finally {
    compiler.terminate();
    closeDoor();
  }
}

// closeDoor forbids the page all connections from here on.
function closeDoor() {
  const rule = document.createElement('meta');
  rule.httpEquiv = 'Content-Security-Policy';
  rule.content = "connect-src 'none'";
  document.head.append(rule);
}

// fromScript is for pages that were opened as files: these may load scripts and nothing else. It is
// the program as a text.
async function fromScript() {
  await new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = policy.createScriptURL('probity.wasm.js');
    script.onload = resolve;
    script.onerror = () => reject(new Error('cannot load the program: probity.wasm.js does not lie beside this page'));
    document.head.append(script);
  });
  const text = globalThis.probityProgram;
  delete globalThis.probityProgram;
  return text;
}

// Program is one that runs, in a thread of its own. It answers one question after the other; of those
// of one kind that wait, only the newest counts.
export class Program {
  #program; #worker; #asked = null; #waiting = new Map();

  constructor(program) {
    this.#program = program;
    this.#start();
  }

  #start() {
    const worker = thread();
    this.#worker = worker;
    worker.onmessage = ({ data }) => {
      const { resolve, reject } = this.#asked;
      this.#asked = null;
      data.error ? reject(new Error(data.error)) : resolve(parsed(data.page));
      this.#next();
    };
    worker.onerror = (e) => { if (worker === this.#worker) this.#fail(e.message); }; // it may tell twice
    worker.postMessage({ program: this.#program });
    this.#next();
  }

  // fail gives the worker up: what ran in it has ended. The next question begins with a fresh one.
  #fail(message) {
    this.#worker.terminate();
    this.#worker = null;
    const failed = this.#asked;
    this.#asked = null;
    failed?.reject(new Error(`the program has ended, which is a mistake of Probity: ${message}`));
    if (this.#waiting.size > 0) this.#start();
  }

  // ask asks a question and returns the document of its answer.
  ask(question) {
    return new Promise((resolve, reject) => {
      const kind = question.get('ask');
      this.#waiting.get(kind)?.reject(new Superseded());
      this.#waiting.set(kind, { question, resolve, reject });
      if (this.#worker) this.#next();
      else this.#start();
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
