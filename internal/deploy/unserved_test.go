package deploy

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/rollout"
)

// sourceFunc is a source that changes.
type sourceFunc[T any] func() []*T

// All implements source.
func (s sourceFunc[T]) All() ([]*T, bool) { return s(), true }

// TestUnserved: once all is up, there is a warning of each Service that was applied, that no
// workload has told of, and that nobody is behind for longer than its endpoints take.
func TestUnserved(t *testing.T) {
	for name, test := range map[string]struct {
		outcome rollout.Outcome
		names   string // of the Services that there are
		served  time.Duration
		want    string
		took    time.Duration
	}{
		"nobody":              {rollout.IsUp, "wrong", time.Hour, "nobody is behind service wrong: selector app=wrong", servedTime},
		"after a second":      {rollout.IsUp, "wrong", time.Second, "", 0},
		"told already":        {rollout.IsUp, "told", time.Hour, "", 0},
		"of somebody else":    {rollout.IsUp, "other", time.Hour, "", 0},
		"failed all the same": {rollout.Failed, "wrong", time.Hour, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				service := &corev1.Service{
					ObjectMeta: metav1.ObjectMeta{Name: test.names, Namespace: "shop", UID: types.UID(test.names)}, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": test.names}},
				}
				var warnings []string
				d := &Deployment{options: Options{Report: func(e Event) { warnings = append(warnings, e.Text) }}}
				for _, name := range []string{"wrong", "told"} {
					d.Entries = append(d.Entries, &Entry{After: object(t, "apiVersion: v1\nkind: Service\nmetadata: {name: "+name+", namespace: shop, uid: "+name+"}")})
				}
				f := &follower{deployment: d, woken: make(chan struct{}, 1)}
				f.see.services = []source[corev1.Service]{sourceFunc[corev1.Service](func() []*corev1.Service { return []*corev1.Service{service} })}
				f.see.slices = []source[discoveryv1.EndpointSlice]{sourceFunc[discoveryv1.EndpointSlice](func() []*discoveryv1.EndpointSlice {
					if time.Since(begun) < test.served {
						return nil
					}
					labels := map[string]string{discoveryv1.LabelServiceName: test.names}
					return []*discoveryv1.EndpointSlice{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Labels: labels}, Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}}}}}
				})}
				time.AfterFunc(test.served, f.wake)
				f.warnUnserved(t.Context(), []rollout.Result{{
					Object: rollout.Object{Namespace: "shop"}, Services: []rollout.Service{{Name: "told"}}, Verdict: &rollout.Verdict{Outcome: test.outcome},
				}})
				if got := strings.Join(warnings, "; "); !strings.HasPrefix(got, test.want) || test.want == "" && got != "" {
					t.Errorf("warnings are %q, want %q", got, test.want)
				}
				if took := time.Since(begun); took < test.took || took > servedTime {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}
