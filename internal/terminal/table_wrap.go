package terminal

import (
	"strings"

	"github.com/probity-run/probity/internal/printable"
)

const (
	wrapWidth  = 60 // windows below have no room for it
	wrapLines  = 4  // of one Event at most
	wrapIndent = "              "
)

// wrap breaks a line at spaces so that nothing of it is cut off, into at most wrapLines lines.
// Lines after the first are indented to where the Event's type stands.
func wrap(line string, width int) []string {
	if width < wrapWidth || printable.Width(line) <= width {
		return []string{printable.Fit(line, width)}
	}
	var lines []string
	rest := line
	for len(lines) < wrapLines-1 && printable.Width(rest) > width {
		head := printable.Fit(rest, width)
		cut := strings.LastIndexByte(head, ' ')
		if cut <= len(wrapIndent) { // one word fills the line
			cut = len(head)
		}
		lines = append(lines, strings.TrimRight(rest[:cut], " "))
		rest = wrapIndent + strings.TrimLeft(rest[cut:], " ")
	}
	return append(lines, printable.Fit(rest, width))
}
