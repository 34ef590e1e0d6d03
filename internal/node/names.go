package node

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/program"
)

// Names lets the programs of Pods find each other by name. Its methods are called by the goroutines
// of all Pods.
type Names interface {
	// Prepare makes what the processes of a Pod see of names, before the first of them starts. The
	// Pod's status has its addresses, if it has any of its own. After an error it is called again.
	Prepare(pod *corev1.Pod) (PodNames, error)
	// Variable is the value that a program gets of an entry of the manifest's environment, which
	// may name a Service. It is called after Prepare.
	Variable(pod *corev1.Pod, container string, v program.Variable) string
	// Release takes back what Prepare has made. It is called when nothing of the Pod is left.
	Release(pod *corev1.Pod) error
}

// PodNames are what the processes of a Pod see of names.
type PodNames struct {
	// Hostname is for the variable HOSTNAME, which the manifest may overwrite. Empty: it is as in
	// the environment below.
	Hostname string
	// Namespace is where every process of the Pod lives. Nil: they see the machine as it is.
	Namespace *process.Namespace
}

// above is an environment with the Pod's variables on top.
func (n *PodNames) above(environ []string) []string {
	if n.Hostname == "" {
		return environ
	}
	return append(environ[:len(environ):len(environ)], "HOSTNAME="+n.Hostname)
}

// noNames leaves names alone.
type noNames struct{}

// Prepare implements [Names].
func (noNames) Prepare(*corev1.Pod) (PodNames, error) { return PodNames{}, nil }

// Variable implements [Names].
func (noNames) Variable(_ *corev1.Pod, _ string, v program.Variable) string { return v.Value }

// Release implements [Names].
func (noNames) Release(*corev1.Pod) error { return nil }
