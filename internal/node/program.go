package node

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
)

// program is what runs for a container, with every reference of the manifest resolved.
type program struct {
	argv     []string
	env      *environment
	dir      string
	owner    string // for people; see process.Spec
	oomScore int
}

// programs makes the programs of a Pod's containers.
type programs struct {
	pod        *corev1.Pod
	objects    Objects
	environ    []string // below the manifest's
	memory     int64    // of the machine
	allocation *allocation
	strings    map[string]int // bytes of each container's environment and command line
}

// of is the program of a container as the objects are now.
func (p programs) of(c *corev1.Container) (*program, error) {
	if err := p.allocation.ensure(); err != nil {
		return nil, err
	}
	left := p.roomFor(c.Name)
	before := left.left
	env, err := newEnvironment(p.pod, c, p.objects, p.environ, p.allocation.variables(c), left)
	if err != nil {
		return nil, err
	}
	line, err := commandLine(p.pod, c)
	if err != nil {
		return nil, err
	}
	argv, err := left.expand(line, env.lookup, func(word int) string { return commandField(p.pod, c, word) })
	if err != nil {
		return nil, err
	}
	p.strings[c.Name] = before - left.left
	return &program{
		argv: argv, env: env, dir: workingDir(p.pod, c),
		owner:    fmt.Sprintf("%s/%s/%s", p.pod.Namespace, p.pod.Name, c.Name),
		oomScore: oomScore(&p.pod.Spec, c, p.memory),
	}, nil
}

// roomFor is what the strings of a container may take beside those of the Pod's other containers.
func (p programs) roomFor(container string) *room {
	left := newRoom()
	for name, bytes := range p.strings {
		if name != container {
			left.left -= bytes
		}
	}
	return left
}

// spec is the program as a starter takes it, without its output.
func (p *program) spec() process.Spec {
	return process.Spec{Argv: p.argv, Env: p.env.list(), Dir: p.dir, Container: p.owner, OOMScore: p.oomScore}
}
