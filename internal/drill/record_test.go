package drill

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/store"
)

// TestDecidedOnEachInstance: a probe that fails at its first attempt of each process decides a
// restart each time, and one alone however often it fails until that process has ended.
func TestDecidedOnEachInstance(t *testing.T) {
	s := store.New(store.Options{Kinds: store.Kubernetes()})
	pod, err := store.Create(s, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}})
	if err != nil {
		t.Fatal(err)
	}
	recorder, began := &history.Recorder{}, time.Now()
	past := recorder.Add(pod.UID)
	r := newRecord(began, s, recorder.Reader())
	for i, a := range []struct {
		instance int
		result   history.Result
		decided  int // until then
	}{
		{0, history.Passing, 0}, {0, history.Failing, 1}, {0, history.Failing, 1}, {1, history.Failing, 2}, {2, history.Failing, 3}, {3, history.Passing, 3}, {3, history.Failing, 4},
	} {
		for _, kind := range []string{"Liveness", "Readiness"} { // readiness decides nothing
			probe := past.Probe(history.Key{Container: "app", Type: kind}, history.Probing{})
			outcome := history.Answered
			if a.result == history.Failing {
				outcome = history.Failed
			}
			past.Attempt(probe, history.Attempt{Time: began.Add(time.Duration(i) * time.Second), Instance: a.instance, Outcome: outcome, Result: a.result}, history.Detail{})
		}
		r.read()
		decided := 0
		for _, c := range r.changes {
			if c.Kind == ChangeDecided && c.Container == "app" && c.Text == "Liveness" {
				decided++
			}
		}
		if decided != a.decided || len(r.attempts) != 2*(i+1) {
			t.Errorf("attempt %d: %d restarts, %d attempts; want %d, %d", i, decided, len(r.attempts), a.decided, 2*(i+1))
		}
	}
}
