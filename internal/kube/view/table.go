package view

import (
	"strings"

	"github.com/probity-run/probity/internal/printable"
)

const (
	// gap parts two columns.
	gap = "  "
	// indent is before a last cell that has a line of its own.
	indent = "    "
)

// Table lays rows out in columns, the first row being their names; cells are fit to be printed. The
// last cell of a row that is wider than a width, unless that is 0, has the next line for itself.
func Table(rows [][]string, width int) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row[:len(row)-1] {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], printable.Width(cell))
		}
	}
	var out strings.Builder
	for _, row := range rows {
		var line strings.Builder
		last := len(row) - 1
		for i, cell := range row[:last] {
			line.WriteString(printable.Pad(cell, widths[i]) + gap)
		}
		text := line.String()
		if width > 0 && printable.Width(text+row[last]) > width {
			text = strings.TrimRight(text, " ") + "\n" + indent + row[last]
		} else {
			text += row[last]
		}
		out.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	return out.String()
}
