package render_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/advisortest"
	"github.com/probity-run/probity/internal/advisor/render"
	"github.com/probity-run/probity/internal/advisor/rules"
)

// manifest has a finding with a patch and a scenario, an accepted one, and a line with characters
// of more than one byte.
const manifest = `apiVersion: v1
kind: Pod
metadata:
  name: web
  annotations: {probity.run/ignore.timeout-ge-period: "the app, 50% of the time, needs it"}
spec:
  containers:
  - name: app
    image: web
    livenessProbe: {exec: {command: ["ök"]}, failureThreshold: 1}
    readinessProbe: {exec: {command: [ready]}, timeoutSeconds: 11}
`

func write(t *testing.T, format string) string {
	t.Helper()
	m, err := advisortest.Parse("k8s/a b.yaml", []byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	writer, err := render.For(format)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := writer(&out, advisor.NewReport(m, rules.All(), nil), render.Options{Version: "v1.2.3"}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestText(t *testing.T) {
	want := `k8s/a b.yaml:10:64: risk: liveness-threshold-too-low
  Pod web, container app: a single answer that takes more than 1 s restarts the container: nothing slower than that may ever happen to it, not even once
    10 |     livenessProbe: {exec: {command: ["ök"]}, failureThreshold: 1}
       |                                                                ^
  fix: livenessProbe.failureThreshold: 3
  then liveness notices a hang after 21 to 31 s instead of 1 to 11, with 26 false alarms instead of 260000 a month (100 replicas, one answer in 100 late)
  see: probity simulate 'k8s/a b.yaml' --fault hang@60s+12s
`
	if diff := cmp.Diff(want, write(t, "text")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestGitHub(t *testing.T) {
	want := "::error file=k8s/a b.yaml,line=10,endLine=10,col=64,endColumn=65,title=risk%3A liveness-threshold-too-low::Pod web, container app: a single answer that takes more than 1 s " +
		"restarts the container: nothing slower than that may ever happen to it, not even once%0Afix: livenessProbe.failureThreshold: 3" +
		"%0Athen liveness notices a hang after 21 to 31 s instead of 1 to 11, with 26 false alarms instead of 260000 a month (100 replicas, one answer in 100 late)\n"
	if diff := cmp.Diff(want, write(t, "github")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestGitLab(t *testing.T) {
	var issues []map[string]any
	if err := json.Unmarshal([]byte(write(t, "gitlab")), &issues); err != nil {
		t.Fatal(err)
	}
	if len(issues) != 1 {
		t.Fatalf("%d issues", len(issues))
	}
	if fingerprint, ok := issues[0]["fingerprint"].(string); !ok || len(fingerprint) != 32 {
		t.Errorf("the fingerprint is %v", issues[0]["fingerprint"])
	}
	delete(issues[0], "fingerprint")
	want := map[string]any{"check_name": "liveness-threshold-too-low", "severity": "major",
		"location": map[string]any{"path": "k8s/a b.yaml", "lines": map[string]any{"begin": 10.0, "end": 10.0}},
		"description": "Pod web, container app: a single answer that takes more than 1 s restarts the container: nothing slower than that may ever happen to it, not even once\n" +
			"fix: livenessProbe.failureThreshold: 3\n" +
			"then liveness notices a hang after 21 to 31 s instead of 1 to 11, with 26 false alarms instead of 260000 a month (100 replicas, one answer in 100 late)"}
	if diff := cmp.Diff(want, issues[0]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestGitLabFingerprints: two findings with one key, as of two objects of one name, are two issues.
func TestGitLabFingerprints(t *testing.T) {
	finding := advisor.Finding{Rule: "no-drain", Severity: advisor.Style, Region: advisor.Region{File: "a.yaml"}}
	var out bytes.Buffer
	if err := render.GitLab(&out, &advisor.Report{Findings: []advisor.Finding{finding, finding}}, render.Options{}); err != nil {
		t.Fatal(err)
	}
	var issues []struct{ Fingerprint, Severity string }
	if err := json.Unmarshal(out.Bytes(), &issues); err != nil {
		t.Fatal(err)
	}
	if len(issues) != 2 || issues[0].Fingerprint == issues[1].Fingerprint || issues[0].Severity != "info" {
		t.Errorf("issues: %+v", issues)
	}
}

func TestJSON(t *testing.T) {
	var got struct {
		Version, Workloads int
		Findings, Accepted []map[string]any
		Known              []any
	}
	if err := json.Unmarshal([]byte(write(t, "json")), &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != 1 || got.Workloads != 1 || len(got.Findings) != 1 || len(got.Accepted) != 1 || got.Known == nil {
		t.Fatalf("got %+v", got)
	}
	want := map[string]any{"rule": "liveness-threshold-too-low", "severity": "risk", "file": "k8s/a b.yaml", "line": 10.0, "column": 64.0, "endLine": 10.0, "endColumn": 65.0,
		"kind": "Pod", "namespace": "default", "name": "web", "container": "app", "field": "spec.containers[0].livenessProbe.failureThreshold",
		"source":   `    livenessProbe: {exec: {command: ["ök"]}, failureThreshold: 1}`,
		"message":  "a single answer that takes more than 1 s restarts the container: nothing slower than that may ever happen to it, not even once",
		"simulate": "probity simulate 'k8s/a b.yaml' --fault hang@60s+12s",
		"patch": map[string]any{"summary": "livenessProbe.failureThreshold: 3",
			"effect": "liveness notices a hang after 21 to 31 s instead of 1 to 11, with 26 false alarms instead of 260000 a month (100 replicas, one answer in 100 late)",
			"edits":  []any{map[string]any{"field": "spec.containers[0].livenessProbe.failureThreshold", "value": "3"}}}}
	if diff := cmp.Diff(want, got.Findings[0]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if reason := got.Accepted[0]["suppressed"]; reason != "the app, 50% of the time, needs it" {
		t.Errorf("accepted because of %q", reason)
	}
}

// The parts of SARIF 2.1.0 that consumers stumble over: indices, one-based regions, URIs, levels,
// suppressions.
func TestSARIF(t *testing.T) {
	var log struct {
		Schema  string `json:"$schema"`
		Version string
		Runs    []struct {
			ColumnKind string
			Tool       struct {
				Driver struct {
					Name, Version string
					Rules         []struct{ ID string }
				}
			}
			Results []struct {
				RuleID       string
				RuleIndex    int
				Level        string
				Message      struct{ Text string }
				Suppressions []struct{ Kind, Justification string }
				Fingerprints map[string]string `json:"partialFingerprints"`
				Locations    []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn, EndLine, EndColumn int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(write(t, "sarif")), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || !strings.HasSuffix(log.Schema, "sarif-schema-2.1.0.json") || run.ColumnKind != "unicodeCodePoints" || run.Tool.Driver.Version != "v1.2.3" {
		t.Errorf("head: %+v", log)
	}
	if len(run.Results) != 2 || len(run.Tool.Driver.Rules) != len(rules.All()) {
		t.Fatalf("%d results, %d rules", len(run.Results), len(run.Tool.Driver.Rules))
	}
	for i, want := range []struct{ rule, level, reason string }{{"liveness-threshold-too-low", "error", ""}, {"timeout-ge-period", "warning", "the app, 50% of the time, needs it"}} {
		got := run.Results[i]
		if got.RuleID != want.rule || run.Tool.Driver.Rules[got.RuleIndex].ID != want.rule || got.Level != want.level || got.Message.Text == "" || len(got.Fingerprints) != 1 {
			t.Errorf("result %d: %+v", i, got)
		}
		if suppressed := len(got.Suppressions) == 1 && got.Suppressions[0].Kind == "inSource" && got.Suppressions[0].Justification == want.reason; suppressed != (want.reason != "") {
			t.Errorf("result %d: suppressions %+v", i, got.Suppressions)
		}
	}
	at := run.Results[0].Locations[0].PhysicalLocation
	if r := at.Region; at.ArtifactLocation.URI != "k8s/a%20b.yaml" || r.StartLine != 10 || r.StartColumn != 64 || r.EndLine != 10 || r.EndColumn != 65 {
		t.Errorf("location %+v", at)
	}
}

func TestJUnit(t *testing.T) {
	var got struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Suites   []struct {
			Name  string `xml:"name,attr"`
			Cases []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Type string `xml:"type,attr"`
				} `xml:"failure"`
				Skipped *struct {
					Message string `xml:"message,attr"`
				} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(write(t, "junit")), &got); err != nil {
		t.Fatal(err)
	}
	if got.Tests != 2 || got.Failures != 1 || len(got.Suites) != 1 || len(got.Suites[0].Cases) != 2 {
		t.Fatalf("got %+v", got)
	}
	first, second := got.Suites[0].Cases[0], got.Suites[0].Cases[1]
	if first.Failure == nil || first.Failure.Type != "risk" || second.Skipped == nil || !strings.HasPrefix(second.Skipped.Message, "accepted: ") {
		t.Errorf("cases %+v, %+v", first, second)
	}
}

// What a manifest says must not write lines of its own, nor move the cursor.
func TestControlCharacters(t *testing.T) {
	text := strings.Replace(manifest, "name: app", `name: "a\n::error::x\e[2J"`, 1)
	m, err := advisortest.Parse("a.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range render.Formats() {
		writer, err := render.For(format)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := writer(&out, advisor.NewReport(m, rules.All(), nil), render.Options{}); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		if strings.Contains(out.String(), "\n::error::x") || strings.Contains(out.String(), "\x1b") {
			t.Errorf("%s lets control characters through:\n%s", format, out.String())
		}
	}
}

func TestFormats(t *testing.T) {
	if _, err := render.For("xml"); err == nil || !strings.Contains(err.Error(), "text, json, sarif, junit, github, gitlab") {
		t.Errorf("error is %v", err)
	}
}

func TestSummary(t *testing.T) {
	m, err := advisortest.Parse("a.yaml", []byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := render.Summary(advisor.NewReport(m, rules.All(), nil)), "1 finding (1 risk) in 1 workload of 1 file, 1 accepted by annotation"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
}
