// The page of Services: figures from the stream, the rest from the server when it changes.
import { on } from './live.js';
import { part, swap } from './parts.js';

let busy = false, wanted = false;
async function refresh() {
  if (busy || !wanted || document.hidden) return;
  busy = true; wanted = false;
  try {
    const fresh = (await part(location.href)).getElementById('live-services'), old = document.getElementById('live-services');
    if (fresh && old && !getSelection()?.toString()) swap(old, fresh);
  } catch { /* the next one */ }
  setTimeout(() => { busy = false; refresh(); }, 1000);
}
const want = () => { wanted = true; refresh(); };
for (const kind of ['svc', 'pods', 'again']) on(kind, want);
document.addEventListener('visibilitychange', want);
