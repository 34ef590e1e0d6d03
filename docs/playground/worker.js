// The program, in a thread of its own: it gets its bytes once, then questions. What stands before
// this is Go's own wasm_exec.js.
let ready = null;

async function start(bytes) {
  const go = new Go(), isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b; // else the host has unpacked them
  let stream = new Blob([bytes]).stream();
  if (isPacked) stream = stream.pipeThrough(new DecompressionStream('gzip'));
  const { instance } = await WebAssembly.instantiateStreaming(new Response(stream, { headers: { 'Content-Type': 'application/wasm' } }), go.importObject);
  go.run(instance).then(() => { throw new Error('the program has ended'); });
}

onmessage = async ({ data }) => {
  if (data.bytes) ready = start(data.bytes);
  else {
    await ready;
    postMessage(probityAnswer(data.question));
  }
};
