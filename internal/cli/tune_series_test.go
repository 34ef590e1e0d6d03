package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/tune"
)

const probedText = `
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: server
    image: registry.example/web
    ports: [{name: http, containerPort: 8080}]
    readinessProbe: {httpGet: {path: %s, port: http}, periodSeconds: 2}
    livenessProbe: {httpGet: {path: %s, port: http}, periodSeconds: 5, failureThreshold: 2}
`

// The stalls that are played, and those of the script, are those of what liveness asks now,
// whatever it asked when they were measured. Those of readiness, of a second, restart nothing.
func TestPredictWhatIsAsked(t *testing.T) {
	window := tune.Window{Seconds: 120, Samples: 2400}
	stalled := window
	stalled.Stalls = []tune.Stall{{Begin: 40, Length: 30}}
	window.Stalls = []tune.Stall{{Begin: 80, Length: 1}}
	series := &tune.Series{Containers: []tune.Container{{Workload: "pod/web", Name: "server", Starts: []tune.Start{{Seconds: 1, How: tune.Alone}}, Endpoints: []tune.Endpoint{
		{Probes: []string{"liveness"}, Request: tune.Request{Text: "GET :http/livez"}, Windows: []tune.Window{stalled}},
		{Probes: []string{"readiness"}, Request: tune.Request{Text: "GET :http/readyz"}, Windows: []tune.Window{window}},
	}}}}
	lengths := regexp.MustCompile(`for: [0-9.]+s`)
	for name, c := range map[string]struct {
		readiness, liveness string
		restarts            float64
		script              string // how long its faults are
		none                string
	}{
		"as it was measured":    {"/readyz", "/livez", 1, "for: 30.000s", ""},
		"each asks the other's": {"/livez", "/readyz", 0, "for: 1.000s", ""},
		"another path":          {"/readyz", "/healthz", 0, "", "nothing was measured of what liveness asks in pod/web, container server"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "app.yaml")
			if err := os.WriteFile(file, fmt.Appendf(nil, probedText, c.readiness, c.liveness), 0o600); err != nil {
				t.Fatal(err)
			}
			manifests, err := advisor.Read(nil, nil, file)
			if err != nil {
				t.Fatal(err)
			}
			run := &tuneRun{manifests: manifests, series: series}
			p := run.predict(manifests)
			if p.None != c.none || c.none == "" && (p.Restarts.Most == nil || float64(*p.Restarts.Most) != c.restarts) {
				t.Errorf("got %+v, %s, want %v restarts, %q", p, p.Restarts, c.restarts, c.none)
			}
			text, _ := run.seriesNow().Script()
			if faults := strings.Join(lengths.FindAllString(text, -1), " "); faults != c.script {
				t.Errorf("the faults of the script have %q, want %q:\n%s", faults, c.script, text)
			}
		})
	}
}

// What a probe asks is what --env says, as in the measurement, also in the command that is printed.
func TestTuneTakesEnv(t *testing.T) {
	file := filepath.Join(t.TempDir(), "compose.yaml")
	text := "services: {web: {image: registry.example/web, healthcheck: {test: [CMD, ask, '${TUNED_PORT}']}}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run := &tuneRun{tuneFlags: tuneFlags{env: envFlags{values: []string{"TUNED_PORT=8081"}}, out: "series.json.gz"}, paths: []string{file}}
	if err := run.prepare(); err != nil {
		t.Fatal(err)
	}
	if got := requestsOf(run.manifests.Workloads[0].Containers[0])["readiness"].Text; got != "exec ask 8081" {
		t.Errorf("readiness asks %q, want exec ask 8081", got)
	}
	run.advice = []*tune.Advice{{Choices: []tune.Choice{{Probe: "readiness"}}}}
	if commands := run.next(prediction{}, true); !strings.HasSuffix(commands[0], " --env TUNED_PORT --write") {
		t.Errorf("commands %q, the first without what it needs", commands)
	}
}

// What is asked is known by the port's number, too, in a manifest as in a cluster.
func TestRequestsOf(t *testing.T) {
	file := filepath.Join(t.TempDir(), "app.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, probedText, "/readyz", "/livez"), 0o600); err != nil {
		t.Fatal(err)
	}
	manifests, err := advisor.Read(nil, nil, file)
	if err != nil {
		t.Fatal(err)
	}
	want := tune.Request{Text: "GET :http/livez", Resolved: "GET :8080/livez"}
	if got := requestsOf(manifests.Workloads[0].Containers[0])["liveness"]; got != want {
		t.Errorf("liveness asks %+v, want %+v", got, want)
	}
}

// A container that was not measured at all, as nothing of a DaemonSet is, leaves the others their
// prediction, which names it.
func TestPredictBesideUnmeasured(t *testing.T) {
	const agent = `
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: registry.example/agent, livenessProbe: {tcpSocket: {port: 9000}}}]}
`
	measured := []tune.Container{{Workload: "pod/web", Name: "server", Endpoints: []tune.Endpoint{
		{Probes: []string{"liveness"}, Request: tune.Request{Text: "GET :http/livez"}, Windows: []tune.Window{{Seconds: 120, Samples: 2400, Stalls: []tune.Stall{{Begin: 40, Length: 30}}}}},
	}}}
	counted := tune.Container{Workload: "daemonset/agent", Name: "agent", Starts: []tune.Start{{Seconds: 1, How: tune.Live}}}
	for name, c := range map[string]struct {
		series []tune.Container
		want   string
	}{
		"beside one that was":     {measured, "1 restarts in 3 min with the stalls that were measured and the numbers above, at any phase of the probes; nothing was measured of what liveness asks in daemonset/agent, container agent, so there it is taken to be answered always"},
		"counted by a cluster":    {append(measured, counted), "nothing was measured of what liveness asks in daemonset/agent, container agent, so there it is taken to be answered always"},
		"beside none":             {nil, "cannot be simulated: nothing was measured of what liveness asks in pod/web, container server"},
		"as a cluster knows both": {[]tune.Container{{Workload: "pod/web", Name: "server"}, counted}, "cannot be simulated: nothing was measured"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "app.yaml")
			if err := os.WriteFile(file, fmt.Appendf(nil, probedText+agent, "/readyz", "/livez"), 0o600); err != nil {
				t.Fatal(err)
			}
			manifests, err := advisor.Read(nil, nil, file)
			if err != nil {
				t.Fatal(err)
			}
			run := &tuneRun{manifests: manifests, series: &tune.Series{Containers: c.series}, advice: []*tune.Advice{{Choices: []tune.Choice{{Probe: "liveness"}}}}}
			var out strings.Builder
			if err := run.printText(&out, run.predict(manifests), false); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(strings.Fields(out.String()), " "); !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A series that is there is replaced by one that is whole, and kept.
func TestReplaceFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "series.json.gz")
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	for _, c := range []struct{ write, kept, before string }{{"one", "", ""}, {"one", "", ""}, {"two", path + "~", "one"}, {"three", path + "~", "two"}} {
		kept, err := replaceFile(path, text(c.write))
		if err != nil || kept != c.kept {
			t.Fatalf("%s: kept %q (%v), want %q", c.write, kept, err, c.kept)
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != c.write {
			t.Errorf("%s: the file has %q (%v)", c.write, now, err)
		}
		if before, err := os.ReadFile(path + "~"); string(before) != c.before || err != nil && c.before != "" {
			t.Errorf("%s: before it was %q (%v), want %q", c.write, before, err, c.before)
		}
	}
	if _, err := replaceFile(path, func(io.Writer) error { return errors.New("full") }); err == nil {
		t.Error("a series that cannot be written is no error")
	}
	if now, _ := os.ReadFile(path); string(now) != "three" {
		t.Errorf("what could not be replaced is %q", now)
	}
}
