package program

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
)

// CommandLine is what runs for a container, before $(NAME) is expanded: the annotation if there is
// one, else command and args.
func CommandLine(pod *corev1.Pod, c *corev1.Container) ([]string, error) {
	if line, ok := pod.Annotations[manifest.AnnotationCommand+c.Name]; ok {
		words, err := manifest.SplitWords(line)
		if err != nil {
			return nil, fmt.Errorf("cannot read annotation %s%s: %w", manifest.AnnotationCommand, c.Name, err)
		}
		if len(words) == 0 {
			return nil, fmt.Errorf("cannot run container %s: annotation %s%s is empty", c.Name, manifest.AnnotationCommand, c.Name)
		}
		return words, nil
	}
	if len(c.Command) == 0 {
		return nil, &NoProgramError{c}
	}
	return append(append([]string{}, c.Command...), c.Args...), nil
}

// NoProgramError is the error of a container with an image alone.
type NoProgramError struct{ Container *corev1.Container }

func (e *NoProgramError) Error() string {
	return fmt.Sprintf("cannot run image %s of container %s here: say which program stands for it, with the Pod annotation "+
		"%s%s: ./program --flag, or with --command %[2]s='./program --flag'", printable.Quote(e.Container.Image), e.Container.Name, manifest.AnnotationCommand, e.Container.Name)
}

// CommandField names where a word of that command line stands, seen from the container.
func CommandField(pod *corev1.Pod, c *corev1.Container, word int) string {
	if _, ok := pod.Annotations[manifest.AnnotationCommand+c.Name]; ok {
		return "metadata.annotations[" + manifest.AnnotationCommand + c.Name + "]"
	}
	if word < len(c.Command) {
		return fmt.Sprintf("command[%d]", word)
	}
	return fmt.Sprintf("args[%d]", word-len(c.Command))
}

// Handler is the command of an exec probe or hook, and where it stands in its container.
type Handler struct {
	Command []string
	Field   string
}

// Expand replaces $(NAME) in the words, as the kubelet does for a handler (R83).
func (h Handler) Expand(env *Environment, room *Room) ([]string, error) {
	return room.Expand(h.Command, env.LookupStatic, func(word int) string { return fmt.Sprintf("%s[%d]", h.Field, word) })
}

// Handlers lists the exec probes and hooks of a container.
func Handlers(c *corev1.Container) (all []Handler) {
	add := func(exec *corev1.ExecAction, field string) {
		if exec != nil {
			all = append(all, Handler{exec.Command, field + ".exec.command"})
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
