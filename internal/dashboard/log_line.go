package dashboard

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/probity-run/probity/internal/printable"
)

// maxText is how many bytes of a line of a log are shown.
const maxText = 4 << 10

// maxSequence is how many bytes of numbers a sequence that sets a colour may have.
const maxSequence = 64

// span is a piece of a line of a log in one style: class names, "" for none.
type span struct{ class, text string }

// sgr is what sequences have set so far.
type sgr struct {
	fg, bg              int // 0: none, else 1 to 16
	bold, under, invert bool
}

func (g sgr) class() string {
	var all []string
	fg, bg := g.fg, g.bg
	if g.invert {
		fg, bg = bg, fg
	}
	if fg > 0 {
		all = append(all, "a"+strconv.Itoa(fg-1))
	}
	if bg > 0 {
		all = append(all, "b"+strconv.Itoa(bg-1))
	}
	if g.bold {
		all = append(all, "bo")
	}
	if g.under {
		all = append(all, "un")
	}
	return strings.Join(all, " ")
}

// spansOf are a line that a program printed: its colours as classes, and what else a terminal obeys
// left out. What hides or moves letters is shown.
func spansOf(line []byte) []span {
	rest := cutText(line)
	var spans []span
	var style sgr
	add := func(text string) {
		if text = printable.Line(text); text != "" {
			spans = append(spans, span{style.class(), text})
		}
	}
	for {
		before, after, found := strings.Cut(rest, "\x1b")
		add(before)
		if !found {
			return spans
		}
		codes, next, colour := escape(after)
		if colour {
			style = style.set(codes)
		}
		rest = next
	}
}

// escape is what follows an escape character: the numbers of a sequence that sets colours, and the
// text behind the sequence, whatever it is.
func escape(s string) (codes, rest string, colour bool) {
	if s == "" {
		return "", "", false
	}
	switch s[0] {
	case '[': // CSI: parameters, intermediates, one final letter
		for i := 1; i < len(s) && i < maxSequence; i++ {
			if c := s[i]; c >= 0x40 && c <= 0x7e {
				return s[1:i], s[i+1:], c == 'm'
			} else if c < 0x20 || c > 0x3f {
				return "", s[i:], false
			}
		}
		return "", s[1:], false
	case ']', 'P', '_', '^', 'X': // OSC and the like: up to BEL or ESC \
		for i := 1; i < len(s); i++ {
			switch {
			case s[i] == 0x07:
				return "", s[i+1:], false
			case s[i] == 0x1b && i+1 < len(s) && s[i+1] == '\\':
				return "", s[i+2:], false
			}
		}
		return "", "", false
	}
	_, size := utf8.DecodeRuneInString(s)
	return "", s[size:], false
}

// set is the style after a sequence.
func (g sgr) set(codes string) sgr {
	numbers := strings.FieldsFunc(codes, func(r rune) bool { return r == ';' || r == ':' })
	if len(numbers) == 0 {
		return sgr{}
	}
	for i := 0; i < len(numbers); i++ {
		n, err := strconv.Atoi(numbers[i])
		switch {
		case err != nil:
			return g
		case n == 0:
			g = sgr{}
		case n == 1:
			g.bold = true
		case n == 4:
			g.under = true
		case n == 7:
			g.invert = true
		case n == 22:
			g.bold = false
		case n == 24:
			g.under = false
		case n == 27:
			g.invert = false
		case n >= 30 && n <= 37:
			g.fg = n - 29
		case n >= 90 && n <= 97:
			g.fg = n - 81
		case n >= 40 && n <= 47:
			g.bg = n - 39
		case n >= 100 && n <= 107:
			g.bg = n - 91
		case n == 39:
			g.fg = 0
		case n == 49:
			g.bg = 0
		case n == 38 || n == 48:
			colour, used := extended(numbers[i+1:])
			if i += used; n == 38 {
				g.fg = colour
			} else {
				g.bg = colour
			}
		}
	}
	return g
}

// extended is one of 256 colours, or red, green and blue, as the nearest of the 16, so that
// contrast holds; used is how many numbers it took.
func extended(numbers []string) (colour, used int) {
	at := func(i int) int {
		if i >= len(numbers) {
			return 0
		}
		n, _ := strconv.Atoi(numbers[i]) // 0 if it is none
		return n
	}
	switch at(0) {
	case 5:
		n := at(1)
		switch {
		case n < 16:
			return n + 1, 2
		case n >= 232:
			grey := (n - 232) * 255 / 23
			return nearest(grey, grey, grey), 2
		}
		n -= 16
		return nearest(n/36*51, n/6%6*51, n%6*51), 2
	case 2:
		return nearest(at(1), at(2), at(3)), 4
	}
	return 0, 1
}

// nearest is one of the 16 colours, from 1.
func nearest(r, g, b int) int {
	bit := func(n, limit int) int {
		if n > limit {
			return 1
		}
		return 0
	}
	most := max(r, g, b)
	if most < 64 {
		return 1
	}
	limit := most / 2
	n := bit(r, limit) | bit(g, limit)<<1 | bit(b, limit)<<2
	if most > 191 {
		n += 8
	}
	return n + 1
}

// cutText is a line as far as it is shown.
func cutText(line []byte) string {
	if len(line) <= maxText {
		return string(line)
	}
	end := maxText
	for end > maxText-utf8.UTFMax && !utf8.RuneStart(line[end]) {
		end--
	}
	return string(line[:end]) + "…"
}

// levelOf is the level that stands at the beginning of a line: E, W, I, D, or "".
func levelOf(line []byte) string {
	head := strings.ToUpper(string(line[:min(len(line), 80)]))
	for _, level := range []struct{ word, class string }{
		{"FATAL", "E"}, {"PANIC", "E"}, {"ERROR", "E"}, {"ERR", "E"}, {"WARN", "W"}, {"INFO", "I"}, {"DEBUG", "D"}, {"TRACE", "D"},
	} {
		i := strings.Index(head, level.word)
		if i < 0 || i > 0 && isLetter(head[i-1]) {
			continue
		}
		if end := i + len(level.word); end == len(head) || !isLetter(head[end]) || level.word == "WARN" && strings.HasPrefix(head[i:], "WARNING") {
			return level.class
		}
	}
	return ""
}

func isLetter(b byte) bool { return b >= 'A' && b <= 'Z' || b == '_' }

// isProbeLine reports whether a line that a service printed is about a request of a probe.
func isProbeLine(line []byte) bool { return strings.Contains(string(line), "kube-probe") }
