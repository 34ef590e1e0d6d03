package simulate

import (
	"encoding/json"
	"io"
)

// WriteJSON writes the summary, with the timeline, as one JSON object. Times are seconds.
func (r *Result) WriteJSON(out io.Writer, verdicts []Verdict) error {
	entries := r.Timeline.Entries()
	if entries == nil {
		entries = []Entry{}
	}
	return writeJSON(out, struct {
		Summary    Summary   `json:"summary"`
		Assertions []Verdict `json:"assertions,omitempty"`
		Timeline   []Entry   `json:"timeline"`
		Lost       int       `json:"entriesLeftOut,omitempty"`
	}{r.Summary, verdicts, entries, r.Timeline.Lost()})
}

// WriteJSON writes the outcome as one JSON object. Times are seconds.
func (m *Many) WriteJSON(out io.Writer, verdicts []Verdict) error {
	return writeJSON(out, struct {
		*Many
		Assertions []Verdict `json:"assertions,omitempty"`
	}{m, verdicts})
}

func writeJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
