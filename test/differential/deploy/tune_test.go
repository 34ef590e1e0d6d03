//go:build kubelet && linux

package deploy

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/tune"
)

// TestTuneFromCluster: probity tune reads what a real kubelet has counted, and holds what was
// measured on this machine against that. The port of the liveness probe, which was measured by its
// name, is a number there. The promise of a measurement of ten hours is kept by a sound service,
// and not by one in its place whose liveness probe fails again and again.
func TestTuneFromCluster(t *testing.T) {
	t.Parallel()
	const asks, number = "/livez\n              port: http", "/livez\n              port: 8080\n            timeoutSeconds: 2"
	file := write(t, "calculator.yaml", calculator(t, append(single, asks, number)...))
	sound, failing := namespace(t, "tune-sound"), namespace(t, "tune-failing")
	wants(t, 0, nil, write(t, "failing.yaml", failingCalculator()), "-n", failing, "--wait=false")
	wants(t, 0, []string{"up: deployment/calculator 1 of 1"}, file, "-n", sound)
	series := measured(t)

	good := countedIn(t, file, sound, func(c tune.Count) bool { return c.PodHours > 15.0/3600 && c.Exact })
	if good.Restarts != 0 || good.Kills != 0 || good.Liveness == nil || *good.Liveness != (tune.Setting{Period: 3, Timeout: 2, Failures: 3}) || good.Text != "GET :8080/livez" {
		t.Errorf("the sound service: %+v", good)
	}
	v := verdict(t, 0, series, sound)
	if !v.Holds || v.Restarts != 0 || v.Hours < good.PodHours {
		t.Errorf("the sound service: %+v", v)
	}

	const kills = 2
	bad := countedIn(t, file, failing, func(c tune.Count) bool { return c.Kills >= kills && c.Restarts >= kills && c.Exact })
	if bad.Failures < kills || bad.Liveness == nil || *bad.Liveness != (tune.Setting{Period: 1, Timeout: 1, Failures: 1}) {
		t.Errorf("the failing service: %+v", bad)
	}
	v = verdict(t, 1, series, failing)
	if v.Holds || v.Unknown || v.Restarts < kills || !strings.Contains(v.Text, "more than the promised") {
		t.Errorf("the failing service: %+v", v)
	}
}

// failingCalculator has the names and the liveness probe of the calculator, and answers that well
// three times only.
func failingCalculator() string {
	const liveness = "livenessProbe: {httpGet: {path: /livez, port: http}, periodSeconds: 1, failureThreshold: 1}"
	text := player(`-answers, "/livez=200x3,503"`, liveness, "")
	return strings.NewReplacer("metadata: {name: web}", "metadata: {name: calculator}", "- name: web", "- name: calculator", "command.web", "command.calculator").Replace(text)
}

// measured is the path of the series of a short measurement of the calculator, in which what was
// seen of liveness is taken for ten hours without a stall.
func measured(t *testing.T) string {
	t.Helper()
	file := write(t, "app.yaml", calculator(t, single...))
	a, series := tuned(t, filepath.Dir(file), file, "--for", "6s", "--command", "calculator="+filepath.Join(site.programs, "calculator")+" -weights-size 4MiB", "--out", "series.json.gz"), &tune.Series{}
	path := filepath.Join(filepath.Dir(file), "series.json.gz")
	if data, err := os.ReadFile(path); err != nil {
		t.Fatalf("%v\n%s", err, a.says)
	} else if series, err = tune.Read(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	c := series.Find("deployment/calculator", "calculator")
	if c == nil || c.Endpoint("liveness") == nil {
		t.Fatalf("liveness was not measured: %+v\n%s", series, a.says)
	}
	e := c.Endpoint("liveness")
	if e.Request != (tune.Request{Text: "GET :http/livez", Resolved: "GET :8080/livez"}) {
		t.Errorf("liveness asks %+v", e.Request)
	}
	for i := range e.Windows {
		t.Logf("measured: %.3g s, %d samples, %d of them tainted, stalls %v", e.Windows[i].Seconds, e.Windows[i].Samples, e.Windows[i].Tainted, e.Windows[i].Stalls)
	}
	e.Windows = []tune.Window{{Seconds: 36000, Samples: 720000}} // a busy machine may have made stalls
	var packed bytes.Buffer
	if err := series.Write(&packed); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// answer is what probity tune ends with.
type answer struct {
	code    int
	out     []byte
	says    string // on standard error
	command string
}

// tuned runs probity tune in a folder.
func tuned(t *testing.T, folder string, args ...string) answer {
	t.Helper()
	var out, says bytes.Buffer
	cmd := exec.CommandContext(t.Context(), site.probity, append([]string{"tune"}, args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, &out, &says
	code := exitCode(t, cmd.Run())
	return answer{code, out.Bytes(), says.String(), strings.Join(cmd.Args[1:], " ")}
}

// inCluster are the flags that name a namespace of the cluster.
func inCluster(namespace string) []string {
	return []string{"--from", "cluster", "--kubeconfig", site.Kubeconfig(), "-n", namespace, "-o", "json"}
}

// countedIn is what probity tune --from cluster tells of the calculator in a namespace, once that
// is enough.
func countedIn(t *testing.T, file, namespace string, enough func(tune.Count) bool) tune.Count {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; {
		a := tuned(t, filepath.Dir(file), append([]string{file}, inCluster(namespace)...)...)
		report := struct{ Series tune.Series }{}
		if err := json.Unmarshal(a.out, &report); err != nil {
			t.Fatalf("%s ends with %d: %v\n%s%s", a.command, a.code, err, a.out, a.says)
		}
		c := report.Series.Find("deployment/calculator", "calculator")
		if c != nil && len(c.Counts) == 1 && enough(c.Counts[0]) && len(report.Series.Skipped) == 0 {
			t.Logf("%s: exit %d, %+v, starts %v", namespace, a.code, c.Counts[0], c.Starts)
			return c.Counts[0]
		}
		if time.Now().After(end) {
			t.Fatalf("%s tells %+v, and not %v", a.command, c, report.Series.Skipped)
		}
		time.Sleep(time.Second)
	}
}

// verdict is that of probity tune --verify over the calculator in a namespace.
func verdict(t *testing.T, code int, series, namespace string) tune.Verdict {
	t.Helper()
	a := tuned(t, filepath.Dir(series), append([]string{"--verify", series}, inCluster(namespace)...)...)
	var list []tune.Verdict
	if err := json.Unmarshal(a.out, &list); err != nil || len(list) != 1 || a.code != code {
		t.Fatalf("%s ends with %d, want %d: %v\n%s%s", a.command, a.code, code, err, a.out, a.says)
	}
	t.Logf("%s: exit %d, %s", namespace, a.code, list[0].Text)
	return list[0]
}
