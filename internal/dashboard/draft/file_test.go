package draft

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWrite: only what was changed is another text, and the file says then what was typed.
func TestWrite(t *testing.T) {
	for name, c := range map[string]struct {
		typed    Values
		replaced []string // old and new in turn
	}{
		"nothing": {nil, nil},
		"numbers": {Values{"livenessProbe.periodSeconds": "10", "livenessProbe.timeoutSeconds": "2", "livenessProbe.failureThreshold": ""}, []string{
			"          httpGet: {path: /livez, port: http}\n          periodSeconds: 3 # often\n          failureThreshold: 3\n",
			"          timeoutSeconds: 2\n          httpGet: {path: /livez, port: http}\n          periodSeconds: 10 # often\n"}},
		"a path in braces": {Values{"livenessProbe.httpGet.path": "/alive"}, []string{"path: /livez", "path: /alive"}},
		"a port":           {Values{"readinessProbe.httpGet.port": "8081"}, []string{"path: /readyz\n            port: http", "path: /readyz\n            port: 8081"}},
		"another handler": {Values{"readinessProbe.handler": TCP, "readinessProbe.tcpSocket.port": "http"}, []string{
			"          httpGet:\n            path: /readyz\n            port: http\n          periodSeconds: 2\n", "          tcpSocket:\n            port: http\n          periodSeconds: 2\n"}},
		"no probe": {Values{"readinessProbe.handler": ""}, []string{
			"        readinessProbe:\n          httpGet:\n            path: /readyz\n            port: http\n          periodSeconds: 2\n", ""}},
		"a new probe": {Values{"startupProbe.handler": HTTP, "startupProbe.httpGet.path": "/startupz", "startupProbe.httpGet.port": "http", "startupProbe.failureThreshold": "30"}, []string{
			"        # is it stuck?\n", "        startupProbe:\n          httpGet:\n            path: /startupz\n            port: http\n          failureThreshold: 30\n        # is it stuck?\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := workload(t, calculator)
			f, err := w.Open("app.yaml", []byte("# ours\n"+calculator))
			if err != nil {
				t.Fatal(err)
			}
			d := typed(t, w, c.typed)
			got, err := f.Write(d.Values)
			if err != nil {
				t.Fatal(err)
			}
			want := "# ours\n" + calculator
			for i := 0; i < len(c.replaced); i += 2 {
				want = strings.Replace(want, c.replaced[i], c.replaced[i+1], 1)
			}
			if diff := cmp.Diff(want, string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			again, err := w.Open("app.yaml", got)
			if err != nil {
				t.Fatal(err)
			}
			if differs := again.Otherwise(d.Values); len(differs) > 0 {
				t.Errorf("the file still says %q", differs)
			}
		})
	}
}

func TestWriteCommand(t *testing.T) {
	const text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: a\n    livenessProbe:\n      exec:\n        command:\n        - cat\n        - /tmp/a b\n      periodSeconds: 5\n"
	w := workload(t, text)
	f, err := w.Open("a.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Write(typed(t, w, Values{"livenessProbe.exec.command": "test -f '/tmp/c d'"}).Values)
	if want := strings.Replace(text, "exec:\n        command:\n        - cat\n        - /tmp/a b", "exec:\n        command: [test, \"-f\", \"/tmp/c d\"]", 1); err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, cmp.Diff(want, string(got)))
	}
}

func TestOtherwise(t *testing.T) {
	w := workload(t, calculator)
	f, err := w.Open("app.yaml", []byte(calculator))
	if err != nil || f.Line != 12 {
		t.Fatalf("line %d, %v", f.Line, err)
	}
	d := typed(t, w, Values{"livenessProbe.periodSeconds": "10", "livenessProbe.timeoutSeconds": "2", "readinessProbe.handler": ""})
	want := []string{"readiness: httpGet", "liveness periodSeconds: 3", "liveness timeoutSeconds: 1 (default)"}
	if diff := cmp.Diff(want, f.Otherwise(d.Values)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := w.Open("app.yaml", []byte(strings.Replace(calculator, "name: calculator", "name: other", 1))); err == nil {
		t.Error("another file has it too")
	}
}
