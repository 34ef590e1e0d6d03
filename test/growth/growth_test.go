//go:build !race

package growth

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/fix"
	"github.com/probity-run/probity/internal/advisor/render"
	"github.com/probity-run/probity/internal/advisor/rules"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/simulatetest"
)

// TestCheck: also of what no run would take, as check reads it all the same.
func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		n    int
		text func(n int) string
	}{
		"containers of a Pod":      {1000, func(n int) string { return documents(containersOfAPod(n)) }},
		"ports of a container":     {10000, func(n int) string { return documents(portsOfAContainer(n)) }},
		"variables of a container": {10000, func(n int) string { return documents(variablesOfAContainer(n)) }},
		"ports of a Service":       {4000, func(n int) string { return documents(portsOfAService(n)) }},
		"Pods":                     {2000, func(n int) string { return documents(pods(n)) }},
		"workloads with a Service": {1000, func(n int) string { return documents(workloadsWithServices(n)) }},
		"all of it in one line":    {400, func(n int) string { return line(workloadsWithServices(n)) }},
	} {
		t.Run(name, func(t *testing.T) {
			mustGrowInProportion(t, c.n, func(t *testing.T, n int) func() {
				text := c.text(n)
				return func() {
					m, err := advisor.Read(strings.NewReader(text), nil, "-")
					if err != nil {
						t.Fatal(err)
					}
					report := advisor.NewReport(m, rules.All(), nil)
					if err := render.JSON(io.Discard, report, render.Options{}); err != nil {
						t.Fatal(err)
					}
				}
			})
		})
	}
}

func TestLoad(t *testing.T) {
	for name, c := range map[string]struct {
		n       int
		objects func(n int) []any
	}{
		"containers of a Pod":      {240, containersOfAPod},
		"ports of a container":     {900, portsOfAContainer},
		"variables of a container": {10000, variablesOfAContainer},
		"ports of a Service":       {900, portsOfAService},
		"Pods":                     {900, pods},
		"workloads with a Service": {400, workloadsWithServices},
	} {
		t.Run(name, func(t *testing.T) {
			mustGrowInProportion(t, c.n, func(t *testing.T, n int) func() {
				text := documents(c.objects(n))
				return func() {
					if _, err := manifest.Load(manifest.Options{Stdin: strings.NewReader(text)}, "-"); err != nil {
						t.Fatal(err)
					}
				}
			})
		})
	}
}

func TestSimulate(t *testing.T) {
	for name, faults := range map[string][]string{"quiet": nil, "hanging": {"hang@60s"}, "stalls": {"gc-stall=8s/1m"}, "slow start": {"slow-start=40s"}} {
		t.Run(name, func(t *testing.T) {
			mustGrowInProportion(t, 200, func(t *testing.T, n int) func() {
				objects := simulatetest.Objects(t, documents([]any{deployment("web", n), service("web", 1)}))
				sc := simulatetest.Script(t, faults...)
				return func() {
					if _, err := simulate.Run(objects, sc, simulate.Options{Horizon: 5 * time.Minute, NoTimeline: true}); err != nil {
						t.Fatal(err)
					}
				}
			})
		})
	}
}

// TestFix: the larger the list, the more patches it gets.
func TestFix(t *testing.T) {
	for name, c := range map[string]struct {
		n    int
		text func(n int) string
	}{
		"a list":          {100, func(n int) string { return documents(list(workloadsWithServices(n))) }},
		"a list, in YAML": {100, func(n int) string { return inYAML(list(workloadsWithServices(n))) }},
		"a line":          {100, func(n int) string { return line(workloadsWithServices(n)) }},
	} {
		t.Run(name, func(t *testing.T) {
			mustGrowInProportion(t, c.n, func(t *testing.T, n int) func() {
				text := c.text(n)
				return func() { mustFix(t, text, n) }
			})
		})
	}
}

// mustFix fails unless something of each of n workloads is fixed.
func mustFix(t *testing.T, text string, n int) {
	t.Helper()
	m, err := advisor.Read(strings.NewReader(text), nil, "-")
	if err != nil {
		t.Fatal(err)
	}
	findings := 0
	r := fix.All(m, func(m *advisor.Manifests) []advisor.Finding {
		found := advisor.NewReport(m, rules.All(), nil).Findings
		findings = max(findings, len(found))
		return found
	})
	if left := len(advisor.NewReport(r.Manifests, rules.All(), nil).Findings); findings-left < n {
		t.Fatalf("%d of %d findings are fixed, want one a workload", findings-left, findings)
	}
}
