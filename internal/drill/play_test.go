package drill

import (
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
