package program

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/envvars"
)

// Environment is a container's environment in layers: the caller's, the variables of Services, the
// manifest's, and what Probity injects. Later layers win.
type Environment struct {
	caller   []string
	services []envvars.Variable
	manifest map[string]string
	order    []string          // names of the manifest's entries, as written
	literal  map[string]string // the manifest's entries as exec probes read them (R83)
	secret   map[string]bool   // names of the manifest's entries whose values nobody may print
	injected map[string]string
	room     *Room
}

// Variable is an entry of a manifest's environment.
type Variable struct {
	Name, Value string
	// Secret means that the value is that of a Secret, or may have it in it: never print it.
	Secret bool
}

// NewEnvironment evaluates a container's env and envFrom (docs/differences.md, Environment), on top
// of the caller's environment and below what Probity injects. An entry of the manifest that repeats
// a declared port in PORT or PORT_… gives way to the private port; any other entry of that name
// stays. What it holds comes out of the Pod's room; the error of what does not fit there is a
// [*TooLongError].
func NewEnvironment(pod *corev1.Pod, c *corev1.Container, objects Objects, caller []string, injected map[string]string, room *Room) (*Environment, error) {
	e := &Environment{
		caller: caller, services: serviceVariables(pod, objects), manifest: map[string]string{}, literal: map[string]string{}, secret: map[string]bool{},
		injected: maps.Clone(injected), room: room,
	}
	for _, v := range e.services {
		if err := room.take(len(v.Name)+len("=")+len(v.Value), "enableServiceLinks"); err != nil {
			return nil, err
		}
	}
	for i, from := range c.EnvFrom {
		if err := e.addAll(pod.Namespace, from, objects, fmt.Sprintf("envFrom[%d]", i)); err != nil {
			return nil, err
		}
	}
	for i, v := range c.Env {
		value, err := e.value(pod, c, v, objects, fmt.Sprintf("env[%d].value", i))
		if err != nil {
			return nil, err
		}
		if value == nil {
			continue // an optional reference to nothing
		}
		if err := e.set(v.Name, *value, fmt.Sprintf("env[%d]", i)); err != nil {
			return nil, err
		}
		e.secret[v.Name] = v.ValueFrom != nil && v.ValueFrom.SecretKeyRef != nil || strings.Contains(v.Value, "$(")
		e.literal[v.Name] = ""
		if v.ValueFrom == nil {
			e.literal[v.Name] = *value
		}
	}
	for name := range e.injected {
		if own, ok := e.manifest[name]; ok && strings.HasPrefix(name, "PORT") && !declaresPort(pod, own) {
			delete(e.injected, name)
		}
	}
	return e, nil
}

// declaresPort reports whether a container of a Pod has a port, which is given as text. It is asked
// for each container, so it makes nothing of all containers.
func declaresPort(pod *corev1.Pod, port string) bool {
	has := func(c corev1.Container) bool {
		return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return strconv.Itoa(int(p.ContainerPort)) == port })
	}
	return slices.ContainsFunc(pod.Spec.InitContainers, has) || slices.ContainsFunc(pod.Spec.Containers, has)
}

// set adds an entry of the manifest, from a field of the container, or replaces the one of that
// name.
func (e *Environment) set(name, value, field string) error {
	if err := e.room.take(len(name)+len("=")+len(value), field); err != nil {
		return err
	}
	if _, ok := e.manifest[name]; !ok {
		e.order = append(e.order, name)
	}
	e.manifest[name] = value
	return nil
}

// Rewrite gives each entry of the manifest the value that a function returns for it. What that adds
// comes out of the Pod's room as well.
func (e *Environment) Rewrite(value func(Variable) string) error {
	for _, name := range e.order {
		before := e.manifest[name]
		after := value(Variable{name, before, e.secret[name]})
		if after == before {
			continue
		}
		if err := e.room.take(max(0, len(after)-len(before)), "env"); err != nil {
			return err
		}
		e.manifest[name] = after
		if e.literal[name] == before {
			e.literal[name] = after
		}
	}
	return nil
}

// Lookup finds what $(NAME) stands for in a command, in args and in env: the variables of
// Services, the manifest's entries and what Probity injects.
func (e *Environment) Lookup(name string) (string, bool) {
	if value, ok := e.injected[name]; ok {
		return value, true
	}
	if value, ok := e.manifest[name]; ok {
		return value, true
	}
	i := slices.IndexFunc(e.services, func(v envvars.Variable) bool { return v.Name == name })
	if i < 0 {
		return "", false
	}
	return e.services[i].Value, true
}

// LookupStatic is Lookup for exec probes and hooks: an entry that is not a literal counts as empty,
// and Services are not known (R83).
func (e *Environment) LookupStatic(name string) (string, bool) {
	if value, ok := e.injected[name]; ok {
		return value, true
	}
	value, ok := e.literal[name]
	return value, ok
}

// List is the environment as a process gets it: every name once, in the order of the layers.
func (e *Environment) List() []string {
	last := map[string]string{}
	var order []string
	add := func(name, value string) {
		if _, ok := last[name]; !ok {
			order = append(order, name)
		}
		last[name] = value
	}
	for _, entry := range e.caller {
		if name, value, ok := strings.Cut(entry, "="); ok {
			add(name, value)
		}
	}
	for _, v := range e.services {
		add(v.Name, v.Value)
	}
	for _, name := range e.order {
		add(name, e.manifest[name])
	}
	for _, name := range slices.Sorted(maps.Keys(e.injected)) {
		add(name, e.injected[name])
	}
	for i, name := range order {
		order[i] = name + "=" + last[name]
	}
	return order
}
