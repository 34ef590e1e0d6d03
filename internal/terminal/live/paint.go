package live

import (
	"strings"
	"unicode/utf8"

	"github.com/probity-run/probity/internal/printable"
)

// painter finds out what to write so that a terminal shows the next frame. It remembers the frame
// that is shown, and no cells: those of a large window would take more memory than all the Pods.
// The zero value knows nothing of the terminal, and paints everything.
type painter struct {
	known  bool     // lines are what is shown
	lines  []string // of the frame
	before []piece  // of a line, kept for their memory
	after  []piece
}

// piece is a part of a line that begins and ends without a look.
type piece struct {
	text    string
	columns int
}

const (
	clearAll  = "\x1b[H\x1b[2J"
	clearLine = "\x1b[K" // from here on
	lookEnds  = "\x1b[m"
)

// forget makes the next frame be painted from the start.
func (p *painter) forget() { p.known, p.lines = false, nil }

// paint appends what makes a terminal of so many columns show a frame.
func (p *painter) paint(out []byte, frame string, width int) []byte {
	if !p.known {
		out = append(out, clearAll...)
	}
	shown := p.lines
	lines := strings.Split(frame, "\n")
	for y := range max(len(lines), len(shown)) {
		var before, after string
		if y < len(shown) {
			before = shown[y]
		}
		if y < len(lines) {
			after = lines[y]
		}
		if before != after {
			out = p.line(out, y, before, after, width)
		}
	}
	p.known, p.lines = true, lines
	return out
}

// line appends what makes a line of another: the pieces between those that are equal at its
// beginning and at its end. A line is written whole if terminals do not agree where its pieces are.
func (p *painter) line(out []byte, y int, before, after string, width int) []byte {
	p.before, p.after = pieces(p.before[:0], before), pieces(p.after[:0], after)
	a, b := p.before, p.after
	agreed := plainWidth(before) && plainWidth(after)
	column := 0
	for agreed && len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		column += b[0].columns
		a, b = a[1:], b[1:]
	}
	same := agreed && columnsOf(a) == columnsOf(b)
	for same && len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	out = appendMove(out, y, column)
	if !agreed { // where it ends for the terminal nobody knows: it might leave the last column
		out = append(out, clearLine...)
	}
	for _, q := range b {
		out = append(out, q.text...)
		column += q.columns
	}
	if agreed && !same && column < width { // behind the last column it would take that
		out = append(out, clearLine...)
	}
	return out
}

// pieces appends those of a line: each span with its look, and each text between two of them.
func pieces(all []piece, line string) []piece {
	for len(line) > 0 {
		end := strings.IndexByte(line, '\x1b')
		text := line[:max(end, 0)]
		switch {
		case end < 0:
			end, text = len(line), line
		case end == 0:
			_, rest, _ := strings.Cut(line, "m")
			if text, _, _ = strings.Cut(rest, lookEnds); len(text) == len(rest) {
				end = len(line)
			} else {
				end = len(line) - len(rest) + len(text) + len(lookEnds)
			}
		}
		all = append(all, piece{line[:end], printable.Width(text)})
		line = line[end:]
	}
	return all
}

func columnsOf(pieces []piece) int {
	n := 0
	for _, q := range pieces {
		n += q.columns
	}
	return n
}

// firstWide is the first character of those that terminals do not agree about: how wide they are.
const firstWide = '\u2e80'

// plainWidth reports whether a text is as wide in every terminal.
func plainWidth(text string) bool {
	for _, r := range text {
		if r >= firstWide || r >= utf8.RuneSelf && printable.Width(string(r)) != 1 {
			return false
		}
	}
	return true
}

// appendMove appends what puts the cursor somewhere; both count from 0.
func appendMove(out []byte, y, x int) []byte {
	out = append(out, "\x1b["...)
	out = append(out, itoa(y+1)...)
	out = append(out, ';')
	out = append(out, itoa(x+1)...)
	return append(out, 'H')
}
