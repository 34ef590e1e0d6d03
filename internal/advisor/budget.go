package advisor

import (
	"fmt"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/manifest"
)

// A Budget is a PodDisruptionBudget of the manifests, with the workloads that it selects.
type Budget struct {
	Object    manifest.Object
	Spec      *policyv1.PodDisruptionBudgetSpec
	Workloads []*Workload
}

// Name is the PodDisruptionBudget's name.
func (b *Budget) Name() string { return b.Object.Resource.GetName() }

func (b *Budget) relate(workloads []*Workload) {
	selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
	if err != nil || selector.Empty() {
		return
	}
	b.Workloads = selected(workloads, b.Object, selector)
	for _, w := range b.Workloads {
		w.Budgets = append(w.Budgets, b)
	}
}

// Evictable is how many of so many healthy pods the budget lets go; ok is false if it sets no
// limit. Percentages are rounded up, of minAvailable and of maxUnavailable.
func (b *Budget) Evictable(pods int) (n int, ok bool) {
	limit := b.Spec.MaxUnavailable
	if limit == nil {
		limit = b.Spec.MinAvailable
	}
	if limit == nil || b.Spec.MinAvailable != nil && b.Spec.MaxUnavailable != nil {
		return 0, false
	}
	value, err := intstr.GetScaledValueFromIntOrPercent(limit, pods, true)
	if err != nil || value < 0 {
		return 0, false
	}
	if limit == b.Spec.MaxUnavailable {
		return min(value, pods), true
	}
	return max(pods-value, 0), true
}

// Pods is how many pods the budget is about, at least; 0 means none, or unknown. Only controllers
// that say how many pods they want count: a drain does not evict the pods of a DaemonSet, for
// example.
func (b *Budget) Pods() int {
	total := 0
	for _, w := range b.Workloads {
		switch w.Object.Ref().Kind {
		case "Deployment", "StatefulSet", "ReplicaSet", "ReplicationController":
		default:
			return 0
		}
		if w.Least == 0 {
			return 0
		}
		total += w.Least
	}
	return total
}

// Finding makes a finding about the field that sets the limit.
func (b *Budget) Finding(format string, args ...any) Finding {
	field := "spec.minAvailable"
	if b.Spec.MaxUnavailable != nil {
		field = "spec.maxUnavailable"
	}
	return Finding{Object: b.Object.Ref(), Field: field, Message: fmt.Sprintf(format, args...), subject: &b.Object}
}
