package advisor_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/advisortest"
	"github.com/probity-run/probity/internal/advisor/rules"
	"github.com/probity-run/probity/internal/manifest"
)

// Whatever a run refuses in an object has a finding at its place, also where a rule of the probes
// covers another one, and no slip has two.
func TestEverythingRefusedIsFound(t *testing.T) {
	for name, container := range map[string]string{
		"a field that is covered":  "livenessProbe: {tcpSocket: {port: 80}, failureTreshold: 4, periodSeconds: x}",
		"two probes":               "livenessProbe: {tcpSocket: {port: 80}, successThreshold: 2}, readinessProbe: {tcpSocket: {port: 80000}, timeoutSeconds: -1}",
		"a probe twice":            "livenessProbe: {tcpSocket: {port: 80}}, livenessProbe: {tcpSocket: {port: 80}, successThreshold: 3}",
		"a sleep that is too long": "lifecycle: {preStop: {sleep: {seconds: 90}}}, ports: [{containerPort: 0}]",
		"no handler":               "livenessProbe: {periodSeconds: 5}, imagePullPolicy: never",
		"a template in a probe":    "livenessProbe: {tcpSocket: {port: {{ .Values.port }}}}",
		"an unknown handler":       "livenessProbe: {http: {port: 80}}, command: x",
		"a name twice":             "name: b",
	} {
		t.Run(name, func(t *testing.T) {
			text := "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a, " + container + "}]}\n"
			_, refused := manifest.Load(manifest.Options{Stdin: strings.NewReader(text)}, "-")
			m, err := advisortest.Parse("<stdin>", []byte(text))
			if refused == nil || err != nil {
				t.Fatalf("refused: %v; %v", refused, err)
			}
			findings := advisor.Check(m, rules.All())
			places := map[string]int{}
			for _, f := range findings {
				if f.Severity == advisor.Outage {
					places[advisor.Position{File: f.Region.File, Line: f.Region.Line, Column: f.Region.Column}.String()]++
				}
			}
			list, _ := errors.AsType[manifest.Errors](refused)
			for _, e := range list {
				want := advisor.Outage
				if e.Reason == manifest.ReasonDuplicateField { // kubectl takes it
					want = advisor.Risk
				}
				if !slices.ContainsFunc(findings, func(f advisor.Finding) bool {
					at := advisor.Position{File: f.Region.File, Line: f.Region.Line, Column: f.Region.Column}
					return f.Severity == want && (at == e.Position || strings.HasPrefix(f.Field, e.Field))
				}) {
					t.Errorf("a run refuses\n%s\nand check finds\n%v", e, findings)
				}
			}
			for at, n := range places {
				if n > 1 {
					t.Errorf("%d findings at %s: %v", n, at, findings)
				}
			}
		})
	}
}

// The same slip in two objects is two findings.
func TestSameSlipInTwoObjects(t *testing.T) {
	text := "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80000, targetPort: 80}]}\n"
	m, err := advisortest.Parse("a.yaml", []byte(text+"---\n"+strings.Replace(text, "name: a", "name: b", 1)))
	if err != nil {
		t.Fatal(err)
	}
	findings := advisor.Check(m, rules.All())
	if len(findings) != 2 || findings[0].Object.Name != "a" || findings[1].Object.Name != "b" {
		t.Errorf("found %v", findings)
	}
}

// What is too long to start a program with is found with the ConfigMap that is nearest, and in the
// kinds that a run does not have.
func TestTooLongToStart(t *testing.T) {
	config := func(size int) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: " + strings.Repeat("x", size) + "}\n"
	}
	const job = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\nspec: {schedule: '* * * * *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: " +
		"[{name: a, image: a, env: [{name: A, valueFrom: {configMapKeyRef: {name: c, key: k}}}, {name: B, value: $(A)$(A)}]}]}}}}}\n"
	for name, c := range map[string]struct {
		texts map[string]string
		want  string // "" means nothing
	}{
		"alone":                   {map[string]string{"job.yaml": job}, ""},
		"with a small ConfigMap":  {map[string]string{"job.yaml": job + "---\n" + config(1000)}, ""},
		"with a large one":        {map[string]string{"job.yaml": job + "---\n" + config(100_000)}, "job.yaml:4:208"},
		"with one in its folder":  {map[string]string{"x/job.yaml": job, "x/config.yaml": config(100_000)}, "x/job.yaml:4:208"},
		"with one that is nearer": {map[string]string{"x/job.yaml": job, "config.yaml": config(100_000), "x/config.yaml": config(1)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var sources []advisor.Source
			texts := map[string][]byte{}
			for _, file := range slices.Sorted(maps.Keys(c.texts)) {
				sources = append(sources, advisor.Source{Name: file})
				texts[file] = []byte(c.texts[file])
			}
			m, err := advisor.NewManifests(sources...).With(texts)
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, f := range advisor.Check(m, rules.All()) {
				if f.Rule == advisor.ManifestInvalid {
					found = append(found, advisor.Position{File: f.Region.File, Line: f.Region.Line, Column: f.Region.Column}.String())
				}
			}
			if got := strings.Join(found, " "); got != c.want {
				t.Errorf("found at %q, want %q", got, c.want)
			}
		})
	}
}
