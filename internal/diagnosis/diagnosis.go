package diagnosis

import (
	"strconv"
	"strings"

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
	f.fault(&d)
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
		if f.Told {
			f.toldFails(d, p)
		} else {
			f.probeFails(d, p)
		}
		return
	}
	if name := f.restarting(); name != "" {
		f.restarts(d, name)
		return
	}
	switch d.State {
	case Ready:
		d.Check, d.Why = "ok", f.wellText()
		if left := f.readyChanged().Add(f.Workload.MinReady).Sub(f.Now); left > 0 {
			d.Reason, d.Cause = "counts as available in "+Clock(left)+f.Style.dot()+"minReadySeconds", "minReadySeconds"
			d.So = "Until then it serves, and a rollout waits for it."
		}
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
		case p == nil || p.Over || !p.Failed:
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
	if f.Told {
		return f.toldWell()
	}
	var parts []string
	for _, p := range f.Probes {
		if p.Over || p.At.IsZero() {
			continue
		}
		name := strings.ToLower(string(p.Type))
		switch spec := f.specOf(&p); {
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
