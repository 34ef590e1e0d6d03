package advisor

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// baselineVersion is the form of the file.
const baselineVersion = 1

// A Baseline lists findings that are known, so that only new ones count. Lines and files do not
// matter: a finding stays known when the manifest around it changes or moves.
type Baseline struct {
	Version int `json:"version"`
	// Findings are [Finding.Key]s, sorted; one that is there twice is known twice.
	Findings []string `json:"findings"`
}

// NewBaseline knows these findings.
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

// Write writes it as JSON, a line per finding.
func (b *Baseline) Write(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(b)
}

// filter returns a function that says of each finding, asked once, whether it is known.
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
