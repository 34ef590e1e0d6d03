package system

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/controller"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// MaxPods is how many Pods a kubelet takes unless it is told otherwise.
const MaxPods = 110

// tooManyPods says, as a scheduler does, that a Pod has no place on the node.
type tooManyPods struct{ max int }

func (e *tooManyPods) Error() string {
	return fmt.Sprintf("0/1 nodes are available: 1 Too many pods (--max-pods %d)", e.max)
}

// checkPlace refuses one more Pod if the node has no place for it. As on a cluster a Pod takes one
// until it has ended for good, also while it is being deleted.
func (s *System) checkPlace() error {
	pods, _ := store.List[*corev1.Pod](s.store, store.Selector{})
	running := 0
	for _, pod := range pods {
		if pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed {
			running++
		}
	}
	if running >= s.opts.MaxPods {
		return &tooManyPods{s.opts.MaxPods}
	}
	return nil
}

// checkCount refuses objects that ask for more Pods than the node takes, before any is made.
func checkCount(objects []manifest.Object, maxPods int) error {
	total := 0
	for _, object := range objects {
		n := controller.Count(object.Resource)
		if total += n; total <= maxPods {
			continue
		}
		field := "spec.replicas"
		if !object.Has(field) {
			field = ""
		}
		return &manifest.Error{Position: object.PositionOf(field), Object: object.Ref(), Field: field, Reason: manifest.ReasonLimit,
			Message: fmt.Sprintf("%s with this object, and the node takes %d: ask for fewer, or raise --max-pods", countPods(total), maxPods), Original: object.Original(field)}
	}
	return nil
}

func countPods(n int) string {
	if n == 1 {
		return "1 Pod"
	}
	return fmt.Sprintf("%d Pods", n)
}
