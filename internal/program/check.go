package program

import (
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// Container is a container and its path in the Pod.
type Container struct {
	*corev1.Container
	Path string // such as spec.initContainers[0]
	// PlainInit means an init container that is no sidecar.
	PlainInit bool
}

// Containers lists the containers of a Pod in the order of their start.
func Containers(spec *corev1.PodSpec) (all []Container) {
	for i := range spec.InitContainers {
		c := &spec.InitContainers[i]
		plain := c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways
		all = append(all, Container{c, fmt.Sprintf("spec.initContainers[%d]", i), plain})
	}
	for i := range spec.Containers {
		all = append(all, Container{&spec.Containers[i], fmt.Sprintf("spec.containers[%d]", i), false})
	}
	return all
}

// FieldPath is the path below the Pod of a field of the container, or of one of the Pod's metadata.
func (c Container) FieldPath(field string) string {
	if strings.HasPrefix(field, "metadata.") {
		return field
	}
	return c.Path + "." + field
}

// Evaluate evaluates what the program of a container, with that command line, and its exec handlers
// would be started with, as far as it is known before a start. A reference to nothing is an error
// of the start, as on a cluster, and counts for nothing here. The error is a [*TooLongError].
func (c Container) Evaluate(pod *corev1.Pod, line []string, objects Objects, caller []string, room *Room) (argv []string, env *Environment, err error) {
	env, err = NewEnvironment(pod, c.Container, objects, caller, nil, room)
	if _, tooLong := errors.AsType[*TooLongError](err); tooLong {
		return nil, nil, err
	}
	if err != nil {
		env = &Environment{caller: caller}
	}
	argv, err = room.Expand(line, env.Lookup, func(word int) string { return CommandField(pod, c.Container, word) })
	if err != nil {
		return nil, nil, err
	}
	for _, h := range Handlers(c.Container) {
		if _, err := h.Expand(env, room); err != nil {
			return nil, nil, err
		}
	}
	return argv, env, nil
}

// Check finds what is too long to start a program with in the Pods of an object, in the words of a
// run; nil if there is nothing, or if the object makes no Pods.
func Check(o manifest.Object, objects Objects) *manifest.Error {
	meta, spec, prefix, ok := o.Template()
	if !ok {
		return nil
	}
	pod := &corev1.Pod{ObjectMeta: *meta, Spec: *spec}
	pod.Namespace = o.Resource.GetNamespace()
	room := NewRoom(0)
	for _, c := range Containers(spec) {
		line, err := CommandLine(pod, c.Container)
		if err != nil {
			line = c.Args // of the program in the image
		}
		_, _, err = c.Evaluate(pod, line, objects, nil, room)
		if tooLong, ok := errors.AsType[*TooLongError](err); ok {
			field := c.FieldPath(tooLong.Field)
			if prefix != "" {
				field = prefix + "." + field
			}
			return &manifest.Error{Position: o.PositionOf(field), Object: o.Ref(), Field: field, Reason: manifest.ReasonLimit, Message: tooLong.Unwrap().Error(), Original: o.Original(field)}
		}
	}
	return nil
}
