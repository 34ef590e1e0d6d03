// The page of simulations: a picture as wide as there is room.
import { part } from './parts.js';

const width = () => Math.floor((document.querySelector('#picture .scroll')?.clientWidth ?? 0) / 20) * 20;
let drawn = 0;

async function draw() {
  if (!width() || width() === drawn) return;
  drawn = width();
  const address = new URL(location.href);
  address.searchParams.set('w', drawn);
  try {
    const fresh = (await part(address)).getElementById('picture');
    document.getElementById('picture').replaceWith(document.importNode(fresh, true));
    copy();
  } catch { drawn = 0; }
}

function copy() {
  const button = document.getElementById('copy-command');
  if (!button) return;
  button.hidden = false;
  button.onclick = () => navigator.clipboard.writeText(document.getElementById('command').textContent).then(() => { button.textContent = 'Copied'; }, () => {});
}

let pause = 0;
addEventListener('resize', () => { clearTimeout(pause); pause = setTimeout(draw, 150); });
copy();
draw();
