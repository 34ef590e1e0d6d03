// The pages of drills: parts that have become others are put in the place of those that are shown.
import { connected, on } from './live.js';
import { part, say, swap } from './parts.js';

let busy = false, wanted = false;
async function refresh() {
  if (busy || !wanted || document.hidden || !connected()) return;
  busy = true; wanted = false;
  try {
    const fresh = await part(location.href);
    for (const old of document.querySelectorAll('[data-mark]')) {
      const next = fresh.getElementById(old.id), chosen = getSelection();
      if (!next || next.dataset.mark === old.dataset.mark) continue;
      if (chosen?.toString() && old.contains(chosen.anchorNode)) wanted = true; // somebody copies a text
      else swap(old, next);
    }
    if (document.title !== fresh.title) say(document.title = fresh.title);
  } catch { wanted = false; /* the next one */ }
  setTimeout(() => { busy = false; refresh(); }, 1000);
}
const want = () => { wanted = true; refresh(); };
for (const kind of ['drill', 'again', 'up']) on(kind, want);
document.addEventListener('visibilitychange', want);
