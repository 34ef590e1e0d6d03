package drill

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/store"
)

// TestBeforeAFault: a fault waits for replicas that the one before it has restarted, and not for
// ever; and if it cannot be injected, what was sent until then is not that of the next.
func TestBeforeAFault(t *testing.T) {
	for name, test := range map[string]struct {
		ready time.Duration // when the Pod is
		want  string
	}{
		"ready":      {0, "only Deployments and StatefulSets roll"},
		"ready soon": {15 * time.Second, "only Deployments and StatefulSets roll"},
		"not ready":  {time.Hour, "not all replicas were ready when it was to begin, nor 20s later"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, web := newDrill(t)
				time.AfterFunc(test.ready, func() { becomeReady(t, d.record.store) })
				synctest.Wait()
				_, err := d.repetition(Fault{Word: "rollout", Kind: KindRollout}, web, 1, 1)
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%v, want %s", err, test.want)
				}
				if left := d.loads[web.Name].take(); len(left) != 0 {
					t.Errorf("%d requests are left", len(left))
				}
			})
		})
	}
}

// TestAfterInitialDelay: nothing comes of a fault before the liveness probe asks the process that
// runs now, so it is waited for, but not for ever.
func TestAfterInitialDelay(t *testing.T) {
	for name, test := range map[string]struct {
		asked     time.Duration // when the process that runs is asked first
		container string
		want      time.Duration
	}{
		"asked already":        {-time.Second, "web", 0},
		"after the delay":      {23 * time.Second, "web", 23 * time.Second},
		"of another container": {23 * time.Second, "proxy", 23 * time.Second},
		"never":                {time.Hour, "web", 31 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, web := newDrill(t)
				becomeReady(t, d.record.store)
				probes := []Probe{{Type: "Liveness", Delay: 20 * second, Period: 10 * second, Timeout: second, Failures: 3}}
				if web.Container = "web"; test.container == "web" {
					web.Probes = probes
				} else {
					web.Beside = []Container{{Name: test.container, Probes: probes}}
				}
				recorder := &history.Recorder{}
				past := recorder.Add(d.pods(web)[0].UID)
				d.record.history = recorder.Reader()
				probe := past.Probe(history.Key{Container: test.container, Type: "Liveness"}, history.Probing{})
				past.Started(history.Instance{Container: test.container, Ended: time.Now()})
				past.Started(history.Instance{Container: test.container, Number: 1})
				past.Attempt(probe, history.Attempt{Time: time.Now()}, history.Detail{}) // at the process before
				begin := time.Now()
				time.AfterFunc(test.asked, func() { past.Attempt(probe, history.Attempt{Time: time.Now(), Instance: 1}, history.Detail{}) })
				synctest.Wait()
				_, err := d.repetition(Fault{Word: "rollout", Kind: KindRollout}, web, 1, 1)
				if err == nil {
					t.Fatal("a Pod rolls")
				}
				// beside the wait: 0.5 s of load, and where the probe's phase is, up to a period
				if took := time.Since(begin); took < test.want || took > test.want+11*time.Second {
					t.Errorf("injected after %v, want %v or a little more", took, test.want)
				}
			})
		})
	}
}

// TestInterruptedAtTheStart: a drill that nobody waited for says that, and nothing of the service.
func TestInterruptedAtTheStart(t *testing.T) {
	for name, after := range map[string]time.Duration{"while it starts": time.Second, "under load alone": 6 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, _ := newDrill(t)
				d.opts = Options{}.withDefaults()
				var interrupt context.CancelFunc
				d.ctx, interrupt = context.WithCancel(t.Context())
				time.AfterFunc(3*time.Second, func() { becomeReady(t, d.record.store) })
				time.AfterFunc(after, interrupt)
				d.play()
				if r := d.report; !r.Interrupted || len(r.Results) != 0 || len(r.LeftOut) != 0 {
					t.Errorf("report %+v", r)
				}
			})
		})
	}
}

// newDrill is a drill of a Pod that is not ready, which starts within 5 s, and under a load that
// nobody answers.
func newDrill(t *testing.T) (*drill, *target) {
	t.Helper()
	s := store.New(store.Options{Kinds: store.Kubernetes()})
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}}
	if _, err := store.Create(s, pod); err != nil {
		t.Fatal(err)
	}
	web := &target{Workload: Workload{Name: "pod/web", Replicas: 1, Start: 5 * second}, namespace: "default", kind: "pod", object: "web"}
	d := &drill{ctx: t.Context(), report: newReport(Options{}), targets: []*target{web}, loads: map[string]*load{}}
	d.loads[web.Name] = newLoad("nowhere", []RequestSpec{{Method: "GET", Path: "/"}}, 20)
	d.record = newRecord(d.report.Began, s, history.Reader{})
	return d, web
}

func becomeReady(t *testing.T, s *store.Store) {
	pod, err := store.Get[*corev1.Pod](s, "default", "web")
	if err == nil {
		pod = pod.DeepCopy()
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
		_, err = store.UpdateStatus(s, pod)
	}
	if err != nil {
		t.Error(err)
	}
}
