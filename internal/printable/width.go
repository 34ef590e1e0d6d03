package printable

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// Width is how many columns of a terminal a text takes that [Line] has made.
func Width(s string) int {
	n := 0
	for _, r := range s {
		n += columns(r)
	}
	return n
}

// columns is the width of a character: East Asian letters and emoji take two columns, marks none.
func columns(r rune) int {
	if r < 0x300 || r >= 0x2500 && r < 0x25fd { // before all of these; lines, blocks and shapes
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// Fit is a text cut to a number of columns.
func Fit(s string, max int) string {
	n := 0
	for i, r := range s {
		if n += columns(r); n > max {
			return s[:i]
		}
	}
	return s
}

// Pad is a text with spaces behind it, up to a number of columns.
func Pad(s string, columns int) string {
	return s + strings.Repeat(" ", max(columns-Width(s), 0))
}
