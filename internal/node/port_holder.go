package node

import (
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
)

// holders name who has a port that somebody else wants: with the Pod, if it is one of this node.
type holders struct {
	store  *store.Store
	parent func(pid int) int // 0 if there is none
}

// describe gives "process 7 (python) of Pod web-0".
func (h holders) describe(o process.Ownership) string {
	text := describe(o)
	if pod := h.podOf(o.PID); pod != nil {
		text += " of Pod " + pod.Name
	}
	return text
}

// podOf is the Pod whose container the process is, or descends from; nil if there is none.
func (h holders) podOf(pid int) *corev1.Pod {
	pods, _ := store.List[*corev1.Pod](h.store, store.Selector{})
	mains := map[int]*corev1.Pod{}
	for _, pod := range pods {
		for name, value := range pod.Annotations {
			if main, err := strconv.Atoi(value); err == nil && strings.HasPrefix(name, AnnotationPID) {
				mains[main] = pod
			}
		}
	}
	for generations := 0; pid > 1 && generations < 1000; generations++ {
		if pod, ok := mains[pid]; ok {
			return pod
		}
		pid = h.parent(pid)
	}
	return nil
}
