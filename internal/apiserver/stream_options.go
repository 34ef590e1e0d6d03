package apiserver

import (
	"fmt"
	"net/url"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/apiserver/stream"
	"github.com/probity-run/probity/internal/store"
)

// streamOptions are those of the query of pods/exec and pods/attach.
type streamOptions struct {
	container string
	command   []string
	stream.Wants
}

// parseStreamOptions reads the query. The error is the API's BadRequest.
func parseStreamOptions(query url.Values) (streamOptions, error) {
	o := streamOptions{container: query.Get("container"), command: query["command"]}
	for name, to := range map[string]*bool{"stdin": &o.Stdin, "stdout": &o.Stdout, "stderr": &o.Stderr, "tty": &o.Terminal} {
		text := query.Get(name)
		if text == "" {
			continue
		}
		value, err := strconv.ParseBool(text)
		if err != nil {
			return o, badRequest(fmt.Sprintf("%s: %q must be true or false", name, text))
		}
		*to = value
	}
	if !o.Stdin && !o.Stdout && !o.Stderr {
		return o, badRequest("you must specify at least 1 of stdin, stdout, stderr")
	}
	return o, nil
}

// runningPod is the Pod of the request, if it runs.
func (c *call) runningPod() (*corev1.Pod, error) {
	pod, err := store.Get[*corev1.Pod](c.server.opts.Store, c.target.namespace, c.target.name)
	if err != nil {
		return nil, err
	}
	if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return nil, badRequest(fmt.Sprintf("pod %s has completed; its phase is %s", pod.Name, pod.Status.Phase))
	}
	return pod, nil
}

// runningContainer is the Pod of the request, and which of its containers is meant, if that runs.
func (c *call) runningContainer(name string) (*corev1.Pod, string, error) {
	pod, err := c.runningPod()
	if err != nil {
		return nil, "", err
	}
	if name, err = containerOf(pod, name); err != nil {
		return nil, "", err
	}
	status := statusOfContainer(pod, name)
	switch {
	case status == nil:
		err = badRequest(fmt.Sprintf("container %q in pod %q is not available", name, pod.Name))
	case status.State.Waiting != nil:
		err = badRequest(fmt.Sprintf("container %q in pod %q does not run: it is waiting: %s", name, pod.Name, status.State.Waiting.Reason))
	case status.State.Running == nil:
		err = badRequest(fmt.Sprintf("container %q in pod %q does not run: it has ended", name, pod.Name))
	}
	return pod, name, err
}
