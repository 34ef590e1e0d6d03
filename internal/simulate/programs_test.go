package simulate

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/simulate/simulatetest"
)

// failing are Programs of which the first instances fail every probe from an instant on, 100 ms
// after it begins. A process ends a second after its signal.
type failing struct {
	from time.Duration // 0 for never
}

func (f failing) Start(Instance) *Exit { return nil }

func (f failing) Probe(a Attempt) Answer {
	if f.from > 0 && a.At >= f.from && a.Instance.Number == 1 {
		return Answer{Outcome: lifecycle.OutcomeFailure, Output: "bad", After: 100 * time.Millisecond}
	}
	return Answer{}
}

func (f failing) Stop(Instance, time.Duration) Exit { return Exit{After: time.Second} }

func (f failing) Hook(Instance, lifecycle.HookType, *corev1.LifecycleHandler) HookAnswer {
	return HookAnswer{}
}

// TestProgramsOfTheCaller is A01: three failures and a restart, with programs that no script
// describes.
func TestProgramsOfTheCaller(t *testing.T) {
	text := simulatetest.PodWith("livenessProbe: {httpGet: {path: /l, port: http}, periodSeconds: 1}")
	r := simulated(t, text, &script.Script{}, Options{Horizon: 9 * time.Second, EarlyProbes: true, Programs: func(*corev1.Pod, func() time.Duration) Programs {
		return failing{from: 3 * time.Second}
	}})
	var got []string
	for _, e := range r.Timeline.Entries() {
		switch {
		case e.Probe != nil:
			got = append(got, fmt.Sprintf("%v #%d %d× %s %v %d/%d", e.At, e.Instance, e.Probe.Times, e.Probe.Outcome, e.Probe.Took, e.Probe.Run, e.Probe.Threshold))
		case e.Kind == EntryProcess || e.Event != nil && e.Event.Reason == "Killing":
			got = append(got, fmt.Sprintf("%v #%d %s", e.At, e.Instance, e.Text))
		}
	}
	want := []string{
		"0s #1 started", "604ms #1 1× success 0s 1/1", "1.604s #1 2× success 0s 2/1",
		"3.604s #1 1× failure 100ms 1/3", "4.604s #1 1× failure 100ms 2/3", "5.604s #1 1× failure 100ms 3/3",
		"5.704s #1 Normal Killing Container web failed liveness probe, will be restarted", "5.704s #1 SIGTERM", "6.704s #1 exited, code 0", "6.704s #2 started",
		"7.604s #2 1× success 0s 1/1", "8.604s #2 1× success 0s 2/1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
