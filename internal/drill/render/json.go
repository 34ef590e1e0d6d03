package render

import (
	"encoding/json"
	"io"

	"github.com/probity-run/probity/internal/drill"
)

// JSON writes a report for programs.
func JSON(out io.Writer, r *drill.Report) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
