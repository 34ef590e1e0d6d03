// The text of the manifests, with the numbers of its lines and marks of findings.
const text = document.getElementById('text'), gutter = document.getElementById('gutter');
const lineHeight = 20;

// number draws the numbers; worst is the worst class of each line that has a finding.
export function number(worst = new Map()) {
  const lines = text.value.split('\n').length;
  gutter.replaceChildren(...Array.from({ length: lines }, (_, i) => {
    const line = document.createElement('div');
    line.textContent = i + 1;
    line.className = worst.get(i + 1) ?? '';
    return line;
  }));
  follow();
}

const follow = () => { gutter.scrollTop = text.scrollTop; };
text.addEventListener('scroll', follow);

// goTo selects a line.
export function goTo(line) {
  const lines = text.value.split('\n'), from = lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
  text.focus();
  text.setSelectionRange(from, from + (lines[line - 1]?.length ?? 0));
  text.scrollTop = Math.max(0, (line - 6) * lineHeight);
}

// replace puts another text in place of this one, so that the browser's undo brings it back.
export function replace(next) {
  text.focus({ preventScroll: true });
  text.select();
  if (!document.execCommand('insertText', false, next)) text.value = next;
  text.setSelectionRange(0, 0);
  text.scrollTop = 0;
}

// take reads files, several as one text of several documents.
export async function take(files) {
  const all = await Promise.all([...files].map((f) => f.text()));
  return all.map((t) => t.replace(/\n*$/, '\n')).join('---\n');
}
