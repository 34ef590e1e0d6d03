package deploy

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/rollout"
)

// TestFollowGone: what is over before it is gone stays up while the others are waited for; what
// somebody deletes before is not known.
func TestFollowGone(t *testing.T) {
	job := func(name string, complete bool) *batchv1.Job {
		job := jobList(complete).Items[0]
		job.Name, job.UID = name, "uid-"+job.UID
		if name == "seed" {
			job.UID = "seed"
		}
		return &job
	}
	pod := func(phase corev1.PodPhase) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "migrate", Namespace: "shop", UID: "uid-u", ResourceVersion: "7"}, Status: corev1.PodStatus{Phase: phase}}
	}
	for name, test := range map[string]struct {
		manifest string
		object   any
		want     error
	}{
		"a Job that is complete":     {"apiVersion: batch/v1\nkind: Job", job("migrate", true), nil},
		"a Job that is not":          {"apiVersion: batch/v1\nkind: Job", job("migrate", false), ErrNotKnown},
		"a Pod that has succeeded":   {"apiVersion: v1\nkind: Pod", pod(corev1.PodSucceeded), nil},
		"a Pod that has not started": {"apiVersion: v1\nkind: Pod", pod(corev1.PodPending), ErrNotKnown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				cluster := clusterOf(func(r *http.Request) (int, any) { return goneAnswer(r, begun, test.object, job) })
				d := &Deployment{options: Options{Cluster: cluster}, begun: begun}
				for _, text := range []string{test.manifest + "\nmetadata: {name: migrate, namespace: shop, uid: uid-u}", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: seed, namespace: shop, uid: seed}"} {
					o := &Object{Unstructured: object(t, text)}
					d.Entries = append(d.Entries, &Entry{Object: o, After: o.Unstructured})
				}
				results, err := d.Follow(t.Context(), FollowOptions{Times: rollout.Options{Timeout: time.Minute}})
				if !errors.Is(err, test.want) {
					t.Fatalf("error %v, want %v", err, test.want)
				}
				if len(results) != 2 || err == nil && (results[0].Verdict == nil || results[0].Verdict.Outcome != rollout.IsUp || !results[1].Up) {
					t.Errorf("results %+v", results)
				}
			})
		})
	}
}

// goneAnswer has an object until 2 s after a time, when it is deleted, and a Job seed that is
// complete after 4 s.
func goneAnswer(r *http.Request, begun time.Time, o any, job func(string, bool) *batchv1.Job) (int, any) {
	_, isPod := o.(*corev1.Pod)
	ofObject := !isPod && strings.HasSuffix(r.URL.Path, "/jobs") || isPod && strings.HasSuffix(r.URL.Path, "/pods") && r.URL.Query().Get("fieldSelector") != ""
	ofSeed := strings.HasSuffix(r.URL.Path, "/jobs")
	pass := func(until time.Duration) bool {
		left := until - time.Since(begun)
		time.Sleep(max(left, 0)) // in virtual time
		return left > 0
	}
	if r.URL.Query().Get("watch") != "" {
		switch {
		case ofObject && pass(2*time.Second):
			return 200, kube.Change[any]{Type: "DELETED", Object: o}
		case ofSeed && pass(4*time.Second):
			return 200, kube.Change[any]{Type: "MODIFIED", Object: job("seed", true)}
		}
		return 200, nil
	}
	items := []any{}
	if ofObject {
		items = append(items, o)
	}
	if ofSeed {
		items = append(items, job("seed", false))
	}
	return 200, map[string]any{"metadata": map[string]any{"resourceVersion": "8"}, "items": items}
}
