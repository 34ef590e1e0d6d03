package fix_test

import (
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/advisortest"
	"github.com/probity-run/probity/internal/advisor/fix"
)

// TestRemoveCollection: an object or a list is taken out as a whole, and nothing else.
func TestRemoveCollection(t *testing.T) {
	const liveness = "spec.containers[0].livenessProbe"
	pod := func(probes string) string {
		return "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: a\n" + probes
	}
	for name, c := range map[string]struct {
		before, path, after string
	}{
		"a block": {
			"    livenessProbe: # why\n      # asks itself\n      httpGet:\n        path: /l\n        port: 1\n\n      periodSeconds: 3\n    # of readiness\n    readinessProbe: {tcpSocket: {port: 1}}\n",
			liveness, "    # of readiness\n    readinessProbe: {tcpSocket: {port: 1}}\n",
		},
		"the last block":   {"    livenessProbe:\n      tcpSocket:\n        port: 1\n", liveness, ""},
		"in braces":        {"    livenessProbe: {tcpSocket: {port: 1}} # x\n    tty: true\n", liveness, "    tty: true\n"},
		"within braces":    {"    livenessProbe: {tcpSocket: {port: 1}, periodSeconds: 3}\n", liveness + ".tcpSocket", "    livenessProbe: {periodSeconds: 3}\n"},
		"brackets in text": {"    livenessProbe: {exec: {command: ['a]}', \"b\\\"}\"]}, periodSeconds: 3}\n", liveness + ".exec", "    livenessProbe: {periodSeconds: 3}\n"},
		"a list":           {"    livenessProbe:\n      exec:\n        command:\n        - a\n        - b\n      periodSeconds: 3\n", liveness + ".exec.command", "    livenessProbe:\n      exec:\n      periodSeconds: 3\n"},
		"a script":         {"    livenessProbe:\n      exec:\n        command: [sh, -c, \"x\"]\n      periodSeconds: 3\n", liveness + ".exec", "    livenessProbe:\n      periodSeconds: 3\n"},
	} {
		t.Run(name, func(t *testing.T) {
			text := pod(c.before)
			m, err := advisortest.Parse("a.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			f := m.Workloads[0].Finding("spec", "x")
			f.Patch = &advisor.Patch{Edits: []advisor.Edit{{Path: c.path, Remove: true}}}
			out, _, skipped := fix.Text([]byte(text), []advisor.Finding{f})
			if want := pod(c.after); len(skipped) > 0 || string(out) != want {
				t.Errorf("%v\n%s\nwant\n%s", skipped, out, want)
			}
		})
	}
}

// TestRemoveKeepsAnchors: what others refer to stays.
func TestRemoveKeepsAnchors(t *testing.T) {
	text := "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: a\n    livenessProbe: &p {tcpSocket: {port: 1}}\n    readinessProbe: *p\n"
	m, err := advisortest.Parse("a.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	f := m.Workloads[0].Finding("spec", "x")
	f.Patch = &advisor.Patch{Edits: []advisor.Edit{{Path: "spec.containers[0].livenessProbe", Remove: true}}}
	if out, _, skipped := fix.Text([]byte(text), []advisor.Finding{f}); len(skipped) != 1 || !strings.Contains(skipped[0].Err.Error(), "anchor") || string(out) != text {
		t.Errorf("%v\n%s", skipped, out)
	}
}
