package lines

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/facts"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/printable"
)

// whyNotReady is the reason for which a Pod is not ready.
func (r *Reporter) whyNotReady(p *pod, now time.Time) string {
	return reasonOf(diagnosis.Of(r.facts(p, now)))
}

func reasonOf(d diagnosis.Diagnosis) string {
	return cmp.Or(d.Reason, "its containers are being started")
}

// advice is why a Pod is not ready, and what can be done about it; "" if nothing follows from what
// is known.
func (r *Reporter) advice(p *pod, now time.Time) (reason, next string) {
	f := r.facts(p, now)
	r.lookForListeners(p, &f)
	d := diagnosis.Of(f)
	return reasonOf(d), strings.TrimSuffix(d.Next, ".")
}

// facts are what is known of a Pod that is not ready, but for where it listens. The liveness probe
// is left out: what that finds has lines of its own.
func (r *Reporter) facts(p *pod, now time.Time) diagnosis.Facts {
	f := diagnosis.Facts{Now: now, Pod: p.object, Containers: map[string]diagnosis.Container{}, Style: r.style()}
	if r.opts.Place != nil {
		f.Place = func(field string) string { return r.opts.Place(p.object, field) }
	}
	f.HasService = func(name string) bool {
		return r.services[types.NamespacedName{Namespace: p.object.Namespace, Name: name}] != nil
	}
	for _, c := range lifecycle.Containers(&p.object.Spec) {
		f.Containers[c.Name] = facts.Container(p.object, c, r.opts.History)
	}
	for _, status := range slices.Concat(p.object.Status.InitContainerStatuses, p.object.Status.ContainerStatuses) {
		known := f.Containers[status.Name]
		known.Ran = p.container(status.Name).ran
		if end := endOf(status); end != nil && status.State.Running == nil {
			known.LastWords, _ = r.lastOutput(p, status) // the line of its end has told an error
		}
		f.Containers[status.Name] = known
		if status.State.Running == nil {
			continue
		}
		for _, t := range []lifecycle.ProbeType{lifecycle.Startup, lifecycle.Readiness} {
			if _, spec := lifecycle.ProbeOf(&p.object.Spec, status.Name, t); spec != nil {
				r.takeSuccesses(p, status.Name, t, now)
				probe := p.probe(status.Name, t, spec)
				probe.Over = t == lifecycle.Startup && status.Started != nil && *status.Started
				probe.Passing = t == lifecycle.Readiness && status.Ready
				f.Probes = append(f.Probes, probe)
			}
		}
	}
	return f
}

// lookForListeners asks where a Pod listens if a probe finds nobody.
func (r *Reporter) lookForListeners(p *pod, f *diagnosis.Facts) {
	if r.opts.Listeners == nil || !slices.ContainsFunc(f.Probes, func(probe diagnosis.Probe) bool { return probe.Failed && f.Refused(&probe) }) {
		return
	}
	for name, found := range r.opts.Listeners(p.object.UID) {
		c := f.Containers[name]
		c.Listeners, c.Looked = found, true
		f.Containers[name] = c
	}
}

// probe is what is known of a probe of an instance that runs.
func (p *pod) probe(container string, t lifecycle.ProbeType, spec *corev1.Probe) diagnosis.Probe {
	row := p.container(container).row(t)
	probe := diagnosis.Probe{
		Container: container, Type: t, Attempts: row.attempts, At: row.last.Time, Output: row.last.Output, Known: !row.last.Time.IsZero(), EverPassed: row.succeeded,
		Failed: row.failures > 0, Unevaluated: row.last.Outcome == Unevaluated, Run: row.failures, Threshold: max(int(spec.FailureThreshold), 1),
	}
	if row.failures == 0 {
		probe.Run, probe.Threshold = row.successes, max(int(spec.SuccessThreshold), 1)
	}
	return probe
}

// found is what the last attempt of a probe found, which failed, and how far it has counted:
// "timeout 1 s · GET /livez · 2/3".
func (r *Reporter) found(p *pod, container string, t lifecycle.ProbeType, spec *corev1.Probe) string {
	f, probe := diagnosis.Facts{Pod: p.object, Style: r.style()}, p.probe(container, t, spec)
	return f.Found(&probe)
}

// style is how things are put in a line.
func (r *Reporter) style() diagnosis.Style {
	style := diagnosis.Style{Quote: quoted, NoKeys: true}
	if r.opts.Plain {
		style.Dot = ", "
	}
	return style
}

// maxText is how many characters of what others wrote a line quotes.
const maxText = 200

// quoted is a text of others in Go's quotes.
func quoted(text string) string {
	return printable.Inert(strconv.Quote(cut(strings.TrimSpace(text))))
}

// shortened is a text of others on one line.
func shortened(text string) string {
	return printable.Inert(cut(strings.ReplaceAll(strings.TrimSpace(text), "\n", " ")))
}

// cut is the beginning of a text that is too long for a line.
func cut(text string) string {
	if runes := []rune(text); len(runes) > maxText {
		return string(runes[:maxText]) + "…"
	}
	return text
}
