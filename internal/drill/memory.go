package drill

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/store"
)

// tookLess says that a memory limit was over before anything reached it.
func (f Fault) tookLess() error {
	return fmt.Errorf("it took no more than %s in %s, and nothing was killed: a longer one is %s", formatBytes(f.Bytes), text(Offset(f.Length)), f.lasting(2*f.Length))
}

// killedForMemory says when a replica was killed that took more than it might, and the reason that
// its status gives.
func (d *drill) killedForMemory(t *target, pod *corev1.Pod, rep *Repetition) string {
	d.record.mu.Lock()
	ended := firstIn(d.record.changes, pod.Name, t.Container, rep.Begin, ChangeEnded)
	d.record.mu.Unlock()
	reason := "an unknown reason"
	d.until(time.Now().Add(ownLag), func() bool {
		now, err := store.Get[*corev1.Pod](d.system.Store(), pod.Namespace, pod.Name)
		if err != nil {
			return true
		}
		for _, c := range slices.Concat(now.Status.ContainerStatuses, now.Status.InitContainerStatuses) {
			for _, state := range []corev1.ContainerState{c.State, c.LastTerminationState} {
				if c.Name == t.Container && state.Terminated != nil && state.Terminated.FinishedAt.After(d.report.Began.Add(time.Duration(rep.Begin)-time.Second)) {
					reason = state.Terminated.Reason
					return true
				}
			}
		}
		return false
	})
	return fmt.Sprintf("it ended %s after the limit was set, as %s", text(*ended-rep.Begin), reason)
}
