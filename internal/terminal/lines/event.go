package lines

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/store"
)

// told are the reasons of Warnings that the lines tell in their own words.
var told = []string{"Unhealthy", "BackOff", "RequestsLost", "Failed"}

func (r *Reporter) onEvent(change watch.EventType, e *corev1.Event, now time.Time) error {
	if change == watch.Deleted {
		return nil
	}
	version, err := strconv.ParseUint(e.ResourceVersion, 10, 64)
	if err != nil {
		return fmt.Errorf("cannot read the version of Event %s: %w", e.Name, err)
	}
	if version <= r.event {
		return nil // it comes once more because others were missed
	}
	r.event = version
	p := r.pods[e.InvolvedObject.UID]
	switch {
	case e.Reason == "Unhealthy" && p != nil:
		r.onUnhealthy(p, e, now)
	case e.Reason == "Killing" && p != nil:
		r.onKilling(p, containerOf(e), e.Message, now)
	case e.Type == corev1.EventTypeWarning && !slices.Contains(told, e.Reason), e.Source.Component == "probity" && e.Reason != "Listening":
		r.note(p, e)
	}
	return nil
}

// onUnhealthy takes a failed attempt, as its Event tells of it: at once, and before what follows
// from it.
func (r *Reporter) onUnhealthy(p *pod, e *corev1.Event, now time.Time) {
	probe, output, _ := strings.Cut(e.Message, " probe ")
	a := Attempt{Pod: e.InvolvedObject.UID, Container: containerOf(e), Probe: lifecycle.ProbeType(probe), Time: store.LastSeen(e), Outcome: Failed, Output: output}
	if text, ok := strings.CutPrefix(output, "failed: "); ok {
		a.Output = text
	} else {
		a.Outcome = Unevaluated
	}
	r.takeSuccesses(p, a.Container, a.Probe, a.Time)
	r.Attempt(a, now)
}

// takeSuccesses takes what a probe found well until an instant: nobody tells of that when it
// happens.
func (r *Reporter) takeSuccesses(p *pod, container string, t lifecycle.ProbeType, until time.Time) {
	c := p.container(container)
	for _, a := range r.opts.History.Attempts(p.object.UID, history.Key{Container: container, Type: string(t)}, c.seen[t]) {
		if !a.Time.Before(until) {
			return // it came later, and so does its turn
		}
		c.seen[t] = a.Seq
		if (a.Outcome == history.Answered || a.Outcome == history.Warning) && a.Instance == c.restarts {
			r.Attempt(Attempt{Pod: p.object.UID, Container: container, Probe: t, Time: a.Time, Outcome: Succeeded}, a.Time)
		}
	}
}

// onKilling tells of a kill because of a probe.
func (r *Reporter) onKilling(p *pod, name, message string, now time.Time) {
	t := lifecycle.Liveness
	switch {
	case strings.Contains(message, "failed startup probe"):
		t = lifecycle.Startup
	case !strings.Contains(message, "failed liveness probe"):
		return // a deletion
	}
	_, spec := lifecycle.ProbeOf(&p.object.Spec, name, t)
	if spec == nil || p.leaving() {
		return
	}
	text := p.prefix(name) + strings.ToLower(string(t)) + " probe failed"
	if !p.container(name).row(t).last.Time.IsZero() {
		text = r.found(p, name, t, spec)
	}
	grace := gracePeriod(p.object)
	if spec.TerminationGracePeriodSeconds != nil {
		grace = time.Duration(*spec.TerminationGracePeriodSeconds) * time.Second
	}
	text += fmt.Sprintf("; %s, up to %s", stopSignal(p.object, name), seconds(grace))
	if !strings.Contains(message, "restarted") && !isInit(p.object, name) {
		text += ", and it is not started again"
	}
	r.say(now, Restart, p.ref(), text)
}

// note passes on an Event, once for each Pod and text. Of the warnings of a probe it is the first:
// what a service answers may be another text each time.
func (r *Reporter) note(p *pod, e *corev1.Event) {
	about := ref(e.InvolvedObject.Kind, e.InvolvedObject.Namespace, e.InvolvedObject.Name)
	text := fmt.Sprintf("%s: %s: %s", printable.Line(about), printable.Line(e.Reason), shortened(e.Message))
	if p != nil {
		key := text
		if e.Reason == "ProbeWarning" {
			probe, _, _ := strings.Cut(e.Message, " ")
			key = fmt.Sprintf("%s %s %s", e.Reason, containerOf(e), probe)
		}
		if p.notes[key] {
			return
		}
		p.notes[key] = true
	}
	r.opts.Note(text)
}

// containerOf is the container that an Event is about, "" if it is about the Pod.
func containerOf(e *corev1.Event) string {
	_, rest, _ := strings.Cut(e.InvolvedObject.FieldPath, "{")
	return strings.TrimSuffix(rest, "}")
}

// stopSignal is what a container is sent at its end.
func stopSignal(pod *corev1.Pod, name string) string {
	for _, c := range lifecycle.Containers(&pod.Spec) {
		if c.Name == name && c.Lifecycle != nil && c.Lifecycle.StopSignal != nil {
			return string(*c.Lifecycle.StopSignal)
		}
	}
	return string(corev1.SIGTERM)
}
