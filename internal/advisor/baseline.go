package advisor

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// baselineVersion is the version of the file's form.
const baselineVersion = 1

// A Baseline lists known findings, so that only new ones count. It has neither lines nor files: a
// finding stays known when the manifest around it changes or moves.
type Baseline struct {
	Version int `json:"version"`
	// Findings are [Finding.Key]s, sorted. A key that is there twice stands for two findings.
	Findings []string `json:"findings"`
}

// NewBaseline makes a baseline of these findings.
func NewBaseline(findings ...[]Finding) *Baseline {
	b := &Baseline{Version: baselineVersion, Findings: []string{}}
	for _, list := range findings {
		for _, f := range list {
			b.Findings = append(b.Findings, f.Key())
		}
	}
	slices.Sort(b.Findings)
	return b
}

// ReadBaseline reads what Write wrote.
func ReadBaseline(r io.Reader) (*Baseline, error) {
	var b Baseline
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&b); err != nil {
		return nil, fmt.Errorf("not a baseline: %w", err)
	}
	if b.Version != baselineVersion {
		return nil, fmt.Errorf("a baseline of version %d, expected %d: write it anew", b.Version, baselineVersion)
	}
	return &b, nil
}

// Write writes the baseline as JSON, one line for each finding.
func (b *Baseline) Write(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(b)
}

// filter returns a function that reports whether a finding is known. Each finding must be given to
// it once.
func (b *Baseline) filter() func(Finding) bool {
	left := map[string]int{}
	if b != nil {
		for _, key := range b.Findings {
			left[key]++
		}
	}
	return func(f Finding) bool {
		left[f.Key()]--
		return left[f.Key()] >= 0
	}
}
