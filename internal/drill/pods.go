package drill

import (
	"cmp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/store"
)

// podsOf are the Pods of a workload, those that end included, by name.
func podsOf(s *store.Store, t *target) (pods []*corev1.Pod) {
	all, _ := store.List[*corev1.Pod](s, store.Selector{Namespace: t.namespace})
	for _, pod := range all {
		if belongs(s, pod, t) {
			pods = append(pods, pod)
		}
	}
	slices.SortFunc(pods, func(a, b *corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	return pods
}

func belongs(s *store.Store, pod *corev1.Pod, t *target) bool {
	owner := metav1.GetControllerOfNoCopy(pod)
	if owner == nil {
		return t.kind == "pod" && pod.Name == t.object
	}
	if strings.EqualFold(owner.Kind, t.kind) {
		return owner.Name == t.object
	}
	set, err := store.Get[*appsv1.ReplicaSet](s, pod.Namespace, owner.Name)
	if err != nil {
		return t.kind == "deployment" && strings.HasPrefix(owner.Name, t.object+"-") // the set goes with its Pods
	}
	deployment := metav1.GetControllerOfNoCopy(set)
	return deployment != nil && t.kind == "deployment" && deployment.Name == t.object
}
