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
	var columns Columns
	return columns.Rows(rows, width)
}

// Columns are those of a table to which rows are added as they come: a column is as wide as the
// widest cell so far. The zero value has none yet. It belongs to one goroutine.
type Columns struct{ widths []int }

// Rows lays more rows out as [Table] does, below those that were.
func (c *Columns) Rows(rows [][]string, width int) string {
	for _, row := range rows {
		for i, cell := range row[:len(row)-1] {
			if i == len(c.widths) {
				c.widths = append(c.widths, 0)
			}
			c.widths[i] = max(c.widths[i], printable.Width(cell))
		}
	}
	var out strings.Builder
	for _, row := range rows {
		var line strings.Builder
		last := len(row) - 1
		for i, cell := range row[:last] {
			line.WriteString(printable.Pad(cell, c.widths[i]) + gap)
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
