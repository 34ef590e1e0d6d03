package node

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// maxPodStrings is how many bytes the environments and command lines of a Pod may have in all: as
// much as Linux takes for one program with its usual stack of 8 MiB. References to references, and
// one ConfigMap under many prefixes, would otherwise fill the memory.
const maxPodStrings = 2 << 20

// room is what is left of maxPodStrings for a Pod.
type room struct{ left int }

func newRoom() *room { return &room{maxPodStrings} }

// oversize is the error for strings of a manifest that are too long to start a program with.
type oversize struct {
	field string // below the container, such as env[3].value
	err   error
}

func (e *oversize) Error() string { return fmt.Sprintf("cannot use %s: %v", e.field, e.err) }

// Unwrap returns what is wrong with the field.
func (e *oversize) Unwrap() error { return e.err }

// take makes room for a string of a field of a container.
func (r *room) take(bytes int, field string) error {
	if bytes > manifest.MaxString {
		return &oversize{field, fmt.Errorf("it gives %d bytes, and no program can be started with a string of more than %d: shorten it", bytes, manifest.MaxString)}
	}
	if r.left -= bytes; r.left < 0 {
		return &oversize{field, fmt.Errorf("with it, the environments and command lines of this Pod have more than %d bytes once $(NAME) is replaced in them: "+
			"let the programs read large values from a volume", maxPodStrings)}
	}
	return nil
}

// expand replaces $(NAME) in the words of a command line; field is where they stand in the
// container, and word the place of one of them.
func (r *room) expand(words []string, lookup func(string) (string, bool), field func(word int) string) ([]string, error) {
	expanded := make([]string, len(words))
	for i, word := range words {
		var err error
		if expanded[i], err = manifest.Expand(word, lookup); err != nil {
			return nil, &oversize{field(i), err}
		}
		if err := r.take(len(expanded[i])+len("\x00"), field(i)); err != nil {
			return nil, err
		}
	}
	return expanded, nil
}

// handler is the command of an exec probe or hook, and where it stands in its container.
type handler struct {
	command []string
	field   string
}

func (h handler) word(i int) string { return fmt.Sprintf("%s[%d]", h.field, i) }

// execHandlers lists the exec probes and hooks of a container.
func execHandlers(c *corev1.Container) (all []handler) {
	add := func(exec *corev1.ExecAction, field string) {
		if exec != nil {
			all = append(all, handler{exec.Command, field + ".exec.command"})
		}
	}
	for _, p := range []struct {
		probe *corev1.Probe
		field string
	}{{c.StartupProbe, "startupProbe"}, {c.ReadinessProbe, "readinessProbe"}, {c.LivenessProbe, "livenessProbe"}} {
		if p.probe != nil {
			add(p.probe.Exec, p.field)
		}
	}
	if hooks := c.Lifecycle; hooks != nil {
		if hooks.PostStart != nil {
			add(hooks.PostStart.Exec, "lifecycle.postStart")
		}
		if hooks.PreStop != nil {
			add(hooks.PreStop.Exec, "lifecycle.preStop")
		}
	}
	return all
}
