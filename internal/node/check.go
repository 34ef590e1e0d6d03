package node

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/program"
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
	Objects program.Objects
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
func checkCommands(pod *corev1.Pod, objects program.Objects, environ []string) []Problem {
	var problems []Problem
	prepared := false // by a plain init container before this one
	room := program.NewRoom(0)
	for _, c := range program.Containers(&pod.Spec) {
		line, err := program.CommandLine(pod, c.Container)
		if err != nil {
			p := Problem{Field: c.Path + ".command", Message: err.Error()}
			if missing, ok := errors.AsType[*program.NoProgramError](err); ok {
				p.Container = missing.Container
				p.Message = fmt.Sprintf("cannot run image %s of container %s here: no program is known that stands for it", printable.Quote(c.Image), c.Name)
			}
			problems = append(problems, p)
			continue
		}
		argv, env, err := c.Evaluate(pod, line, objects, environ, room)
		if tooLong, ok := errors.AsType[*program.TooLongError](err); ok {
			return append(problems, Problem{Field: c.FieldPath(tooLong.Field), Message: tooLong.Unwrap().Error()})
		}
		if !prepared {
			problems = append(problems, checkCommand(pod, c, process.Spec{Argv: argv, Env: env.List(), Dir: workingDir(pod, c.Container)})...)
		}
		prepared = prepared || c.PlainInit
	}
	return problems
}

func checkCommand(pod *corev1.Pod, c program.Container, spec process.Spec) []Problem {
	err := process.Check(spec)
	if err == nil {
		return nil
	}
	field := c.Path + ".command"
	if start, ok := errors.AsType[*process.StartError](err); ok && start.Path == spec.Dir {
		field = c.Path + ".workingDir"
	} else if _, ok := pod.Annotations[manifest.AnnotationCommand+c.Name]; ok {
		field = program.CommandField(pod, c.Container, 0)
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
	for _, c := range program.Containers(&pod.Spec) {
		for i, p := range c.Ports {
			field := fmt.Sprintf("%s.ports[%d].containerPort", c.Path, i)
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
