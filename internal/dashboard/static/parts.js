// Parts of pages: the server's own markup, fetched as a document. Nothing here is text that becomes
// markup, and a script inside of a part does not run.

// part fetches a page and returns its document; it rejects with an Error whose status is that of the answer.
export function part(address) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('GET', address);
    request.responseType = 'document';
    request.timeout = 10000;
    const fail = (message) => reject(Object.assign(new Error(message), { status: request.status }));
    request.onload = () => {
      if (request.status === 401) location.reload(); // the page that says how to sign in
      if (request.status === 200 && request.response) resolve(request.response);
      else fail(request.response?.body?.textContent?.trim() || `the server answers ${request.status}`);
    };
    request.onerror = request.ontimeout = () => fail('the server does not answer');
    request.send();
  });
}

// swap puts a new element into the place of an old one and keeps the focus where it was.
export function swap(old, next) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const way = focused && focused !== old ? pathTo(old, focused) : null;
  next = document.importNode(next, true);
  old.replaceWith(next);
  if (focused) (way ? follow(next, way) : next)?.focus({ preventScroll: true });
  return next;
}

const pathTo = (top, node) => {
  const way = [];
  for (; node !== top; node = node.parentElement) way.unshift([...node.parentElement.children].indexOf(node));
  return way;
};
const follow = (node, way) => way.reduce((n, i) => n?.children[i], node);

// say tells something to who reads with a screen reader, at most once in five seconds.
let said = 0;
export function say(text) {
  const box = document.getElementById('said');
  if (!box || Date.now() - said < 5000) return;
  said = Date.now();
  box.textContent = text;
}
