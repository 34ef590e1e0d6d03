package dashboard

import (
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/metrics"
	"github.com/probity-run/probity/internal/proxy"
)

// look is what was read of the past of the Pods so far, so that whoever looks again reads only what
// is new. It is safe for concurrent use, and does nothing of its own.
type look struct {
	mu    sync.Mutex // guards all of it
	pods  map[types.UID]*podLook
	rates rates
}

// numbers are those by which the stream names probes, and pages too.
type numbers struct {
	mu   sync.Mutex // guards what follows
	last int
	of   map[probeID]int
}

type probeID struct {
	pod types.UID
	history.Key
}

// number is that of a probe.
func (n *numbers) number(pod types.UID, key history.Key) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	id := probeID{pod, key}
	if n.of[id] == 0 {
		n.last++
		n.of[id] = n.last
	}
	return n.of[id]
}

// forget forgets the probes of Pods that are gone.
func (n *numbers) forget(gone func(types.UID) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for id := range n.of {
		if gone(id.pod) {
			delete(n.of, id)
		}
	}
}

// podLook is what was read of a Pod.
type podLook struct {
	probes map[history.Key]*probeLook
}

// probeLook is what was read of a probe.
type probeLook struct {
	seq          uint64          // of the newest attempt that was read
	last         history.Attempt // that one
	passed       bool            // an attempt of this instance was a success
	count        int             // attempts of this instance
	failingSince time.Time       // when the result in effect became a failure; zero while it is none
}

// rates are what the proxy has counted, and how fast it goes.
type rates struct {
	at       time.Time
	requests map[string]uint64 // by Service port
	perSec   map[string]float64
	past     []map[string]metrics.Distribution // how long answers took up to then; the oldest first
	latency  map[string]metrics.Distribution   // since the oldest
}

// latencyBeats is how many looks back it goes by how long answers took.
const latencyBeats = 10

func newLook() *look { return &look{pods: map[types.UID]*podLook{}} }

// of is what was read of a Pod. The caller holds the lock.
func (l *look) of(pod types.UID) *podLook {
	p := l.pods[pod]
	if p == nil {
		p = &podLook{probes: map[history.Key]*probeLook{}}
		l.pods[pod] = p
	}
	return p
}

// read takes what is new of a probe and gives each attempt to seen, which may be nil. The caller
// holds the lock.
func (l *look) read(past history.Reader, pod types.UID, s history.ProbeSummary, seen func(history.Key, history.Attempt)) {
	of := l.of(pod)
	p := of.probes[s.Key]
	if p == nil {
		p = &probeLook{last: history.Attempt{Instance: s.Latest.Instance}}
		of.probes[s.Key] = p
	}
	if p.seq == s.Latest.Seq {
		return
	}
	first := p.seq == 0
	for _, a := range past.Attempts(pod, s.Key, p.seq) {
		p.take(a)
		if seen != nil && !first { // what was before is part of the page
			seen(s.Key, a)
		}
	}
}

func (p *probeLook) take(a history.Attempt) {
	if a.Instance != p.last.Instance {
		p.passed, p.count, p.failingSince = false, 0, time.Time{}
	}
	p.seq, p.last = a.Seq, a
	p.count++
	p.passed = p.passed || a.Outcome == history.Answered || a.Outcome == history.Warning
	switch {
	case a.Result != history.Failing:
		p.failingSince = time.Time{}
	case p.failingSince.IsZero():
		p.failingSince = a.Time
	}
}

// forget forgets the Pods that are gone. The caller holds the lock.
func (l *look) forget(pods []*corev1.Pod) {
	there := map[types.UID]bool{}
	for _, pod := range pods {
		there[pod.UID] = true
	}
	for uid := range l.pods {
		if !there[uid] {
			delete(l.pods, uid)
		}
	}
}

// count brings the rates up to date, at most once a second. The caller holds the lock.
func (l *look) count(traffic proxy.State, now time.Time) {
	passed := now.Sub(l.rates.at)
	if passed < time.Second {
		return
	}
	requests, perSec := map[string]uint64{}, map[string]float64{}
	for _, p := range traffic.Ports {
		id := portID(p.Service, p.Port)
		requests[id] = p.Requests
		if before, ok := l.rates.requests[id]; ok && p.Requests >= before && passed < time.Minute {
			perSec[id] = float64(p.Requests-before) / passed.Seconds()
		}
	}
	l.rates = rates{now, requests, perSec, l.rates.past, nil}
	if passed >= time.Minute { // nobody has looked for a while
		l.rates.past = nil
	}
	l.rates.measure(traffic)
}

// measure brings up to date how long answers took of late; the first time that is since the start.
func (r *rates) measure(traffic proxy.State) {
	now, before := map[string]metrics.Distribution{}, map[string]metrics.Distribution{}
	if len(r.past) > 0 {
		before = r.past[0]
	}
	r.latency = map[string]metrics.Distribution{}
	for _, p := range traffic.Ports {
		id := portID(p.Service, p.Port)
		now[id], r.latency[id] = p.Latency, p.Latency
		if p.Latency.Count() >= before[id].Count() { // else it is another listener
			r.latency[id] = p.Latency.Since(before[id])
		}
	}
	r.past = append(r.past, now)
	if n := len(r.past) - latencyBeats; n > 0 {
		r.past = slices.Clone(r.past[n:])
	}
}

// probesOf are the facts of the probes of the instances that run, also of those that were not asked
// yet. The caller holds the lock.
func (l *look) probesOf(pod *corev1.Pod, past history.Reader, seen func(history.Key, history.Attempt)) []diagnosis.Probe {
	of := l.of(pod.UID)
	for _, s := range past.Probes(pod.UID) {
		l.read(past, pod.UID, s, seen)
	}
	var probes []diagnosis.Probe
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if s.State.Running == nil {
			continue
		}
		for _, t := range lifecycle.ProbeTypes() {
			if _, spec := lifecycle.ProbeOf(&pod.Spec, s.Name, t); spec == nil {
				continue
			}
			over := t == lifecycle.Startup && s.Started != nil && *s.Started
			key := history.Key{Container: s.Name, Type: string(t)}
			probe := of.probes[key]
			if probe == nil || probe.last.Instance != int(s.RestartCount) || probe.count == 0 {
				probes = append(probes, diagnosis.Probe{Container: s.Name, Type: t, Over: over})
				continue
			}
			d, _ := past.Detail(pod.UID, key, probe.seq)
			probes = append(probes, probe.facts(key, d, over))
		}
	}
	return probes
}

// facts are the facts of one probe.
func (p *probeLook) facts(key history.Key, d history.Detail, over bool) diagnosis.Probe {
	a := p.last
	out := diagnosis.Probe{
		Container: key.Container, Type: lifecycle.ProbeType(key.Type), Attempts: p.count, At: a.Time, Took: a.Took, Output: a.Message,
		Failed: failed(a), Unevaluated: a.Outcome == history.NoVerdict,
		Passing: a.Result == history.Passing, Known: a.Result != history.NotKnown, Run: a.Run, Threshold: a.Threshold, Over: over,
		EverPassed: p.passed, FailingSince: p.failingSince, Status: d.Status,
	}
	if out.Failed {
		out.Body, out.Connected, out.ConnectTook = strings.ToValidUTF8(d.Body, "?"), d.Connect > 0, d.Connect
		if d.Message != "" {
			out.Output = d.Message
		}
	}
	return out
}

func failed(a history.Attempt) bool {
	return a.Outcome == history.Failed || a.Outcome == history.TimedOut
}
