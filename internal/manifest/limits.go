package manifest

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// tooMany finds what an object has more of than one machine can run: each container is a process,
// each port a descriptor, and both cost time for each of the others. It returns nil if there is
// nothing.
func (l *loader) tooMany(o Object) *Error {
	refuse := func(field, format string, args ...any) *Error {
		return &Error{Position: o.PositionOf(field), Object: o.Ref(), Field: field, Reason: ReasonLimit,
			Message: fmt.Sprintf(format, args...) + ": refused", Original: o.Original(field)}
	}
	if s, ok := o.Resource.(*corev1.Service); ok {
		if n := len(s.Spec.Ports); n > l.opts.MaxPorts {
			return refuse("spec.ports", "%d ports of one Service, and at most %d can be served", n, l.opts.MaxPorts)
		}
		if l.ports += len(s.Spec.Ports); l.ports > l.opts.MaxServicePorts {
			return refuse("spec.ports", "%d ports of Services up to here, and at most %d can be served", l.ports, l.opts.MaxServicePorts)
		}
		return nil
	}
	_, spec, prefix, ok := o.Template()
	if !ok {
		return nil
	}
	path := childPath(prefix, "spec")
	if n := len(spec.InitContainers) + len(spec.Containers); n > l.opts.MaxContainers {
		return refuse(childPath(path, "containers"), "%d containers in one Pod, and at most %d can be run", n, l.opts.MaxContainers)
	}
	if n := len(spec.Volumes); n > l.opts.MaxVolumes {
		return refuse(childPath(path, "volumes"), "%d volumes in one Pod, and at most %d can be made", n, l.opts.MaxVolumes)
	}
	ports := 0
	for _, list := range []struct {
		name       string
		containers []corev1.Container
	}{{"initContainers", spec.InitContainers}, {"containers", spec.Containers}} {
		for i := range list.containers {
			if ports += len(list.containers[i].Ports); ports > l.opts.MaxPorts {
				return refuse(indexPath(childPath(path, list.name), i)+".ports", "%d container ports in one Pod up to here, and at most %d can be had", ports, l.opts.MaxPorts)
			}
		}
	}
	return nil
}
