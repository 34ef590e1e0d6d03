package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/rules"
)

// TestScenariosShow plays what the see: line of each finding says, for the fixtures of all rules:
// the command runs, and a probe acts in it. Each fixture is played as it is, where a fault has to
// name its workload, and each workload in a file of its own, with the Services.
func TestScenariosShow(t *testing.T) {
	fixtures, err := filepath.Glob("../advisor/rules/*/testdata/*.yaml")
	if err != nil || len(fixtures) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	shown := map[string]bool{}
	for _, fixture := range fixtures {
		for i, text := range eachWorkload(t, fixture) {
			file := filepath.Join(t.TempDir(), "app.yaml")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			m, err := advisor.Read(nil, nil, file)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range advisor.Check(m, rules.All()) {
				if f.Scenario == "" {
					continue
				}
				shown[f.Rule] = true
				t.Run(filepath.ToSlash(strings.TrimPrefix(fixture, "../advisor/rules/"))+"/"+f.Object.Name, func(t *testing.T) {
					if p := playScenario(t, file, f.Scenario); !p.shows(f) {
						t.Errorf("%s, workload %d: simulate %s does not show it: %+v", f.Rule, i, f.Scenario, p)
					}
				})
			}
		}
	}
	if len(shown) < 12 {
		t.Errorf("only %d rules have scenarios: %v", len(shown), shown)
	}
}

// eachWorkload splits a file into one text for each object that is no Service, each with the
// Services. If there are several, the whole comes last.
func eachWorkload(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var workloads, services []string
	for doc := range strings.SplitSeq(string(data), "\n---\n") {
		if strings.Contains(doc, "kind: Service\n") {
			services = append(services, doc)
		} else {
			workloads = append(workloads, doc)
		}
	}
	for i := range workloads {
		workloads[i] = strings.Join(append([]string{workloads[i]}, services...), "\n---\n")
	}
	if len(workloads) > 1 {
		workloads = append(workloads, string(data))
	}
	return workloads
}

// played is what a test needs of a simulation's summary.
type played struct {
	Restarts int
	// of a simulation at any phase of the probes: a matter of luck shows at some only
	AnyPhase struct{ Restarts struct{ Most int } }
	Faults   []struct{ Restarted, Drained *float64 }
	Late     []struct{ Workload string }
}

func playScenario(t *testing.T, file, scenario string) played {
	t.Helper()
	var out, problems bytes.Buffer
	args := append([]string{"simulate", file, "-o", "json"}, strings.Fields(scenario)...)
	if code := Main(context.Background(), Streams{Out: &out, Err: &problems}, args); code != 0 {
		t.Fatalf("probity %v exits with %d: %s", args, code, &problems)
	}
	var result struct{ Summary played }
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		t.Fatal(err)
	}
	return result.Summary
}

// shows reports whether the consequence that the finding is about came: a late rollout, a restart
// by liveness or at the start, a Pod out of rotation.
func (p played) shows(f advisor.Finding) bool {
	switch {
	case strings.HasSuffix(f.Field, "progressDeadlineSeconds"):
		return len(p.Late) > 0
	case strings.Contains(f.Field, "readinessProbe"):
		return slices.ContainsFunc(p.Faults, func(f struct{ Restarted, Drained *float64 }) bool { return f.Drained != nil })
	}
	return max(p.Restarts, p.AnyPhase.Restarts.Most) > 0
}
