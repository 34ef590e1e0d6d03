package drill

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
)

// fillDisk fills the disks of a replica, or lets it write to no file if it has none.
func (d *drill) fillDisk(f Fault, t *target, pod *corev1.Pod) (undo func() error, err error) {
	fault, err := f.process(&t.Workload)
	if err != nil {
		return nil, err
	}
	if disks, none := d.system.Disks(pod); none == nil {
		fault.Kind, fault.Disks = process.FaultDisk, disks
	}
	return d.system.Inject(pod.Namespace, pod.Name, t.Container, fault)
}
