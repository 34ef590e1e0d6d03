package live

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/terminal/screen"
)

// past is what was seen of a Pod since the view began.
type past struct {
	attended time.Time // when it last needed attention
	version  uint64
	probes   map[probeKey]*probePast
	moments  []screen.Moment
	looked   listeners
	words    map[string]lastWords     // by container
	runs     map[string]time.Duration // how long the last instance ran, by container
}

type probeKey struct {
	container string
	probe     lifecycle.ProbeType
}

// probePast is what was seen of a probe of the instance that runs.
type probePast struct {
	strip        screen.Strip
	record       node.ProbeRecord // the last one
	seen         int              // how many different attempts were seen
	passed       bool             // one of them was a success
	failingSince time.Time
	attempts     []screen.Attempt // newest last
}

const (
	maxAttempts = 20
	maxMoments  = 100
)

func (h *hub) pastOf(o store.Object) *past {
	uid := o.GetUID()
	if report, ok := o.(*node.ProbeReport); ok && len(report.OwnerReferences) > 0 {
		uid = report.OwnerReferences[0].UID
	}
	if h.past[uid] == nil {
		h.past[uid] = &past{probes: map[probeKey]*probePast{}}
	}
	return h.past[uid]
}

// report takes what the probes of a Pod found last.
func (p *past) report(report *node.ProbeReport) {
	p.version++
	for _, r := range report.Probes {
		k := probeKey{r.Container, r.Type}
		probe := p.probes[k]
		if probe == nil {
			probe = &probePast{}
			p.probes[k] = probe
		}
		if r.Time.Time.Equal(probe.record.Time.Time) {
			probe.record = r
			continue
		}
		probe.take(r)
	}
}

// take notes another attempt.
func (p *probePast) take(r node.ProbeRecord) {
	p.seen++
	p.passed = p.passed || r.Outcome == "success" || r.Outcome == "warning"
	switch {
	case r.Result != lifecycle.ResultFailure:
		p.failingSince = time.Time{}
	case p.failingSince.IsZero():
		p.failingSince = r.Time.Time
	}
	p.record = r
	slot := p.slot(r)
	switch r.Result {
	case lifecycle.ResultSuccess:
		slot |= screen.Passing
	case lifecycle.ResultFailure:
		slot |= screen.Failing
	}
	p.strip.Add(r.Time.Time, slot)
}

// slot is what an attempt was.
func (p *probePast) slot(r node.ProbeRecord) screen.Slot {
	switch r.Outcome {
	case "success":
		return screen.Answered(r.Latency, timeoutGuess)
	case "warning":
		return screen.Warned
	case "error":
		return screen.Unevaluated
	}
	switch {
	case !p.passed:
		return screen.NotYet
	case strings.Contains(r.Output, "deadline exceeded"), strings.Contains(r.Output, "timed out"), strings.Contains(r.Output, "did not complete within"):
		return screen.TimedOut
	}
	return screen.Failed
}

const timeoutGuess = time.Second

// pod takes a change of the Pod.
func (p *past) pod(before, pod *corev1.Pod) {
	p.version++
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		p.container(before, pod, s)
	}
	was, is := before != nil && isReady(before), isReady(pod)
	if before == nil || was == is {
		return
	}
	if is {
		p.note(screen.Moment{At: time.Now(), Text: "Ready", Role: screen.Ok})
	} else if pod.DeletionTimestamp == nil {
		p.note(screen.Moment{At: time.Now(), Text: "Not ready", Role: screen.Bad})
	}
}

// container notes that an instance began or ended.
func (p *past) container(before, pod *corev1.Pod, s corev1.ContainerStatus) {
	if before == nil {
		return
	}
	i := slices.IndexFunc(slices.Concat(before.Status.InitContainerStatuses, before.Status.ContainerStatuses), func(b corev1.ContainerStatus) bool {
		return b.Name == s.Name && b.RestartCount == s.RestartCount
	})
	if i >= 0 {
		return
	}
	// another instance: what is known of the last one says nothing about this
	for k, probe := range p.probes {
		if k.container == s.Name {
			probe.strip.Add(time.Now(), screen.Restarted)
			*probe = probePast{strip: probe.strip, attempts: probe.attempts}
		}
	}
	text := "Restarted"
	if end := s.LastTerminationState.Terminated; end != nil {
		text += ": " + endText(end)
	}
	if len(pod.Spec.Containers) > 1 {
		text = s.Name + ": " + text
	}
	p.note(screen.Moment{At: time.Now(), Text: text, Role: screen.Warn})
}

func (p *past) note(m screen.Moment) {
	p.moments = append(p.moments, m)
	if len(p.moments) > maxMoments {
		p.moments = slices.Clone(p.moments[len(p.moments)-maxMoments:])
	}
}

func endText(end *corev1.ContainerStateTerminated) string {
	if end.Signal != 0 {
		return "signal " + itoa(int(end.Signal))
	}
	return "exit " + itoa(int(end.ExitCode))
}

func isReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}
