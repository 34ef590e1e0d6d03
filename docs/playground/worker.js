// A thread of the page. The first message says what for: where the program lies, to compile it and
// send it back, or the program, to run it and answer the questions that follow. What stands before
// this is Go's own wasm_exec.js.
let ready = null;

// bytes is what a text in base64 says. Not every browser has that itself.
function bytes(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text), all = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) all[i] = binary.charCodeAt(i);
  return all;
}

const unzipped = (stream) => stream.pipeThrough(new DecompressionStream('gzip'));

// loaded is the program as it comes: from an address, or from a text in base64.
async function loaded({ address, text }) {
  if (text) return unzipped(new Response(bytes(text)).body);
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`cannot load the program: the host answers ${answer.status} for ${address}`);
  return unpacked(answer.body);
}

// unpacked is what a host has sent: some have unpacked it on the way.
async function unpacked(stream) {
  const [begin, all] = stream.tee(), reader = begin.getReader();
  const { value } = await reader.read();
  reader.cancel();
  const isPacked = value?.[0] === 0x1f && value[1] === 0x8b;
  return isPacked ? unzipped(all) : all;
}

// compile compiles the program while it comes.
async function compile(where) {
  const stream = await loaded(where);
  return WebAssembly.compileStreaming(new Response(stream, { headers: { 'Content-Type': 'application/wasm' } }));
}

async function run(program) {
  const go = new Go(), instance = await WebAssembly.instantiate(program, go.importObject);
  go.run(instance).then(() => died(new Error('it has ended')), died);
}

// died tells the page, which hears of errors that nobody catches, but not of promises.
function died(error) {
  setTimeout(() => { throw error; });
}

// answer is undefined if the program has ended while it was asked.
async function answer(question) {
  try {
    await ready;
    const answered = probityAnswer(question);
    if (answered) postMessage(answered);
    else died(new Error('it has no answer'));
  } catch (e) { died(e); }
}

onmessage = ({ data }) => {
  if (data.program) ready = run(data.program);
  else if (data.question) answer(data.question);
  else compile(data).then((program) => postMessage({ program }), (e) => postMessage({ error: e.message }));
};
