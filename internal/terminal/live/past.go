package live

import (
	"cmp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/terminal/screen"
)

// past is what was read of a Pod's history so far, in the form in which it is shown.
type past struct {
	attended time.Time // when it last needed attention
	version  uint64
	probes   map[history.Key]*probePast
	restarts screen.Strip
	started  time.Time // of the newest restart in it
	looked   listeners
	placed   whereabouts // of the Pod's object as it is now; the zero value before somebody asked
}

// probePast is what was read of a probe.
type probePast struct {
	strip        screen.Strip
	seq          uint64          // of the newest attempt that was read
	last         history.Attempt // that one
	passed       bool            // an attempt of this instance was a success
	count        int             // attempts of this instance
	failingSince time.Time       // when the result in effect became a failure; zero while it is none
	took         [100]time.Duration
	taken        int // how many successes were noted in took
}

// read takes what is new of a probe, of which mostly the latest attempt is all.
func (p *probePast) read(reader history.Reader, pod types.UID, latest *history.ProbeSummary, timeout time.Duration) {
	if latest.Latest.Seq == p.seq+1 {
		p.take(latest.Latest, timeout)
		return
	}
	for _, a := range reader.Attempts(pod, latest.Key, p.seq) {
		p.take(a, timeout)
	}
}

// take takes the next attempt.
func (p *probePast) take(a history.Attempt, timeout time.Duration) {
	if a.Instance != p.last.Instance {
		p.passed, p.count, p.taken, p.failingSince = false, 0, 0, time.Time{}
	}
	p.seq, p.last = a.Seq, a
	p.count++
	if a.Outcome == history.Answered || a.Outcome == history.Warning {
		p.passed = true
		p.took[p.taken%len(p.took)] = a.Took
		p.taken++
	}
	switch {
	case a.Result != history.Failing:
		p.failingSince = time.Time{}
	case p.failingSince.IsZero():
		p.failingSince = a.Time
	}
	p.strip.Add(a.Time, slotOf(a, timeout))
}

// slowest is about the 99th percentile of the times that answers took: the longest of the last
// hundred.
func (p *probePast) slowest() time.Duration {
	var slowest time.Duration
	for _, took := range p.took[:min(p.taken, len(p.took))] {
		slowest = max(slowest, took)
	}
	return slowest
}

// slotOf is how an attempt is drawn.
func slotOf(a history.Attempt, timeout time.Duration) screen.Slot {
	slot := screen.Failed
	switch {
	case a.Outcome == history.Answered:
		slot = screen.Answered(a.Took, timeout)
	case a.Outcome == history.Warning:
		slot = screen.Warned
	case a.Outcome == history.NoVerdict:
		slot = screen.Unevaluated
	case a.NotYet:
		slot = screen.NotYet
	case a.Outcome == history.TimedOut:
		slot = screen.TimedOut
	}
	switch a.Result {
	case history.Passing:
		slot |= screen.Passing
	case history.Failing:
		slot |= screen.Failing
	}
	return slot
}

// readPast takes what is new of a Pod's probes. The caller holds the lock.
func (h *hub) readPast(pod *corev1.Pod) *past {
	p := h.past[pod.UID]
	if p == nil {
		p = &past{probes: map[history.Key]*probePast{}}
		h.past[pod.UID] = p
	}
	for summary := range h.run.History.Newest(pod.UID) {
		probe := p.probes[summary.Key]
		if probe == nil {
			probe = &probePast{}
			probe.last.Instance = summary.Latest.Instance
			p.probes[summary.Key] = probe
		}
		if probe.seq == summary.Latest.Seq {
			continue
		}
		timeout := time.Second
		if _, spec := lifecycle.ProbeOf(&pod.Spec, summary.Container, lifecycle.ProbeType(summary.Type)); spec != nil {
			timeout = time.Duration(spec.TimeoutSeconds) * time.Second
		}
		probe.read(h.run.History, pod.UID, &summary, timeout)
		p.version++
	}
	p.readRestarts(h.run.History.Instances(pod.UID))
	return p
}

// readRestarts takes what is new of a Pod's instances, which are in the order of their starts.
func (p *past) readRestarts(instances []history.Instance) {
	last := p.started
	for _, in := range instances {
		if in.Number > 0 && in.Started.After(last) {
			p.restarts.Add(in.Started, screen.Restarted)
			p.started = in.Started
		}
	}
}

// probeFacts are what is known of the probes of the instances that run, also of those that were not
// asked yet.
func (h *hub) probeFacts(pod *corev1.Pod, past *past) []diagnosis.Probe {
	probes := h.known.probes[:0]
	for s := range lifecycle.Statuses(pod) {
		if s.State.Running == nil {
			continue
		}
		for _, t := range lifecycle.ProbeTypes() {
			_, spec := lifecycle.ProbeOf(&pod.Spec, s.Name, t)
			if spec == nil {
				continue
			}
			key, over := history.Key{Container: s.Name, Type: string(t)}, t == lifecycle.Startup && valueOr(s.Started, false)
			if probe := past.probes[key]; probe != nil && probe.last.Instance == int(s.RestartCount) && probe.count > 0 {
				probes = append(probes, h.factsOf(pod, key, probe, over))
			} else {
				probes = append(probes, diagnosis.Probe{Container: s.Name, Type: t, Over: over})
			}
		}
	}
	h.known.probes = probes
	return probes
}

// factsOf are the facts of one probe.
func (h *hub) factsOf(pod *corev1.Pod, key history.Key, probe *probePast, over bool) diagnosis.Probe {
	a := probe.last
	p := diagnosis.Probe{
		Container: key.Container, Type: lifecycle.ProbeType(key.Type), Attempts: probe.count, At: a.Time, Took: a.Took, Output: a.Message,
		Failed: a.Outcome == history.Failed || a.Outcome == history.TimedOut, Unevaluated: a.Outcome == history.NoVerdict,
		Passing: a.Result == history.Passing, Known: a.Result != history.NotKnown, Run: a.Run, Threshold: a.Threshold, Over: over,
		EverPassed: probe.passed, FailingSince: probe.failingSince, Slowest: probe.slowest(),
	}
	d, _ := h.run.History.Detail(pod.UID, key, a.Seq) // nothing if it is not kept any more
	if p.Status = d.Status; p.Failed {
		p.Body, p.Connected, p.ConnectTook = strings.ToValidUTF8(d.Body, "?"), d.Connect > 0, d.Connect
		p.Output = cmp.Or(d.Message, p.Output)
	}
	return p
}
