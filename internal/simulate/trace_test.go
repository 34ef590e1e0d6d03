package simulate

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// TestTrace is A01: three strikes, request by request.
func TestTrace(t *testing.T) {
	objects := parsed(t, podWith("livenessProbe: {httpGet: {path: /l, port: http}, periodSeconds: 1}"))
	sc := func(*corev1.Pod) Service {
		return &Replies{Answers: map[string]string{"/l": "200*3 500@100ms"}, Later: map[string]string{}, Stopped: Ending{After: time.Second}}
	}
	entries, err := Trace(objects, sc, Options{Horizon: 9 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		switch {
		case e.Probe != nil:
			got = append(got, fmt.Sprintf("%v #%d %s %s %v %d/%d", e.At, e.Instance, e.Probe.Type, e.Probe.Outcome, e.Probe.Took, e.Probe.Run, e.Probe.Threshold))
		case e.Kind == KindProcess || e.Event != nil && e.Event.Reason == "Killing":
			got = append(got, fmt.Sprintf("%v #%d %s", e.At, e.Instance, e.Text))
		}
	}
	want := []string{
		"0s #1 started", "604ms #1 Liveness success 0s 1/1", "1.604s #1 Liveness success 0s 2/1", "2.604s #1 Liveness success 0s 3/1",
		"3.604s #1 Liveness failure 100ms 1/3", "4.604s #1 Liveness failure 100ms 2/3", "5.604s #1 Liveness failure 100ms 3/3",
		"5.704s #1 Normal Killing Container web failed liveness probe, will be restarted", "5.704s #1 SIGTERM", "6.704s #1 exited, code 0", "6.704s #2 started",
		"7.604s #2 Liveness success 0s 1/1", "8.604s #2 Liveness success 0s 2/1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReplies(t *testing.T) {
	probe := &corev1.Probe{TimeoutSeconds: 1, ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"check"}}}}
	for _, c := range []struct {
		list string
		n    int
		want string
	}{{"200*3 500", 3, "200"}, {"200*3 500", 4, "500"}, {"200*3 500", 99, "500"}, {"", 1, ""}, {"hang", 2, "hang"}} {
		if got := nthWord(c.list, c.n); got != c.want {
			t.Errorf("%q, %d: %q, want %q", c.list, c.n, got, c.want)
		}
	}
	for word, want := range map[string]string{
		"hang": `{2 command timed out: "check" timed out after 1s 1s}`, "500@2s": `{2 command timed out: "check" timed out after 1s 1s}`, "503@10ms": "{2  10ms}", "200": "{0  0s}",
		"what": `{4 the scenario says "what", which is no answer 0s}`,
	} {
		if got := fmt.Sprint(answer(word, Attempt{Probe: probe})); got != want {
			t.Errorf("%s: %s, want %s", word, got, want)
		}
	}
}
