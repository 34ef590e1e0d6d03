// The frame of every page.
import * as live from './live.js';
import * as time from './time.js';
import * as menu from './menu.js';
import * as keys from './keys.js';

menu.start();
keys.start();
time.start();
live.on('ev', (r) => { for (const c of document.querySelectorAll('[data-count=events]')) c.textContent = r.all; });
live.start();
