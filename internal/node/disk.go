package node

import (
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/process"
)

// HasDisks reports whether a Pod has emptyDir volumes that can be disks of their own: those with a
// sizeLimit of up to [process.MaxDisk].
func HasDisks(pod *corev1.Pod) bool { return len(disksOf(pod, "")) > 0 }

// disksOf are the disks of a Pod whose volumes are in a folder.
func disksOf(pod *corev1.Pod, dir string) (disks []process.Disk) {
	for _, v := range pod.Spec.Volumes {
		if v.EmptyDir == nil || v.EmptyDir.SizeLimit == nil {
			continue
		}
		if size := v.EmptyDir.SizeLimit.Value(); size > 0 && size <= process.MaxDisk {
			disks = append(disks, process.Disk{Target: filepath.Join(dir, v.Name), Size: size})
		}
	}
	return disks
}

// Disks are the targets of the disks that a Pod has; see [Options.Disks].
func (n *Node) Disks(pod types.UID) ([]string, error) {
	r := n.runner(pod)
	if r == nil {
		return nil, errNotRunning
	}
	return ask(r, func() (targets []string, err error) {
		if names := r.allocation.names; names != nil && names.Namespace != nil {
			for _, disk := range names.Namespace.Disks {
				targets = append(targets, disk.Target)
			}
		}
		return targets, nil
	})
}
