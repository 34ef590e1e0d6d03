package drill

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
)

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
