// Strips: 60 slots of a probe's past, drawn as one path per outcome, only while they are seen.
const slots = 60, width = 6, base = 19;
const heights = [4, 6, 8, 10, 13, 16, 19];
const worse = '.0123456mnpxz'; // the later, the worse

// read makes a strip of what the server wrote into the attributes of its picture.
export function read(svg) {
  if (svg.strip) return svg.strip;
  svg.strip = {
    svg, first: +svg.dataset.first, slot: +svg.dataset.slot, marks: [...svg.dataset.marks], results: [...svg.dataset.results],
    cuts: (svg.dataset.cuts ?? '').split(' ').filter(Boolean).map(Number), dirty: true, seen: false,
  };
  visible.observe(svg);
  return svg.strip;
}

const visible = new IntersectionObserver((entries) => {
  for (const e of entries) {
    if (!e.target.strip) continue;
    e.target.strip.seen = e.isIntersecting;
    if (e.isIntersecting) { e.target.strip.appear?.(); draw(e.target.strip); }
  }
}, { rootMargin: '200px' });

// advance moves a strip so that its last slot has an instant in it.
export function advance(strip, now) {
  const shift = Math.floor(now / strip.slot) - slots + 1 - strip.first;
  if (shift <= 0) return;
  const last = strip.results[slots - 1];
  for (let i = 0; i < Math.min(shift, slots); i++) {
    strip.marks.shift(); strip.marks.push('.');
    strip.results.shift(); strip.results.push('.');
  }
  strip.first += shift;
  strip.cuts = strip.cuts.map((c) => c - shift).filter((c) => c >= 0);
  strip.carried = last !== '.' ? last : strip.carried;
  strip.dirty = true;
}

// add shows an attempt: its mark, and what was acted upon.
export function add(strip, at, mark, result) {
  advance(strip, at);
  const i = Math.floor(at / strip.slot) - strip.first;
  if (i < 0 || i >= slots) return;
  if (worse.indexOf(mark) > worse.indexOf(strip.marks[i])) strip.marks[i] = mark;
  strip.results[i] = result;
  strip.dirty = true;
}

// markOf is the mark of an attempt in the stream's numbers.
export function markOf(code, micros, timeout) {
  const outcome = code & 7, notYet = code & 8;
  if (outcome === 0) {
    const share = micros / (timeout * 1e4);
    const step = [2, 5, 10, 20, 40, 70].findIndex((s) => share <= s);
    return String(step < 0 ? 6 : step);
  }
  return outcome === 1 ? 'm' : outcome === 2 ? 'n' : notYet ? 'p' : outcome === 4 ? 'z' : 'x';
}

const box = (x, y, w, h) => `M${x} ${y}h${w}v${h}h${-w}z`;

// draw draws what has changed, if anybody can see it.
export function draw(strip) {
  if (!strip.dirty || !strip.seen) return;
  strip.dirty = false;
  const d = { ok: '', warn: '', bad: '', yet: '', late: '', err: '', none: '', up: '', down: '', unk: '', cut: '', cutf: '' };
  let result = '.';
  for (let i = 0; i < slots; i++) {
    const x = i * width + 1, mark = strip.marks[i];
    if (mark >= '0' && mark <= '6') { const h = heights[mark]; d.ok += box(x, base - h, 4, h); }
    else if (mark === 'm') d.warn += box(x, base - 8, 4, 8) + box(x + 0.5, base - 14, 3, 3);
    else if (mark === 'x' || mark === 'p') d[mark === 'x' ? 'bad' : 'yet'] += box(x, 1, 4, 8) + box(x, 10.5, 4, 8.5);
    else if (mark === 'z') d.late += box(x + 0.6, 1.6, 2.8, 16.8);
    else if (mark === 'n') d.err += `M${x + 2} 8l2.5 3-2.5 3-2.5-3z`;
    else d.none += box(x + 1.5, base - 1, 1, 1);
    if (strip.cuts.includes(i)) { d.cut += `M${x - 0.5} 0v23`; d.cutf += `M${x - 3.5} 0h6l-3 4z`; result = '.'; }
    if (strip.results[i] !== '.') result = strip.results[i];
    else if (mark === '.' && result !== '.' && !later(strip, i)) result = '.';
    if (result === 'u') d.up += box(i * width, 20.5, width, 1.5);
    else if (result === 'd') d.down += box(i * width, 20, width, 3.5);
    else if (result === '?') d.unk += box(i * width, 20.5, width, 1);
  }
  for (const [name, path] of Object.entries(d)) {
    let p = strip[name];
    if (!p) {
      if (!path) continue;
      p = document.createElementNS('http://www.w3.org/2000/svg', 'path');
      p.setAttribute('class', 's-' + name);
      strip.svg.append(p);
      strip[name] = p;
    }
    if (p.getAttribute('d') !== path) p.setAttribute('d', path);
  }
}

// later reports whether there is an attempt behind a slot before the next restart: then what was acted upon went on.
function later(strip, i) {
  for (let k = i + 1; k < slots; k++) {
    if (strip.cuts.includes(k)) return false;
    if (strip.marks[k] !== '.') return true;
  }
  return slots - i < 12;
}
