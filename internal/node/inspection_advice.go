package node

import (
	"maps"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// advice remembers what was said about the containers of each workload that has Pods, so that its
// replicas and restarts do not say it again. It is safe for concurrent use.
type advice struct {
	mu   sync.Mutex
	said map[adviceKey]bool // guarded by mu
}

// adviceKey is one thing to say: about tells two of one reason apart.
type adviceKey struct {
	workload                 types.UID
	container, reason, about string
}

// first reports whether this was not said yet; from now on it was.
func (a *advice) first(key adviceKey) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.said == nil {
		a.said = map[adviceKey]bool{}
	}
	if a.said[key] {
		return false
	}
	a.said[key] = true
	return true
}

// forget drops what was said about a workload, as it has no Pod any more.
func (a *advice) forget(workload types.UID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.said, func(key adviceKey, _ bool) bool { return key.workload == workload })
}

// workloadOf is what the replicas of one template have in common: their owner, else the Pod itself.
func workloadOf(pod *corev1.Pod) types.UID {
	if owner := metav1.GetControllerOfNoCopy(pod); owner != nil {
		return owner.UID
	}
	return pod.UID
}
