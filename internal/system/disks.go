package system

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/process"
)

// tryDisks finds out, for [Options.Faults] alone, whether volumes can be disks of their own.
func (s *System) tryDisks() {
	if !s.opts.Faults {
		return
	}
	s.noDisks = s.shepherd.TryNamespace(process.Namespace{Key: "disk", Disks: []process.Disk{{Target: s.state.names, Size: 1 << 20}}})
	s.hostNames.disks = s.noDisks == nil
}

// Disks are the volumes of a Pod that are disks of its own and can be filled, see
// [process.FaultDisk]. The error is why it has none.
func (s *System) Disks(pod *corev1.Pod) ([]string, error) {
	switch {
	case !s.opts.Faults:
		return nil, errors.New("volumes of this run are folders")
	case !node.HasDisks(pod):
		return nil, fmt.Errorf("no emptyDir of it has a sizeLimit of up to %dMi", process.MaxDisk>>20)
	case s.noDisks != nil:
		return nil, fmt.Errorf("this machine lets no volume be a disk of its own (%w)", s.noDisks)
	}
	disks, err := s.node.Disks(pod.UID)
	if err == nil && len(disks) == 0 {
		err = errors.New("it has no namespace, as its names are off or hosts files are refused")
	}
	return disks, err
}
