package fix_test

import (
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
			"        # both the same\n        livenessProbe:\n          failureThreshold: 5\n          # why\n          httpGet: {path: /r, port: 8080}\n        readinessProbe: {httpGet: {path: /r, port: 8080}}\n",
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
			"        startupProbe:\n          httpGet:\n            path: /l\n            port: 8080\n          periodSeconds: 10\n          timeoutSeconds: 1\n          failureThreshold: 11\n        livenessProbe:\n          httpGet: {path: /l, port: 8080}\n          # slow\n        readinessProbe: {httpGet: {path: /r, port: 8080}}\n",
		},
		"a script of several lines, beside a probe in block style": {
			"        # is it alive\n        livenessProbe:\n          exec:\n            command:\n            - sh\n            - -c\n            - |\n              # two\n\n              test -f \"/x\" && y\n" +
				"          initialDelaySeconds: 100 # slow\n        readinessProbe: {httpGet: {path: /r, port: 8080}}\n",
			"        startupProbe:\n          exec:\n            command:\n            - \"sh\"\n            - \"-c\"\n            - |\n              # two\n\n              test -f \"/x\" && y\n" +
				"          periodSeconds: 10\n          timeoutSeconds: 1\n          failureThreshold: 11\n" +
				"        # is it alive\n        livenessProbe:\n          exec:\n            command:\n            - sh\n            - -c\n            - |\n              # two\n\n              test -f \"/x\" && y\n" +
				"          # slow\n        readinessProbe: {httpGet: {path: /r, port: 8080}}\n",
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
			out := fixed(t, text)
			if diff := cmp.Diff(deployment(c.after), out); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if again := check(t, out); len(again) > 0 {
				t.Errorf("after the fix there is still %v", again)
			}
		})
	}
}

// A value that an anchor shares is not changed behind the reader's back, and nothing else of that
// patch is.
func TestTextSkipsAnchors(t *testing.T) {
	text := deployment("        livenessProbe: &p {httpGet: {path: /r, port: 8080}}\n        readinessProbe: *p\n")
	out, applied, skipped := fix.Text([]byte(text), check(t, text))
	if len(applied) != 0 || len(skipped) != 1 || string(out) != text {
		t.Errorf("applied %v, skipped %v", applied, skipped)
	}
}

// Items of a List are found by their place.
func TestTextInList(t *testing.T) {
	text := "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n  spec:\n    containers:\n    - {name: a, image: a, livenessProbe: {tcpSocket: {port: 1}, successThreshold: 2}}\n"
	out, applied, _ := fix.Text([]byte(text), check(t, text))
	if want := strings.Replace(text, "successThreshold: 2", "successThreshold: 1", 1); len(applied) != 1 || string(out) != want {
		t.Errorf("applied %v:\n%s", applied, out)
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

// fixed applies all patches to a text.
func fixed(t *testing.T, text string) string {
	t.Helper()
	m, err := advisortest.Parse("app.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r := fix.All(m, judge)
	if len(r.Skipped) > 0 {
		t.Errorf("skipped %v", r.Skipped)
	}
	return string(r.Manifests.Text("app.yaml"))
}

func judge(m *advisor.Manifests) []advisor.Finding {
	return advisor.NewReport(m, rules.All(), nil).Findings
}
