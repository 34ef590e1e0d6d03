package render_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/rollout"
	"github.com/probity-run/probity/internal/rollout/render"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing them")

var begun = time.Date(2026, 11, 28, 23, 48, 17, 0, time.UTC)

// results are those of one rollout in their order: a Pod comes, fails, and is given up.
func results() []rollout.Result {
	object := rollout.Object{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: "calculator"}
	at := func(seconds float64) time.Time { return begun.Add(time.Duration(seconds * float64(time.Second))) }
	up := func(name string, took time.Duration) rollout.Pod {
		return rollout.Pod{Name: "calculator-6f7d9c5b8c-" + name, Node: "node-1", Created: at(1), Phase: "up", Ready: true, Up: true, Took: took}
	}
	pod := rollout.Pod{Name: "calculator-6f7d9c5b8c-x2x4z", Created: at(1.4), Phase: "pending"}
	r := rollout.Result{Object: object, At: at(1.4), Revision: 7, Hash: "6f7d9c5b8c", Desired: 3, Updated: 1, Old: 2, Pods: []rollout.Pod{pod}, Services: []rollout.Service{{Name: "calculator", Ready: 2}}}
	placed := r
	pod.Phase, pod.Node = "scheduled", "node-2"
	placed.At, placed.Pods = at(1.5), []rollout.Pod{pod}
	started := placed
	pod.Phase, pod.Running = "started", at(2.6)
	started.At, started.Pods = at(2.6), []rollout.Pod{pod}
	cause := rollout.Cause{Key: "readiness/calculator/404", Kind: rollout.Readiness, Degree: rollout.Suspect, Pods: []string{pod.Name}, Container: "calculator", Since: at(4.7), Count: 1, AtLeast: true,
		Short: "readiness answers 404 to GET :8080/ready", Text: "container calculator runs and has started, but is not ready",
		Probe: &rollout.Probe{Type: "readiness", Action: "GET", Port: 8080, Path: "/ready", Answer: "HTTP probe failed with statuscode: 404", AtLeast: 1}}
	failing := started
	failing.At, failing.Causes = at(4.7), []rollout.Cause{cause}
	later := failing
	cause.Count = 25
	later.At, later.Causes, later.Updated, later.Ready, later.Available, later.Old = at(41), []rollout.Cause{cause}, 3, 2, 2, 1
	later.Pods = []rollout.Pod{up("aaaaa", 2100*time.Millisecond), up("bbbbb", 2400*time.Millisecond), pod}
	ended := later
	ended.At = at(602.1)
	cause.Details = []string{"readiness GET :8080/ready: 404, at least 25 times since 10 min; no yes yet"}
	cause.Next = "does the program serve /ready?"
	cause.Evidence = []rollout.Evidence{{From: "event", Reason: "Unhealthy", Count: 25, Message: "Readiness probe failed: HTTP probe failed with statuscode: 404"}}
	cause.Logs = []rollout.Log{{Container: "calculator", Instance: "running", Lines: []string{"calculator: listening on :8080"}}}
	other := rollout.Cause{Key: "unschedulable", Kind: rollout.Unschedulable, Degree: rollout.Suspect, Pods: []string{"a", "b"}, Short: "fits on no node"}
	ended.Verdict = &rollout.Verdict{Outcome: rollout.Failed, Exit: 1, Cause: cause, Also: []rollout.Cause{other}}
	return []rollout.Result{{}, r, placed, started, failing, later, ended}
}

func compare(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// TestLive: the picture of a rollout, after 41 s, as wide as it may be.
func TestLive(t *testing.T) {
	all := results()
	compare(t, "testdata/live.txt", strings.Join(render.Live(all[5:6], begun, 80), "\n")+"\n")
	for width := range 100 {
		for _, line := range render.Live(all[5:6], begun, width) {
			if printable.Width(line) > width {
				t.Errorf("%d columns: %q", width, line)
			}
		}
	}
}

// TestChanges: a pipe gets a line for each change, and nothing twice.
func TestChanges(t *testing.T) {
	var b strings.Builder
	all := results()
	for i := range all[1:] {
		for _, line := range render.Changes(&all[i], &all[i+1]) {
			b.WriteString(line + "\n")
		}
		if again := render.Changes(&all[i+1], &all[i+1]); len(again) > 0 {
			t.Errorf("nothing has changed, and it says %q", again)
		}
	}
	compare(t, "testdata/pipe.txt", b.String())
}

// TestJSON: the same for machines.
func TestJSON(t *testing.T) {
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	all := results()
	for i := range all[1:] {
		for _, line := range render.JSON(&all[i], &all[i+1]) {
			if err := out.Encode(line); err != nil {
				t.Fatal(err)
			}
		}
		if again := render.JSON(&all[i+1], &all[i+1]); len(again) > 0 {
			t.Errorf("nothing has changed, and it says %v", again)
		}
	}
	compare(t, "testdata/json.txt", b.String())
}

// TestOver: a trouble that goes away is said to be over.
func TestOver(t *testing.T) {
	all := results()
	well := all[4]
	well.Causes = nil
	want := []string{"pod/calculator-6f7d9c5b8c-x2x4z over: readiness answers 404 to GET :8080/ready"}
	if diff := cmp.Diff(want, render.Changes(&all[4], &well)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	other := all[4].Causes[0]
	other.Key, other.Short = "crash/calculator/3", "calculator exits with 3, once"
	worse := well
	worse.Causes = []rollout.Cause{other}
	want = []string{"pod/calculator-6f7d9c5b8c-x2x4z suspect: calculator exits with 3, once"}
	if diff := cmp.Diff(want, render.Changes(&all[4], &worse)); diff != "" {
		t.Errorf("it goes on in another form (-want +got):\n%s", diff)
	}
	up := all[5]
	up.Pods = []rollout.Pod{{Name: other.Pods[0], Phase: "up", Up: true, Ready: true}}
	up.Causes = worse.Causes
	if text := strings.Join(render.Live([]rollout.Result{up}, begun, 120), "\n"); !strings.Contains(text, other.Short) {
		t.Errorf("the trouble of a Pod that is up is not shown:\n%s", text)
	}
}

// TestVerdictObeysNobody: what a container has printed is no command to the machine that runs the
// job. GitHub's looks for one behind blanks, too.
func TestVerdictObeysNobody(t *testing.T) {
	all := results()
	ended := all[len(all)-1]
	ended.Verdict.Logs[0].Lines = []string{"::error file=app.yaml::all is well", "::add-mask::a"}
	shown := 0
	for _, line := range render.Verdict(&ended) {
		if strings.HasPrefix(strings.TrimSpace(line), "::") {
			t.Errorf("GitHub obeys %q", line)
		}
		if strings.Contains(line, "::error") || strings.Contains(line, "::add-mask") {
			shown++
		}
	}
	if shown != 2 {
		t.Errorf("%d of 2 lines are shown", shown)
	}
}
