package render

import (
	"encoding/json"
	"io"

	"github.com/probity-run/probity/internal/simulate"
)

// JSON writes the summary, the assertions and the timeline as one JSON object. Times are seconds.
func JSON(out io.Writer, r *simulate.Result, assertions []simulate.AssertionResult) error {
	entries := r.Timeline.Entries()
	if entries == nil {
		entries = []simulate.Entry{}
	}
	return writeJSON(out, struct {
		Summary    simulate.Summary           `json:"summary"`
		Assertions []simulate.AssertionResult `json:"assertions,omitempty"`
		Timeline   []simulate.Entry           `json:"timeline"`
		Lost       int                        `json:"entriesLeftOut,omitempty"`
	}{r.Summary, assertions, entries, r.Timeline.Lost()})
}

// ManyJSON writes the outcome of many runs as one JSON object. Times are seconds.
func ManyJSON(out io.Writer, m *simulate.Many, assertions []simulate.AssertionResult) error {
	return writeJSON(out, struct {
		*simulate.Many
		Assertions []simulate.AssertionResult `json:"assertions,omitempty"`
	}{m, assertions})
}

func writeJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
