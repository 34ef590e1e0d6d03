package evidence

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/printable"
)

// probeTypes is how many types of probes there are; they are numbered in the order of
// [probeFields].
const probeTypes = 3

// probeFields are the fields of probes, by the number of their type.
func probeFields() [probeTypes]advisor.ProbeField {
	return [probeTypes]advisor.ProbeField{advisor.StartupProbe, advisor.ReadinessProbe, advisor.LivenessProbe}
}

// probeType is the number of a type of probe by its name, in any case; -1 if there is none.
func probeType(name string) int {
	for i, field := range probeFields() {
		if strings.EqualFold(name+"Probe", string(field)) {
			return i
		}
	}
	return -1
}

// maxWords is how many bytes are kept of what a probe has said: it may quote a whole page.
const maxWords = 160

// AddEvent takes an Event: those that the kubelet writes about probes of Pods that are known count,
// so that Pods have to come before. They are floors: the kubelet has a budget for the Events of a
// Pod, and writes none beyond it.
func (o *Observations) AddEvent(e *corev1.Event) {
	if e.Reason != "Unhealthy" && e.Reason != "Killing" || e.InvolvedObject.Kind != "Pod" {
		return
	}
	p := o.pods[e.InvolvedObject.UID]
	if p == nil {
		return
	}
	c := p.find(containerOf(e.InvolvedObject.FieldPath))
	if c == nil {
		return
	}
	if e.Reason == "Killing" {
		if kind := killer(e.Message); kind >= 0 {
			killed := &c.probes[kind]
			killed.kills += countOf(e)
			if first := e.FirstTimestamp.Time; !first.IsZero() {
				killed.renewed = max(killed.renewed, lastOf(e).Sub(first))
			}
		}
		return
	}
	kind, words := failure(e.Message)
	if kind < 0 {
		return
	}
	failed := &c.probes[kind]
	failed.events += countOf(e)
	if at := lastOf(e); failed.words == "" || at.After(failed.last) {
		failed.words, failed.last = printable.CutMiddle(strings.Clone(words), maxWords), at
	}
}

// ForgetEvents forgets what Events of a namespace have told, or of all if that is "", because their
// list begins again.
func (o *Observations) ForgetEvents(namespace string) {
	for _, p := range o.pods {
		if namespace != "" && p.workload.Namespace != namespace {
			continue
		}
		for i := range p.containers {
			for kind := range p.containers[i].probes {
				p.containers[i].probes[kind] = probe{exact: p.containers[i].probes[kind].exact}
			}
		}
	}
}

// containerOf is the container that a field path of an Event names: spec.containers{web}.
func containerOf(path string) string {
	_, name, _ := strings.Cut(path, "{")
	return strings.TrimSuffix(name, "}")
}

// killer is the type of the probe for which the kubelet says that it kills a container, or -1.
func killer(message string) int {
	for i, field := range probeFields() {
		if strings.Contains(message, " failed "+strings.TrimSuffix(string(field), "Probe")+" probe") {
			return i
		}
	}
	return -1
}

// failure reads what the kubelet says of a probe that failed: its type and its words.
func failure(message string) (kind int, words string) {
	before, words, ok := strings.Cut(message, ": ")
	name, outcome, isProbe := strings.Cut(before, " probe ")
	if !ok || !isProbe || outcome != "failed" && !strings.HasPrefix(outcome, "errored") {
		return -1, ""
	}
	return probeType(name), words
}

// countOf is how often an Event says that it happened.
func countOf(e *corev1.Event) int {
	n := int(e.Count)
	if e.Series != nil {
		n = max(n, int(e.Series.Count))
	}
	return max(n, 1)
}

func lastOf(e *corev1.Event) time.Time {
	if e.Series != nil && e.Series.LastObservedTime.After(e.LastTimestamp.Time) {
		return e.Series.LastObservedTime.Time
	}
	return e.LastTimestamp.Time
}
