// The page of Events: the list comes again when there are others.
import { on } from './live.js';
import { part, swap } from './parts.js';

let busy = false, wanted = false;
async function refresh() {
  if (busy || !wanted || document.hidden) return;
  busy = true; wanted = false;
  try {
    const fresh = (await part(location.href)).getElementById('event-list'), old = document.getElementById('event-list');
    if (fresh && old && !getSelection()?.toString()) swap(old, fresh);
  } catch { /* the next one */ }
  setTimeout(() => { busy = false; refresh(); }, 2000);
}
const want = () => { wanted = true; refresh(); };
on('ev', want);
on('again', want);
document.addEventListener('visibilitychange', want);
const filter = document.getElementById('q');
let typing = 0;
filter?.addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    const address = new URL(location.href);
    if (filter.value) address.searchParams.set('q', filter.value); else address.searchParams.delete('q');
    history.replaceState(null, '', address);
    want();
  }, 200);
});
