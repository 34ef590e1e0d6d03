package clusterdash

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/dashboard"
	"github.com/probity-run/probity/internal/history"
)

const kubeletMetrics = `# TYPE prober_probe_total counter
prober_probe_total{container="app",namespace="shop",pod="web",pod_uid="u1",probe_type="Readiness",result="failed"} 83
prober_probe_total{container="app",namespace="shop",pod="web",pod_uid="u1",probe_type="Readiness",result="successful"} 412
prober_probe_total{container="app",namespace="shop",pod="other",pod_uid="u2",probe_type="Liveness",result="successful"} 7
`

func podOn(node string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: "u1"}, Spec: corev1.PodSpec{NodeName: node}}
}

// TestCounters: a kubelet is asked when somebody looks, again when the answer is old, and no longer
// once that is forbidden.
func TestCounters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		answers := func() (string, error) { return kubeletMetrics, nil }
		c := newCounters(func(_ context.Context, node string) (io.ReadCloser, error) {
			asked = append(asked, node)
			text, err := answers()
			return io.NopCloser(strings.NewReader(text)), err
		}, time.Now)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go c.run(ctx)
		pod := podOn("node-1")
		if got := c.of(pod); got != nil {
			t.Errorf("before anybody was asked: %v", got)
		}
		synctest.Wait()
		want := map[history.Key]dashboard.Count{{Container: "app", Type: "Readiness"}: {Failed: 83, Succeeded: 412, At: time.Now()}}
		if diff := cmp.Diff(want, c.of(pod)); diff != "" {
			t.Error(diff)
		}
		if got := c.of(podOn("")); got != nil || len(asked) != 1 {
			t.Errorf("a Pod without a node: %v, after %d questions", got, len(asked))
		}
		time.Sleep(countTime)
		answers = func() (string, error) { return "", errors.New("connection refused") }
		c.of(pod)
		synctest.Wait()
		if diff := cmp.Diff(want, c.of(pod)); diff != "" || len(asked) != 2 {
			t.Errorf("a kubelet that does not answer leaves what it has said: %d questions, %s", len(asked), diff)
		}
		time.Sleep(countTime)
		answers = func() (string, error) {
			return "", apierrors.NewForbidden(schema.GroupResource{Resource: "nodes/proxy"}, "", errors.New("no"))
		}
		for range 3 {
			c.of(pod)
			synctest.Wait()
			time.Sleep(countTime)
		}
		if got := c.of(pod); got != nil || len(asked) != 3 {
			t.Errorf("after it was forbidden there is %v, after %d questions", got, len(asked))
		}
	})
}
