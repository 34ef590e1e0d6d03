package render

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"slices"

	"github.com/probity-run/probity/internal/advisor"
)

// The part of SARIF 2.1.0 that a linter needs.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name            string      `json:"name"`
		SemanticVersion string      `json:"version,omitempty"`
		Rules           []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string        `json:"id"`
		ShortDescription sarifText     `json:"shortDescription"`
		FullDescription  sarifText     `json:"fullDescription"`
		Help             sarifText     `json:"help"`
		Default          sarifSeverity `json:"defaultConfiguration"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifSeverity struct {
		Level string `json:"level"`
	}
	sarifResult struct {
		RuleID        string             `json:"ruleId"`
		RuleIndex     int                `json:"ruleIndex"`
		Level         string             `json:"level"`
		Message       sarifText          `json:"message"`
		Locations     []sarifLocation    `json:"locations"`
		Fingerprints  map[string]string  `json:"partialFingerprints"`
		Suppressions  []sarifSuppression `json:"suppressions,omitempty"`
		BaselineState string             `json:"baselineState,omitempty"`
		Properties    sarifProperties    `json:"properties"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int        `json:"startLine"`
		StartColumn int        `json:"startColumn"`
		EndLine     int        `json:"endLine"`
		EndColumn   int        `json:"endColumn"`
		Snippet     *sarifText `json:"snippet,omitempty"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
	sarifProperties struct {
		Severity advisor.Severity `json:"severity"`
		Patch    string           `json:"patch,omitempty"`
		Effect   string           `json:"effect,omitempty"`
		Simulate string           `json:"simulate,omitempty"`
	}
)

// SARIF is for code scanning: version 2.1.0, with columns in Unicode characters. What is accepted
// or known is there and marked as such.
func SARIF(w io.Writer, r *advisor.Report, o Options) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "probity check", SemanticVersion: o.Version}}, ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	for _, rule := range r.Rules {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{rule.ID, sarifText{rule.Doc.Title}, sarifText{rule.Doc.Consequence},
			sarifText{rule.Doc.Remedy}, sarifSeverity{level(rule.Severity)}})
	}
	for _, f := range r.Findings {
		run.Results = append(run.Results, sarifOf(f, r.Rules))
	}
	for _, f := range r.Accepted {
		result := sarifOf(f, r.Rules)
		result.Suppressions = []sarifSuppression{{"inSource", f.Suppressed}}
		run.Results = append(run.Results, result)
	}
	for _, f := range r.Known {
		result := sarifOf(f, r.Rules)
		result.BaselineState = "unchanged"
		run.Results = append(run.Results, result)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(sarifLog{"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func sarifOf(f advisor.Finding, rules []advisor.Rule) sarifResult {
	region := sarifRegion{StartLine: max(f.Region.Line, 1), StartColumn: max(f.Region.Column, 1), EndLine: max(f.Region.EndLine, 1), EndColumn: max(f.Region.EndColumn, 1)}
	if f.Source != "" {
		region.Snippet = &sarifText{f.Source}
	}
	key := sha256.Sum256([]byte(f.Key()))
	result := sarifResult{
		RuleID:       f.Rule,
		RuleIndex:    slices.IndexFunc(rules, func(r advisor.Rule) bool { return r.ID == f.Rule }),
		Level:        level(f.Severity),
		Message:      sarifText{sentence(f)},
		Fingerprints: map[string]string{"probityKey/v1": hex.EncodeToString(key[:16])},
		Properties:   sarifProperties{Severity: f.Severity, Simulate: f.Simulation()},
		Locations: []sarifLocation{{sarifPhysical{sarifArtifact{uri(f.Region.File)}, region},
			[]sarifLogical{{f.Object.Kind + "/" + f.Object.Namespace + "/" + f.Object.Name + ":" + f.Field}}}},
	}
	if f.Patch != nil {
		result.Properties.Patch, result.Properties.Effect = f.Patch.Summary, f.Patch.Effect
	}
	return result
}

// uri is a file's name as a relative reference, or a file URI if it is absolute.
func uri(file string) string {
	if file == advisor.StdinName {
		return "stdin"
	}
	u := url.URL{Path: filepath.ToSlash(file)}
	if filepath.IsAbs(file) {
		u.Scheme = "file"
	}
	return u.String()
}

func level(s advisor.Severity) string {
	switch s {
	case advisor.Outage, advisor.Risk:
		return "error"
	case advisor.Waste:
		return "warning"
	}
	return "note"
}
