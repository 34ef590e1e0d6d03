package node

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/program"
)

// invocation is what runs for a container, with every reference of the manifest resolved.
type invocation struct {
	argv     []string
	env      *program.Environment
	dir      string
	owner    string // for people; see process.Spec
	oomScore int
	// namespace is nil if the Pod has none of its own
	namespace *process.Namespace
}

// programs makes the programs of a Pod's containers.
type programs struct {
	pod        *corev1.Pod
	objects    program.Objects
	names      Names
	environ    []string // below the manifest's
	memory     int64    // of the machine
	allocation *allocation
	strings    map[string]int // bytes of each container's environment and command line
}

// of is the program of a container as the objects are now.
func (p programs) of(c *corev1.Container) (*invocation, error) {
	if err := p.allocation.ensure(); err != nil {
		return nil, err
	}
	left := p.roomFor(c.Name)
	before := left.Left()
	env, err := program.NewEnvironment(p.pod, c, p.objects, p.allocation.names.above(p.environ), p.allocation.variables(c), left)
	if err != nil {
		return nil, err
	}
	if err := env.Rewrite(func(v program.Variable) string { return p.names.Variable(p.pod, c.Name, v) }); err != nil {
		return nil, err
	}
	line, err := program.CommandLine(p.pod, c)
	if err != nil {
		return nil, err
	}
	argv, err := left.Expand(line, env.Lookup, func(word int) string { return program.CommandField(p.pod, c, word) })
	if err != nil {
		return nil, err
	}
	p.strings[c.Name] = before - left.Left()
	return &invocation{
		argv: argv, env: env, dir: workingDir(p.pod, c),
		owner:    fmt.Sprintf("%s/%s/%s", p.pod.Namespace, p.pod.Name, c.Name),
		oomScore: oomScore(&p.pod.Spec, c, p.memory), namespace: p.allocation.names.Namespace,
	}, nil
}

// roomFor is what the strings of a container may take beside those of the Pod's other containers.
func (p programs) roomFor(container string) *program.Room {
	used := 0
	for name, bytes := range p.strings {
		if name != container {
			used += bytes
		}
	}
	return program.NewRoom(used)
}

// spec is the program as a starter takes it, without its output.
func (p *invocation) spec() process.Spec {
	return process.Spec{Argv: p.argv, Env: p.env.List(), Dir: p.dir, Container: p.owner, OOMScore: p.oomScore, Namespace: p.namespace}
}
