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
}

// of is the program of a container as the objects are now.
func (p programs) of(c *corev1.Container) (*program, error) {
	if err := p.allocation.ensure(); err != nil {
		return nil, err
	}
	env, err := newEnvironment(p.pod, c, p.objects, p.environ, p.allocation.variables(c))
	if err != nil {
		return nil, err
	}
	line, err := commandLine(p.pod, c)
	if err != nil {
		return nil, err
	}
	return &program{
		argv: expandAll(line, env.lookup), env: env, dir: workingDir(p.pod, c),
		owner:    fmt.Sprintf("%s/%s/%s", p.pod.Namespace, p.pod.Name, c.Name),
		oomScore: oomScore(&p.pod.Spec, c, p.memory),
	}, nil
}

// spec is the program as a starter takes it, without its output.
func (p *program) spec() process.Spec {
	return process.Spec{Argv: p.argv, Env: p.env.list(), Dir: p.dir, Container: p.owner, OOMScore: p.oomScore}
}
