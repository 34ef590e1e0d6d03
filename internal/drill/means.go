package drill

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
)

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

// meansOfThrottle is how a share of a processor was kept.
func (d *drill) meansOfThrottle(t *target, pod *corev1.Pod) string {
	now, err := store.Get[*corev1.Pod](d.system.Store(), pod.Namespace, pod.Name)
	if err == nil {
		if pid, err := strconv.Atoi(now.Annotations[node.AnnotationPID+t.Container]); err == nil && process.HasQuota(pid) {
			return "its share was kept by a quota of its control group (cpu.max)"
		}
	}
	means := "its share was kept by signals that stop it, not by a quota of its control group"
	if why := process.CannotQuota(); why != nil {
		means += fmt.Sprintf(": %v", why)
	}
	return means
}

// means is how a fault is done to a replica, of which there are several ways for some; "" for
// others.
func (d *drill) means(f Fault, t *target, pod *corev1.Pod) string {
	switch f.Kind {
	case KindThrottle, KindSlowStart:
		return d.meansOfThrottle(t, pod)
	case KindDiskFull:
	default:
		return ""
	}
	disks, none := d.system.Disks(pod)
	if none != nil {
		return fmt.Sprintf("writing to any file failed with EFBIG, where a full disk gives ENOSPC: %v", none)
	}
	var names []string
	for _, disk := range disks {
		names = append(names, filepath.Base(disk))
	}
	return "full were the volumes " + strings.Join(names, ", ") + ", and nothing else"
}
