package fix_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/advisortest"
	"github.com/probity-run/probity/internal/advisor/fix"
	"github.com/probity-run/probity/internal/advisor/rules"
)

// deployment wraps a container and has a Service.
func deployment(container string) string {
	return `apiVersion: v1   # comments stay
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: web:1
        ports: [{containerPort: 8080}]
` + container
}

func TestText(t *testing.T) {
	for name, c := range map[string]struct{ before, after string }{
		"set in block style": {
			"        livenessProbe:\n          httpGet: {path: /l, port: 8080}\n          failureThreshold: 1   # strict\n        readinessProbe: {httpGet: {path: /r, port: 8080}}\n",
			"        livenessProbe:\n          httpGet: {path: /l, port: 8080}\n          failureThreshold: 3   # strict\n        readinessProbe: {httpGet: {path: /r, port: 8080}}\n",
		},
		"set in flow style": {
			"        livenessProbe: {httpGet: {path: /l, port: 8080}, failureThreshold: 1, periodSeconds: 9} # x\n        readinessProbe: {httpGet: {path: /r, port: 8080}}\n",
			"        livenessProbe: {httpGet: {path: /l, port: 8080}, failureThreshold: 3, periodSeconds: 9} # x\n        readinessProbe: {httpGet: {path: /r, port: 8080}}\n",
		},
		"insert in block style": {
			"        # both the same\n        livenessProbe:\n          # why\n          httpGet: {path: /r, port: 8080}\n        readinessProbe: {httpGet: {path: /r, port: 8080}}\n",
			"        # both the same\n        livenessProbe:\n          # why\n          failureThreshold: 5\n          httpGet: {path: /r, port: 8080}\n        readinessProbe: {httpGet: {path: /r, port: 8080}}\n",
		},
		"insert in flow style": {
			"        livenessProbe: {httpGet: {path: /r, port: 8080}}\n        readinessProbe: {httpGet: {path: /r, port: 8080}}\n",
			"        livenessProbe: {failureThreshold: 5, httpGet: {path: /r, port: 8080}}\n        readinessProbe: {httpGet: {path: /r, port: 8080}}\n",
		},
		"remove in flow style, set a name without letters": {
			"        livenessProbe: {httpGet: {path: /l, host: other.example, port: 8080}}\n        readinessProbe: {httpGet: {path: /r, port: \"8080\"}}\n",
			"        livenessProbe: {httpGet: {path: /l, port: 8080}}\n        readinessProbe: {httpGet: {path: /r, port: 8080}}\n",
		},
		"remove in block style, and a probe that was not there": {
			"        livenessProbe:\n          httpGet: {path: /l, port: 8080}\n          initialDelaySeconds: 100 # slow\n        readinessProbe: {httpGet: {path: /r, port: 8080}}\n",
			"        livenessProbe:\n          httpGet: {path: /l, port: 8080}\n        readinessProbe: {httpGet: {path: /r, port: 8080}}\n",
		},
		"Windows line breaks": {
			"        livenessProbe:\r\n          httpGet: {path: /r, port: 8080}\r\n        readinessProbe: {httpGet: {path: /r, port: 8080}}\r\n",
			"        livenessProbe:\r\n          failureThreshold: 5\r\n          httpGet: {path: /r, port: 8080}\r\n        readinessProbe: {httpGet: {path: /r, port: 8080}}\r\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := deployment(c.before)
			findings := check(t, text)
			if len(findings) == 0 {
				t.Fatal("no findings to fix")
			}
			out, applied, skipped, err := fix.Text([]byte(text), findings)
			if err != nil || applied != len(findings) || len(skipped) > 0 {
				t.Fatalf("applied %d of %d, skipped %v: %v", applied, len(findings), skipped, err)
			}
			want := deployment(c.after)
			if strings.Contains(c.before, "initialDelay") {
				want = strings.Replace(want, "        image: web:1\n", "        startupProbe: {httpGet: {path: /l, port: 8080}, periodSeconds: 10, timeoutSeconds: 1, failureThreshold: 11}\n        image: web:1\n", 1)
			}
			if diff := cmp.Diff(want, string(out)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if again := check(t, string(out)); len(again) > 0 {
				t.Errorf("after the fix there is still %v", again)
			}
		})
	}
}

// A value that an anchor shares is not changed behind the reader's back, and nothing else of that
// patch is.
func TestTextSkipsAnchors(t *testing.T) {
	text := deployment("        livenessProbe: &p {httpGet: {path: /r, port: 8080}}\n        readinessProbe: *p\n")
	out, applied, skipped, err := fix.Text([]byte(text), check(t, text))
	if err != nil || applied != 0 || len(skipped) != 1 || string(out) != text {
		t.Errorf("applied %d, skipped %v, %v", applied, skipped, err)
	}
}

// Items of a List are found by their place.
func TestTextInList(t *testing.T) {
	text := "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n  spec:\n    containers:\n    - {name: a, image: a, livenessProbe: {tcpSocket: {port: 1}, successThreshold: 2}}\n"
	out, applied, _, err := fix.Text([]byte(text), check(t, text))
	if want := strings.Replace(text, "successThreshold: 2", "successThreshold: 1", 1); err != nil || applied != 1 || string(out) != want {
		t.Errorf("applied %d, %v:\n%s", applied, err, out)
	}
}

func check(t *testing.T, text string) []advisor.Finding {
	t.Helper()
	m, err := advisortest.Parse("app.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return advisor.Check(m, rules.All())
}

// Every patch of every rule's fixtures can be applied, takes its finding away, and brings no new
// one.
func TestFixtures(t *testing.T) {
	files, err := filepath.Glob("../rules/*/testdata/bad.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		t.Run(strings.Split(file, "/")[2], func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			before, left := check(t, string(text)), map[string]int{}
			for _, f := range before {
				if f.Patch == nil {
					left[f.Key()]++
				}
			}
			out, applied, skipped, err := fix.Text(text, before)
			if err != nil || len(skipped) > 0 || applied+len(left) != len(before) {
				t.Fatalf("applied %d of %d, skipped %v: %v", applied, len(before), skipped, err)
			}
			for _, f := range check(t, string(out)) {
				if left[f.Key()]--; left[f.Key()] < 0 {
					t.Errorf("the patches leave or make %s: %s", f.Key(), f.Message)
				}
			}
		})
	}
}
