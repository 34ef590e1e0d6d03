// Ages and countdowns, which go on while the page is connected.
import { connected } from './live.js';

const two = (n) => String(n).padStart(2, '0');

export function age(s) {
  s = Math.max(0, Math.floor(s));
  const m = Math.floor(s / 60), h = Math.floor(m / 60);
  if (s < 60) return `${s}s`;
  if (m < 10) return `${m}m${two(s % 60)}s`;
  if (m < 60) return `${m}m`;
  if (h < 24) return `${h}h${two(m % 60)}m`;
  return `${Math.floor(h / 24)}d${two(h % 24)}h`;
}

export const clock = (s) => { s = Math.max(0, Math.round(s)); return `${Math.floor(s / 60)}:${two(s % 60)}`; };

function set(node, text) { if (node.textContent !== text) node.textContent = text; }

function tick() {
  if (!connected() || document.hidden) return;
  const now = Date.now();
  for (const t of document.querySelectorAll('time[data-age]')) set(t, age((now - Date.parse(t.dateTime)) / 1000));
  for (const t of document.querySelectorAll('time[data-until]')) set(t, clock((Date.parse(t.dateTime) - now) / 1000));
}

export function start() { setInterval(tick, 1000); }
