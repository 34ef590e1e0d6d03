package render

import (
	"encoding/json"
	"io"

	"github.com/probity-run/probity/internal/advisor"
)

// jsonReport is the form of -o json. Fields are only ever added.
type jsonReport struct {
	Version   int           `json:"version"`
	Workloads int           `json:"workloads"`
	Findings  []jsonFinding `json:"findings"`
	Accepted  []jsonFinding `json:"accepted"`
	Known     []jsonFinding `json:"known"`
	// PassedOver is what was not judged: files, folders, documents and objects of other kinds.
	PassedOver []jsonPassedOver `json:"passedOver"`
	// NotSeen is what of a cluster could not be read.
	NotSeen []string `json:"notSeen,omitempty"`
}

type jsonPassedOver struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Reason string `json:"reason"`
}

type jsonFinding struct {
	Rule       string           `json:"rule"`
	Severity   advisor.Severity `json:"severity"`
	File       string           `json:"file"`
	Line       int              `json:"line"`
	Column     int              `json:"column"`
	EndLine    int              `json:"endLine"`
	EndColumn  int              `json:"endColumn"`
	Kind       string           `json:"kind"`
	Namespace  string           `json:"namespace"`
	Name       string           `json:"name"`
	Container  string           `json:"container,omitempty"`
	Field      string           `json:"field"`
	Message    string           `json:"message"`
	Source     string           `json:"source"`
	Patch      *jsonPatch       `json:"patch,omitempty"`
	Simulate   string           `json:"simulate,omitempty"`
	Suppressed string           `json:"suppressed,omitempty"`
	// Original is there if the file is of another format than Kubernetes'.
	Original *jsonOriginal `json:"original,omitempty"`
	// Basis and Seen are of findings in a cluster, whose file is empty.
	Basis advisor.Basis `json:"basis,omitempty"`
	Seen  string        `json:"seen,omitempty"`
}

// jsonOriginal is how the file says the object and the field.
type jsonOriginal struct {
	Format string `json:"format"`
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Field  string `json:"field"`
}

type jsonPatch struct {
	Summary string     `json:"summary"`
	Effect  string     `json:"effect,omitempty"`
	Edits   []jsonEdit `json:"edits"`
}

type jsonEdit struct {
	Field  string `json:"field"`
	Value  string `json:"value,omitempty"`
	Remove bool   `json:"remove,omitempty"`
}

// JSON is for programs: one object.
func JSON(w io.Writer, r *advisor.Report, _ Options) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	passedOver := []jsonPassedOver{}
	for _, p := range PassedOver(r) {
		passedOver = append(passedOver, jsonPassedOver{p.File, p.Line, p.Reason})
	}
	return encoder.Encode(jsonReport{Version: 1, PassedOver: passedOver, NotSeen: r.NotSeen, Workloads: r.Workloads, Findings: jsonFindings(r.Findings), Accepted: jsonFindings(r.Accepted), Known: jsonFindings(r.Known)})
}

func jsonFindings(findings []advisor.Finding) []jsonFinding {
	list := make([]jsonFinding, 0, len(findings))
	for _, f := range findings {
		j := jsonFinding{Rule: f.Rule, Severity: f.Severity, File: f.Region.File, Line: f.Region.Line, Column: f.Region.Column, EndLine: f.Region.EndLine,
			EndColumn: f.Region.EndColumn, Kind: f.Object.Kind, Namespace: f.Object.Namespace, Name: f.Object.Name, Container: f.Container, Field: f.Field,
			Message: f.Message, Source: f.Source, Simulate: f.Simulation(), Suppressed: f.Suppressed, Basis: f.Basis, Seen: f.Seen}
		if o := f.Original; o.Format != "" {
			j.Original = &jsonOriginal{o.Format, o.Object.Kind, o.Object.Name, o.Field}
		}
		if f.Patch != nil {
			j.Patch = &jsonPatch{Summary: f.Patch.Summary, Effect: f.Patch.Effect}
			for _, e := range f.Patch.Edits {
				j.Patch.Edits = append(j.Patch.Edits, jsonEdit{e.Path, e.Value, e.Remove})
			}
		}
		list = append(list, j)
	}
	return list
}
