package node

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/process"
)

// Problem is why a Pod cannot run on this machine, and the field of the Pod that is the cause.
type Problem struct {
	Field   string // path below the Pod, such as spec.containers[0].command
	Message string
	// Container is the one for whose image no program is known; nil with any other problem.
	Container *corev1.Container
}

// CheckOptions describe what Pods will find. The zero value is a machine with nothing on it.
type CheckOptions struct {
	// Objects are the ConfigMaps and Secrets. Required if a Pod refers to one.
	Objects Objects
	// Environ is the caller's environment.
	Environ []string
	// Own, if not nil, reports whether a port is taken by Pods that these will replace.
	Own func(port int32) bool
}

// Check finds what would keep Pods from running here, before anything starts: commands and working
// folders that do not exist, fixed ports that are taken or asked for twice. The problems are per
// Pod, in order.
//
// A program that an init container may still build or fetch is not checked.
func Check(pods []*corev1.Pod, opts CheckOptions) [][]Problem {
	problems := make([][]Problem, len(pods))
	holders := map[int32]string{}
	for i, pod := range pods {
		problems[i] = append(checkCommands(pod, opts.Objects, opts.Environ), checkFixedPorts(pod, holders, opts.Own)...)
	}
	return problems
}

// checkCommands checks the command of every container, up to the first plain init container: what
// runs before may make what runs after.
func checkCommands(pod *corev1.Pod, objects Objects, environ []string) []Problem {
	var problems []Problem
	prepared := false // by a plain init container before this one
	left := newRoom()
	for _, c := range fieldsOf(&pod.Spec) {
		line, err := commandLine(pod, c.Container)
		if err != nil {
			p := Problem{Field: c.path + ".command", Message: err.Error()}
			if missing, ok := errors.AsType[*noProgramError](err); ok {
				p.Container = missing.container
				p.Message = fmt.Sprintf("cannot run image %q of container %s here: no program is known that stands for it", c.Image, c.Name)
			}
			problems = append(problems, p)
			continue
		}
		spec, err := checkStrings(pod, c, line, objects, environ, left)
		if tooLong, ok := errors.AsType[*oversize](err); ok {
			return append(problems, Problem{Field: c.fieldPath(tooLong.field), Message: tooLong.err.Error()})
		}
		if !prepared {
			problems = append(problems, checkCommand(pod, c, spec)...)
		}
		prepared = prepared || c.plainInit
	}
	return problems
}

// checkStrings evaluates what a container's program and its exec handlers would be started with, as
// far as it is known before; the error is an [*oversize].
func checkStrings(pod *corev1.Pod, c containerField, line []string, objects Objects, environ []string, left *room) (process.Spec, error) {
	env, err := newEnvironment(pod, c.Container, objects, environ, nil, left)
	if _, tooLong := errors.AsType[*oversize](err); tooLong {
		return process.Spec{}, err
	}
	// a missing reference is an error at run time, as on a cluster; the command is still checked
	if err != nil {
		env = &environment{caller: environ}
	}
	argv, err := left.expand(line, env.lookup, func(word int) string { return commandField(pod, c.Container, word) })
	if err != nil {
		return process.Spec{}, err
	}
	for _, h := range execHandlers(c.Container) {
		if _, err := left.expand(h.command, env.lookupStatic, h.word); err != nil {
			return process.Spec{}, err
		}
	}
	return process.Spec{Argv: argv, Env: env.list(), Dir: workingDir(pod, c.Container)}, nil
}

func checkCommand(pod *corev1.Pod, c containerField, spec process.Spec) []Problem {
	err := process.Check(spec)
	if err == nil {
		return nil
	}
	field := c.path + ".command"
	if start, ok := errors.AsType[*process.StartError](err); ok && start.Path == spec.Dir {
		field = c.path + ".workingDir"
	} else if _, ok := pod.Annotations[manifest.AnnotationCommand+c.Name]; ok {
		field = commandField(pod, c.Container, 0)
	}
	return []Problem{{Field: field, Message: err.Error()}}
}

// checkFixedPorts checks that nobody has the fixed ports of a Pod: neither a Pod before it, which
// holders names, nor another program.
func checkFixedPorts(pod *corev1.Pod, holders map[int32]string, own func(int32) bool) []Problem {
	if !manifest.FixedPorts(&pod.ObjectMeta, &pod.Spec) {
		return nil
	}
	var problems []Problem
	for _, c := range fieldsOf(&pod.Spec) {
		for i, p := range c.Ports {
			field := fmt.Sprintf("%s.ports[%d].containerPort", c.path, i)
			if holder, taken := holders[p.ContainerPort]; taken {
				problems = append(problems, Problem{Field: field, Message: fmt.Sprintf("port %d is fixed and %s has it already: let the program read PORT and drop "+
					"hostPort, hostNetwork and the annotation %s, or run one replica", p.ContainerPort, holder, manifest.AnnotationPorts)})
				continue
			}
			holders[p.ContainerPort] = "another Pod"
			if pod.Name != "" {
				holders[p.ContainerPort] = "Pod " + pod.Name
			}
			if own != nil && own(p.ContainerPort) {
				continue
			}
			if err := checkFree(int(p.ContainerPort)); err != nil {
				problems = append(problems, Problem{Field: field, Message: fmt.Sprintf("port %d is fixed and cannot be had: %v", p.ContainerPort, err)})
			}
		}
	}
	return problems
}

// checkFree listens on a port for a moment.
func checkFree(port int) error {
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return listener.Close()
}

// containerField is a container and its path in the Pod.
type containerField struct {
	*corev1.Container
	path      string
	plainInit bool // an init container that is no sidecar
}

// fieldPath is the path below the Pod of a field of the container, or of one of the Pod's metadata.
func (c containerField) fieldPath(field string) string {
	if strings.HasPrefix(field, "metadata.") {
		return field
	}
	return c.path + "." + field
}

// fieldsOf lists the containers of a Pod in the order of their start.
func fieldsOf(spec *corev1.PodSpec) []containerField {
	var fields []containerField
	for i := range spec.InitContainers {
		c := &spec.InitContainers[i]
		plain := c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways
		fields = append(fields, containerField{c, fmt.Sprintf("spec.initContainers[%d]", i), plain})
	}
	for i := range spec.Containers {
		fields = append(fields, containerField{&spec.Containers[i], fmt.Sprintf("spec.containers[%d]", i), false})
	}
	return fields
}
