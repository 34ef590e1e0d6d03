// The form of health checks, wherever its answers come from: a server, or a program in the page. The
// fields themselves are never replaced; what follows from them is, by the parts of answers.

// values are the fields of the probes, as they are sent.
export function values(form) {
  const all = {};
  for (const [name, value] of new FormData(form)) if (/^(startup|readiness|liveness)Probe\./.test(name)) all[name] = value;
  return all;
}

// set gives the fields these values.
export function set(form, all) {
  for (const field of form.elements) {
    if (!/Probe\./.test(field.name ?? '')) continue;
    const value = all[field.name] ?? '';
    if (field.type === 'radio') field.checked = field.value === value;
    else field.value = value;
  }
  layout(form);
}

// layout shows the fields of the handler that is chosen.
export function layout(form) {
  for (const panel of form.querySelectorAll('[data-panel]')) {
    const handler = panel.querySelector('input[type=radio]:checked')?.value ?? '';
    for (const fields of panel.querySelectorAll('[data-handler]')) fields.hidden = fields.dataset.handler !== handler;
    panel.querySelector('[data-numbers]').hidden = handler === '';
  }
}

// openProbe shows the fields of a probe.
export function openProbe(form, probe) {
  for (const panel of form.querySelectorAll('[data-panel]')) panel.hidden = panel.dataset.panel !== probe;
  for (const tab of form.querySelectorAll('[data-probe]')) tab.dataset.probe === probe ? tab.setAttribute('aria-current', 'true') : tab.removeAttribute('aria-current');
}

// width is for how wide a picture a part of the page has room.
export function width(part) {
  const pane = part?.querySelector('.scroll') ?? part;
  return Math.floor((pane?.clientWidth ?? 0) / 20) * 20;
}

// put replaces what is in a part of the page by what is in that of an answer.
export function put(page, id) {
  const next = page?.getElementById(id), old = document.getElementById(id);
  if (!next || !old) return null;
  old.replaceChildren(...[...next.childNodes].map((n) => document.importNode(n, true)));
  return next;
}

// show puts parts of an answer into the form, and its errors at their fields. What was opened stays
// open.
export function show(form, page, ids) {
  const all = () => [...form.querySelectorAll('details')];
  const open = all().map((d) => d.open);
  for (const id of ids) put(page, id);
  all().forEach((d, i) => { if (open[i]) d.open = true; });
  showErrors(form);
}

// showErrors puts errors at their fields.
export function showErrors(form) {
  const errors = form.querySelector('#errors'), whyNot = form.querySelector('#why-not');
  for (const slot of form.querySelectorAll('[data-error-of]')) {
    const found = errors.querySelectorAll(`[data-field="${CSS.escape(slot.dataset.errorOf)}"] > .err`);
    slot.replaceChildren(...[...found].map((n) => n.cloneNode(true)));
    const field = form.elements[slot.dataset.errorOf];
    if (field?.setAttribute) found.length ? field.setAttribute('aria-invalid', 'true') : field.removeAttribute('aria-invalid');
  }
  for (const tab of form.querySelectorAll('[data-probe]')) {
    const n = errors.querySelectorAll(`[data-field^="${tab.dataset.probe}."]`).length;
    n ? (tab.dataset.errors = n) : delete tab.dataset.errors;
    n ? (tab.title = `${n} to fix`) : tab.removeAttribute('title');
  }
  for (const n of errors.querySelectorAll('[data-field=""] > .err')) whyNot.append(' ', n.cloneNode(true));
  form.querySelector('#apply').setAttribute('aria-disabled', String(!!whyNot.querySelector(':scope > :not([data-may])')));
}

// showMany puts the fact that takes long where it belongs.
export function showMany(page) {
  const row = page?.querySelector('tr'), place = document.getElementById('many');
  if (row && place) place.replaceChildren(...[...document.importNode(row, true).childNodes]);
}
