// The search of the pages: a pure function of the index, see search.go, and of what was typed.

// wordsOf divides a text as the index does, which leaves some of the words out.
const wordsOf = (text) => (text.toLowerCase().match(/[\p{L}\p{Nd}]+/gu) ?? []);

// isIndexed reports whether the index would have a word: no single letters, and no numbers but
// those with three digits.
const isIndexed = (word) => word.length > 1 && (!/^\d+$/.test(word) || word.length === 3);

// Index is the index, unpacked: the sections of each word, and the words in order.
export class Index {
  constructor({ pages, sections, words }) {
    this.sections = sections.map(([page, anchor, title, beginning]) => ({
      address: pages[page][0], anchor, title, beginning, page: pages[page][1], heading: new Set(wordsOf(title)), above: new Set(wordsOf(pages[page][1])),
    }));
    this.words = words.split('\n').map((line) => {
      const [word, ...distances] = line.split(' ');
      let at = 0;
      return [word, distances.map((d) => (at += parseInt(d, 36)))];
    });
  }

  // find is the sections that have all words of a text, or words that begin with them, the best
  // first: a word in the heading is worth more than one in the page's title, and that more than one
  // in the text; a whole word is worth more than its beginning.
  find(text) {
    let worth = null;
    const all = wordsOf(text), indexed = all.filter(isIndexed);
    for (const typed of new Set(indexed.length > 0 ? indexed : all)) {
      const here = this.#worthOf(typed);
      worth = worth === null ? here : new Map([...worth].filter(([n]) => here.has(n)).map(([n, sum]) => [n, sum + here.get(n)]));
    }
    return [...(worth ?? [])].sort(([a, x], [b, y]) => y - x || a - b).map(([n]) => this.sections[n]);
  }

  // worthOf is what each section is worth to whom a word was typed by.
  #worthOf(typed) {
    const worth = new Map();
    for (const [word, numbers] of this.words) {
      if (!word.startsWith(typed)) continue;
      for (const n of numbers) {
        const { heading, above } = this.sections[n];
        const sum = (heading.has(word) ? 8 : above.has(word) ? 4 : 1) + (word === typed ? 2 : 0);
        worth.set(n, Math.max(worth.get(n) ?? 0, sum));
      }
    }
    return worth;
  }
}
