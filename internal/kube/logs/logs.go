package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/lifecycle"
)

// Options say which lines are wanted.
type Options struct {
	// Container is the one that is wanted of each Pod; "" means all.
	Container string
	// Previous asks for the instances before.
	Previous bool
	// Since leaves out what was printed before.
	Since time.Time
	// Tail is how many lines from the end of each log are wanted; nil means all.
	Tail *int64
	// Follow goes on with what is printed from now on.
	Follow bool
}

// Reader reads the logs of Pods. Make it with [New]; it belongs to one goroutine.
type Reader struct {
	client  *kube.Client
	options Options
	yield   func(Line) error
	seams   map[key]*seam
}

// New makes a Reader that gives lines to a function, one at a time, from the goroutine that calls
// it. An error of that ends the reading.
func New(client *kube.Client, options Options, yield func(Line) error) *Reader {
	return &Reader{client, options, yield, map[key]*seam{}}
}

// NothingError says why there is nothing to read.
type NothingError struct{ Reasons []error }

func (e *NothingError) Error() string { return errors.Join(e.Reasons...).Error() }

// Read gives what the containers of Pods have printed, in the order of the times. A container that
// has no log yet is left out; if no other has one, the error is a [*NothingError].
func (r *Reader) Read(ctx context.Context, pods []*corev1.Pod) error {
	var sources []*source
	defer func() {
		for _, s := range sources {
			s.close()
		}
	}()
	var reasons []error
	for _, pod := range pods {
		for _, container := range r.wanted(pod) {
			s, err := open(ctx, r.client, pod, container, kube.LogOptions{Previous: r.options.Previous, Since: r.options.Since, Tail: r.options.Tail})
			if err != nil {
				reasons = append(reasons, kube.AwayNode(pod, err))
				continue
			}
			sources = append(sources, s)
			r.seam(pod, container).restarts = restartsOf(pod, container)
		}
	}
	if len(sources) == 0 && len(reasons) > 0 {
		return &NothingError{reasons}
	}
	return merge(sources, r.give)
}

// wanted are the containers of a Pod that are.
func (r *Reader) wanted(pod *corev1.Pod) (names []string) {
	for _, c := range lifecycle.Containers(&pod.Spec) {
		if r.options.Container == "" || c.Name == r.options.Container {
			names = append(names, c.Name)
		}
	}
	return names
}

// CheckContainer says that none of the Pods has the container that is wanted.
func CheckContainer(pods []*corev1.Pod, container string) error {
	if container == "" || len(pods) == 0 {
		return nil
	}
	var names []string
	for _, pod := range pods {
		for _, c := range lifecycle.Containers(&pod.Spec) {
			if c.Name == container {
				return nil
			}
			if !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	return fmt.Errorf("there is no container %s in %s: there are %v", container, kube.RefTo(pods[0]), names)
}

// restartsOf is how often a container was restarted, as its Pod says; -1 if it does not.
func restartsOf(pod *corev1.Pod, container string) int32 {
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if status.Name == container {
			return status.RestartCount
		}
	}
	return -1
}

// seam is that of a container.
func (r *Reader) seam(pod *corev1.Pod, container string) *seam {
	k := key{pod.UID, container}
	if r.seams[k] == nil {
		r.seams[k] = &seam{restarts: -1}
	}
	return r.seams[k]
}

// give gives a line that was not given before.
func (r *Reader) give(line Line) error {
	r.seam(line.Pod, line.Container).pass(line)
	return r.yield(line)
}
