package advisor

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// MentionsPort reports whether something in the manifests says that a container of the pod serves
// the port: a declared port of any protocol, a word of a command or its arguments, a variable, a
// Service that sends there, or the annotation of Prometheus.
func (w *Workload) MentionsPort(number int32) bool {
	text := strconv.Itoa(int(number))
	if hasNumber(w.Meta.Annotations["prometheus.io/port"], text) {
		return true
	}
	for _, s := range w.Services {
		if slices.ContainsFunc(s.Spec.Ports, func(p corev1.ServicePort) bool { return p.TargetPort == intstr.FromInt32(number) }) {
			return true
		}
	}
	return slices.ContainsFunc(w.Containers, func(c *Container) bool { return c.mentionsPort(number, text) })
}

func (c *Container) mentionsPort(number int32, text string) bool {
	named := func(word string) bool { return hasNumber(word, text) }
	return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.ContainerPort == number }) ||
		slices.ContainsFunc(c.Command, named) || slices.ContainsFunc(c.Args, named) ||
		slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return named(e.Value) })
}

// hasNumber reports whether a number stands in the text by itself, not inside a longer one.
func hasNumber(text, number string) bool {
	for i := 0; ; {
		at := strings.Index(text[i:], number)
		if at < 0 {
			return false
		}
		at += i
		end := at + len(number)
		if !isDigitAt(text, at-1) && !isDigitAt(text, end) {
			return true
		}
		i = end
	}
}

func isDigitAt(text string, i int) bool {
	return i >= 0 && i < len(text) && text[i] >= '0' && text[i] <= '9'
}
