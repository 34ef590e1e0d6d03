package printable

import (
	"io"
	"sync"
	"unicode/utf8"
)

// Writer passes text on as [Text] makes it, whatever the pieces in which it comes. It is safe for
// concurrent use. Make it with [NewWriter].
type Writer struct {
	w io.Writer

	mu   sync.Mutex // guards what follows
	f    filter
	rest []byte // the beginning of a character whose end is yet to come
}

// NewWriter makes a Writer that writes to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Write implements [io.Writer].
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := append(w.rest, p...)
	whole := len(text) - unfinished(text)
	shown := w.f.append(nil, text[:whole], false)
	w.rest = append([]byte(nil), text[whole:]...)
	if _, err := w.w.Write(shown); err != nil {
		return 0, err
	}
	return len(p), nil
}

// unfinished is how many bytes at the end of a text are the beginning of a character, or of a line
// end of two.
func unfinished(text []byte) int {
	if n := len(text); n > 0 && text[n-1] == '\r' {
		return 1
	}
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if b := text[len(text)-n]; utf8.RuneStart(b) {
			if b >= utf8.RuneSelf && !utf8.FullRune(text[len(text)-n:]) {
				return n
			}
			break
		}
	}
	return 0
}
