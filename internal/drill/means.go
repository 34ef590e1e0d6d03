package drill

import (
	"fmt"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// means is how a fault is done to a replica, of which there are several ways for some; "" for
// others.
func (d *drill) means(f Fault, pod *corev1.Pod) string {
	switch f.Kind {
	case KindThrottle, KindSlowStart:
		return "its share was kept by signals that stop it, not by a quota of its control group"
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
