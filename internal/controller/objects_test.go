package controller

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// setOf is the ReplicaSet of an image.
func (w *cluster) setOf(image string) *appsv1.ReplicaSet {
	for _, set := range list[*appsv1.ReplicaSet](w) {
		if set.Spec.Template.Spec.Containers[0].Image == image {
			return set
		}
	}
	return nil
}

// sizes are spec.replicas of the ReplicaSets, as "v1:2 v2:3"; those of size 0 are left out.
func (w *cluster) sizes() string {
	var words []string
	for _, set := range list[*appsv1.ReplicaSet](w) {
		if *set.Spec.Replicas > 0 {
			words = append(words, fmt.Sprintf("%s:%d", set.Spec.Template.Spec.Containers[0].Image, *set.Spec.Replicas))
		}
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// pods are the Pods that are not terminating, by image, as "v1:2 v2:3", and those that are as
// "v1:1x".
func (w *cluster) pods() string {
	count := map[string]int{}
	for _, pod := range list[*corev1.Pod](w) {
		image := pod.Spec.Containers[0].Image
		if pod.DeletionTimestamp != nil {
			image += "x"
		}
		count[image]++
	}
	var words []string
	for image, n := range count {
		name, suffix := strings.TrimSuffix(image, "x"), ""
		if name != image {
			suffix = "x"
		}
		words = append(words, fmt.Sprintf("%s:%d%s", name, n, suffix))
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

func (w *cluster) want(what, got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// progressing is the Progressing condition as "status reason".
func (w *cluster) progressing() string {
	for _, c := range get[*appsv1.Deployment](w, "web").Status.Conditions {
		if c.Type == appsv1.DeploymentProgressing {
			return fmt.Sprint(c.Status, " ", c.Reason)
		}
	}
	return "none"
}

// events are the messages of a reason, oldest first, each as often as it occurred.
func (w *cluster) events(reason string) (messages []string) {
	events := list[*corev1.Event](w)
	slices.SortFunc(events, func(a, b *corev1.Event) int {
		return strings.Compare(a.Name[strings.LastIndex(a.Name, "."):], b.Name[strings.LastIndex(b.Name, "."):])
	})
	for _, e := range events {
		if e.Reason == reason {
			messages = append(messages, slices.Repeat([]string{e.Message}, int(e.Count))...)
		}
	}
	return messages
}

// endpoints of a Service, in the order of their ports, as "40001 ready" or "40002 terminating".
func (w *cluster) endpoints(service string) string {
	var lines []string
	for _, slice := range w.slices(service) {
		var ports []string
		for _, p := range slice.Ports {
			ports = append(ports, fmt.Sprint(*p.Port))
		}
		for _, e := range slice.Endpoints {
			words := []string{strings.Join(ports, "+")}
			for i, is := range []*bool{e.Conditions.Ready, e.Conditions.Serving, e.Conditions.Terminating} {
				if *is {
					words = append(words, [...]string{"ready", "serving", "terminating"}[i])
				}
			}
			lines = append(lines, strings.Join(words, " "))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, ", ")
}

func (w *cluster) slices(service string) []*discoveryv1.EndpointSlice {
	return filter(list[*discoveryv1.EndpointSlice](w), func(s *discoveryv1.EndpointSlice) bool { return s.Labels[discoveryv1.LabelServiceName] == service })
}
