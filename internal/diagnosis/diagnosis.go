package diagnosis

import (
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/printable"
)

const (
	startup   = lifecycle.Startup
	readiness = lifecycle.Readiness
	liveness  = lifecycle.Liveness
)

// Diagnosis is what a person has to know of a Pod. All its texts are on one line and hold nothing
// that a terminal obeys.
type Diagnosis struct {
	State State
	// Attention says that a person should look: the Pod is not well, or about to be restarted.
	Attention bool
	// Check is the counter that matters, in at most ten columns: "2/3", "1/1 out", "never", "0:34",
	// "ok".
	Check string
	// Reason is one line for a list: the reason first, then what was asked, then the counter. It
	// is "" if there is nothing to say.
	Reason string
	// Cause is the same for Pods that have the same trouble, whatever their counters and times say.
	// It is no text for people.
	Cause string
	// Why says it at length, So what follows from it, Next what to do. So and Next may be "".
	Why, So, Next string
}

// Of diagnoses a Pod.
func Of(f Facts) Diagnosis {
	d := Diagnosis{State: f.stateOf()}
	switch d.State {
	case Stopping:
		f.stopping(&d)
	case Stopped:
		d.Why = "Every process of it has ended."
	case Complete:
		d.Why = f.completion()
	case Failed:
		f.failure(&d)
	case BackOff:
		f.backOff(&d)
	default:
		f.running(&d)
	}
	d.Attention = d.Attention || !d.State.Well()
	if d.Cause == "" {
		d.Cause = d.Reason
	}
	for _, text := range []*string{&d.Check, &d.Reason, &d.Why, &d.So, &d.Next} {
		*text = oneLine(*text)
	}
	return d
}

// running diagnoses a Pod that runs, or is about to.
func (f *Facts) running(d *Diagnosis) {
	if s := f.startError(); s != nil {
		f.cannotStart(d, s)
		return
	}
	if p := f.worst(); p != nil {
		f.probeFails(d, p)
		return
	}
	switch d.State {
	case Ready:
		d.Check, d.Why = "ok", f.wellText()
	case Out:
		d.Check, d.Why = "out", "Taken out of rotation by hand: the annotation "+outAnnotation+" says so. Its probes go on."
		d.So = f.leftText()
		d.Next = "press o to send requests to it again."
	default:
		f.notYet(d)
	}
}

// worst is the probe that matters most of those that fail: liveness, which leads to a restart, then
// startup, then readiness. It is nil if none does.
func (f *Facts) worst() *Probe {
	var worst *Probe
	rank := func(p *Probe) int {
		switch {
		case p == nil || p.Over || !p.Failed && (p.Passing || !p.Known):
			return 0
		case p.Type == liveness:
			return 3
		case p.Type == startup:
			return 2
		}
		return 1
	}
	for i := range f.Probes {
		if p := &f.Probes[i]; rank(p) > rank(worst) {
			worst = p
		}
	}
	return worst
}

// wellText says what the probes of a Pod found that is well.
func (f *Facts) wellText() string {
	var parts []string
	for _, p := range f.Probes {
		if p.Over || p.At.IsZero() {
			continue
		}
		name := strings.ToLower(string(p.Type))
		switch spec := f.specOf(p); {
		case spec == nil || spec.HTTPGet == nil:
			name += " passed"
		case p.Status != 0:
			name += " " + strconv.Itoa(p.Status)
		default:
			name += " answered"
		}
		parts = append(parts, name+" in "+Latency(p.Took))
	}
	text := "Runs; no probe is asked."
	if len(parts) > 0 {
		text = strings.ToUpper(parts[0][:1]) + parts[0][1:]
		if len(parts) > 1 {
			text += ", " + strings.Join(parts[1:], ", ")
		}
		text += "."
	}
	if len(f.Services) > 0 {
		text += " In rotation of service/" + strings.Join(f.Services, ", service/") + "."
	}
	return text
}

// notYet diagnoses a Pod that is not ready although nothing failed.
func (f *Facts) notYet(d *Diagnosis) {
	if !f.anyRunning() {
		d.Why = "No container of it runs yet."
		if reason := f.waitReason(); reason != "" {
			d.Reason, d.Why = reason, reason+"."
		}
		return
	}
	for _, p := range f.Probes {
		spec := f.specOf(p)
		if p.Over || p.Passing && p.Known || spec == nil || p.Type == liveness {
			continue
		}
		what := f.asked(p, false)
		if p.Threshold > 1 && p.Run > 0 && !p.Failed {
			d.Check = fraction(p.Run, p.Threshold)
			d.Reason = what + " · " + d.Check + " successes"
			d.Why = what + " answers; " + strconv.Itoa(p.Run) + " of the " + strconv.Itoa(p.Threshold) + " successes in a row that it takes."
			return
		}
		d.Reason = "first " + strings.ToLower(string(p.Type)) + " attempt is due · " + what
		d.Why = "Runs; " + what + " was not asked yet" + delayText(spec) + "."
		return
	}
	if gates := f.closedGates(); gates != "" {
		d.Reason = "waits for readiness gate " + gates
		d.Why = "Its containers are ready; the Pod waits for readiness gate " + gates + "."
		return
	}
	d.Why = "Runs; it is about to become ready."
}

func delayText(p *corev1.Probe) string {
	if p.InitialDelaySeconds == 0 {
		return ""
	}
	return " (initialDelaySeconds: " + strconv.Itoa(int(p.InitialDelaySeconds)) + ")"
}

func (f *Facts) closedGates() string {
	var closed []string
	for _, gate := range f.Pod.Spec.ReadinessGates {
		open := false
		for _, c := range f.Pod.Status.Conditions {
			open = open || c.Type == gate.ConditionType && c.Status == corev1.ConditionTrue
		}
		if !open {
			closed = append(closed, string(gate.ConditionType))
		}
	}
	return strings.Join(closed, ", ")
}

// stopping diagnoses a Pod that is being deleted.
func (f *Facts) stopping(d *Diagnosis) {
	kill := f.killAt()
	left := kill.Sub(f.Now)
	requests := ""
	if f.InFlight > 0 {
		requests = count(f.InFlight, "request") + " in flight"
	}
	parts := []string{}
	if requests != "" {
		parts = append(parts, requests)
	}
	if !kill.IsZero() {
		d.Check = Clock(left)
		parts = append(parts, "SIGKILL in "+d.Check)
	}
	d.Reason, d.Cause = strings.Join(parts, " · "), "stopping"
	d.Why = "Stopping: the stop signal was sent"
	if d.Reason != "" {
		d.Why += ", " + d.Reason
	}
	d.Why += "."
	d.So = "Out of rotation; startup and liveness are not probed while stopping."
}

func (f *Facts) killAt() time.Time {
	for _, c := range f.Containers {
		if !c.KillAt.IsZero() {
			return c.KillAt
		}
	}
	if f.Pod.DeletionTimestamp != nil {
		return f.Pod.DeletionTimestamp.Time
	}
	return time.Time{}
}

// completion says how a Pod ended that Succeeded.
func (f *Facts) completion() string {
	for _, s := range f.Pod.Status.ContainerStatuses {
		if end := s.State.Terminated; end != nil {
			return "Exit 0 after " + f.ranText(s.Name, end) + "."
		}
	}
	return "Every container has succeeded."
}

// oneLine is a text on one line, without what a terminal obeys.
func oneLine(text string) string {
	return printable.Line(strings.Join(strings.Fields(printable.Text(text)), " "))
}
