package live

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/terminal/screen"
)

// details are what the page of a Pod shows below its card; nil if it is gone.
func (h *hub) details(id string, now time.Time) *screen.Details {
	h.mu.Lock()
	defer h.mu.Unlock()
	var pod *corev1.Pod
	for uid, p := range h.pods {
		if string(uid) == id {
			pod = p
		}
	}
	if pod == nil {
		return nil
	}
	d := &screen.Details{ID: id}
	facts := h.facts(pod, now)
	past := h.past[pod.UID]
	for i := range facts.Probes {
		if p := h.probeOf(pod, &facts.Probes[i], past); p != nil {
			d.Probes = append(d.Probes, *p)
		}
	}
	d.Attempts = h.attempts(pod)
	d.Exchanged, d.Exchange = h.exchange(pod)
	d.History = h.history(pod)
	d.Facts = podFacts(pod)
	d.Environment = h.environment(pod)
	return d
}

func (h *hub) probeOf(pod *corev1.Pod, p *diagnosis.Probe, past *past) *screen.Probe {
	c, spec := lifecycle.ProbeOf(&pod.Spec, p.Container, p.Type)
	if spec == nil {
		return nil
	}
	out := &screen.Probe{Name: strings.ToLower(string(p.Type)), Failing: p.Failed, Counter: counted(p)}
	if len(lifecycle.Containers(&pod.Spec)) > 1 {
		out.Name = clean(p.Container) + " " + out.Name
	}
	if seen := past.probes[history.Key{Container: p.Container, Type: string(p.Type)}]; seen != nil {
		out.Strip = seen.strip
	}
	out.Strip.Merge(&past.restarts)
	parts := []string{diagnosis.Asked(c, spec, false), fmt.Sprintf("every %d s", spec.PeriodSeconds), fmt.Sprintf("timeout %d s", spec.TimeoutSeconds)}
	switch p.Type {
	case lifecycle.Readiness:
		parts = append(parts, fmt.Sprintf("out after %d", spec.FailureThreshold), fmt.Sprintf("back after %d", spec.SuccessThreshold))
	default:
		parts = append(parts, fmt.Sprintf("restarts after %d", spec.FailureThreshold))
	}
	out.Asks = clean(strings.Join(parts, " · "))
	return out
}

// counted is what a probe has counted, in few words: "2/3", "in".
func counted(p *diagnosis.Probe) string {
	switch {
	case p.Over:
		return "done"
	case p.At.IsZero():
		return "not asked yet"
	case !p.Failed && p.Passing && p.Type == lifecycle.Readiness:
		return "in"
	case !p.Failed && p.Passing:
		return "ok"
	}
	return itoa(min(p.Run, p.Threshold)) + "/" + itoa(p.Threshold)
}

func podFacts(pod *corev1.Pod) [][2]string {
	var facts [][2]string
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, [2]string{name, clean(value)})
		}
	}
	add("namespace", pod.Namespace)
	add("address", pod.Status.PodIP)
	add("made", pod.CreationTimestamp.Local().Format("2006-01-02 15:04:05"))
	add("manifest", pod.Annotations["probity.run/manifest"])
	for _, c := range lifecycle.Containers(&pod.Spec) {
		command := pod.Annotations["probity.run/command."+c.Name]
		add("container", c.Name+": "+cmp.Or(command, strings.Join(slices.Concat(c.Command, c.Args), " "), c.Image))
	}
	return facts
}

// environment are the variables that the manifest sets, and the ports.
func (h *hub) environment(pod *corev1.Pod) []screen.Variable {
	var all []screen.Variable
	for _, c := range lifecycle.Containers(&pod.Spec) {
		for i, p := range node.Annotated(pod, c).Ports {
			if i == 0 {
				all = append(all, screen.Variable{Name: "PORT", Value: itoa(p.Actual)})
			}
		}
		for _, e := range c.Env {
			v := screen.Variable{Name: clean(e.Name), Value: clean(e.Value)}
			switch from := e.ValueFrom; {
			case from == nil:
			case from.SecretKeyRef != nil:
				v.Secret, v.From = true, clean("Secret "+from.SecretKeyRef.Name+", key "+from.SecretKeyRef.Key)
				v.Value = h.secret(pod.Namespace, from.SecretKeyRef.Name, from.SecretKeyRef.Key)
			case from.ConfigMapKeyRef != nil:
				v.From = clean("ConfigMap " + from.ConfigMapKeyRef.Name + ", key " + from.ConfigMapKeyRef.Key)
				v.Value = h.configMap(pod.Namespace, from.ConfigMapKeyRef.Name, from.ConfigMapKeyRef.Key)
			case from.FieldRef != nil:
				v.From = clean(from.FieldRef.FieldPath)
			}
			all = append(all, v)
		}
	}
	return all
}

func (h *hub) secret(namespace, name, key string) string {
	if h.run.Store == nil {
		return ""
	}
	s, err := store.Get[*corev1.Secret](h.run.Store, namespace, name)
	if err != nil {
		return "(there is no such Secret)"
	}
	if text, ok := s.StringData[key]; ok {
		return clean(text)
	}
	return clean(string(s.Data[key]))
}

func (h *hub) configMap(namespace, name, key string) string {
	if h.run.Store == nil {
		return ""
	}
	m, err := store.Get[*corev1.ConfigMap](h.run.Store, namespace, name)
	if err != nil {
		return "(there is no such ConfigMap)"
	}
	return clean(m.Data[key])
}
