// A link that carries the manifests and what is simulated in its fragment, which browsers send to
// nobody.
const names = { f: 'simulated-fault', h: 'horizon', w: 'workload' };

async function through(bytes, stream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

// fragment is what was typed, as a fragment.
export async function fragment(typed) {
  const packed = await through(new TextEncoder().encode(typed.text), new CompressionStream('deflate-raw'));
  let binary = '';
  for (const byte of packed) binary += String.fromCharCode(byte);
  const all = new URLSearchParams({ m: btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '') });
  for (const [short, name] of Object.entries(names)) if (typed[name] !== undefined) all.set(short, typed[name]);
  return '#' + all;
}

// typed is what a fragment carries; null if it carries nothing. It rejects what cannot be read.
export async function typed(hash) {
  const all = new URLSearchParams(hash.slice(1));
  if (!all.has('m')) return null;
  const binary = atob(all.get('m').replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = await through(Uint8Array.from(binary, (c) => c.charCodeAt(0)), new DecompressionStream('deflate-raw'));
  const found = { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  for (const [short, name] of Object.entries(names)) if (all.has(short)) found[name] = all.get(short);
  return found;
}
