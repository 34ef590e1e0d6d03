package drill

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// fleetStayed is V6: an outage of a dependency leaves a replica for the requests that do not need
// it.
func fleetStayed(e evidence) *Verdict {
	if e.fault.Kind != KindDependency || e.fault.AtStart || len(e.pods()) == 0 {
		return nil
	}
	at, empty := e.emptiedAt()
	switch {
	case !empty:
		return pass("passed", "a replica stayed ready")
	case slices.ContainsFunc(e.Changes, func(c Change) bool { return c.Kind == ChangeDecided && c.At >= e.Begin && c.At < at }):
		return nil // it is empty because of restarts, and V2 says it
	case e.owned:
		return pass("declared", "no replica stayed ready, as the manifest declares")
	}
	survivors, refused := e.survivors(), 0
	for _, r := range e.Requests {
		if r.Refused && r.At >= at && slices.Contains(survivors, r.Class) {
			refused++
		}
	}
	text := fmt.Sprintf("no replica stayed ready from %s on", text(at-e.Begin))
	if refused > 0 {
		text += fmt.Sprintf(": %s that need no %s were refused (%s)", plural(refused, "request", "requests"), e.fault.Dependency, strings.Join(survivors, ", "))
	}
	return warn("fleet emptied", "Readiness", "%s", text)
}

// emptiedAt is when no replica was ready any more, until the fault was over.
func (e evidence) emptiedAt() (Offset, bool) {
	for _, c := range e.Changes {
		if c.Kind != ChangeUnready || c.At < e.Begin || c.At > e.End {
			continue
		}
		if !slices.ContainsFunc(e.pods(), func(pod string) bool { return e.readyAt(pod, c.At) }) {
			return c.At, true
		}
	}
	return 0, false
}

// survivors are the classes that were answered although the dependency was away: before the first
// replica left, or all the time if none did.
func (e evidence) survivors() (classes []string) {
	until := e.End
	for _, c := range e.Changes {
		if c.Kind == ChangeUnready && c.At >= e.Begin {
			until = min(until, c.At)
		}
	}
	sent, failed := map[string]int{}, map[string]int{}
	for _, r := range e.Requests {
		if r.At < e.Begin || r.At+r.Took >= until && !r.Failed || r.At >= until {
			continue
		}
		sent[r.Class]++
		if r.Failed {
			failed[r.Class]++
		}
	}
	for class, n := range sent {
		if n >= 3 && float64(failed[class]) <= mayFail*float64(n) {
			classes = append(classes, class)
		}
	}
	slices.Sort(classes)
	return classes
}

// nothingLost is V7: the end of a process on request costs no request; a crash only those that it
// had, and those that the front sent before it knew.
func nothingLost(e evidence) *Verdict {
	if k := e.fault.Kind; k != KindStop && k != KindRollout && !k.crashes() || len(e.Requests) == 0 {
		return nil
	}
	e = e.fromBegin()
	known := e.Begin
	if e.fault.Kind == KindMemory {
		if ended := first(e.Changes, e.Pod, e.Begin, ChangeEnded); ended != nil {
			known = *ended
		}
	}
	known += Offset(e.delay + time.Second)
	lost, excused, sent := 0, 0, 0
	aside := e.fewAside()
	for _, r := range e.Requests {
		sent++
		switch {
		case !r.Failed, aside && e.bystander(r):
		case e.fault.Kind.crashes() && r.Pod == e.Pod && r.At <= known:
			excused++
		default:
			lost++
		}
	}
	switch {
	case lost > 0 && len(e.Replicas) == 1 && e.fault.Kind != KindRollout:
		return fail("lost "+of(lost, sent), "", "%s failed: there is one replica, and nobody else to send them to", plural(lost, "request", "requests"))
	case lost > 0:
		return fail("lost "+of(lost, sent), e.lostBy(), "%s failed%s", plural(lost, "request", "requests"), e.whoLost())
	case excused > 0:
		return pass("passed", "lost only the %s that the crashed replica had or got before the front knew", plural(excused, "request", "requests"))
	}
	return pass("passed", "no request lost")
}

// fromBegin leaves out the requests that were over before the fault began.
func (e evidence) fromBegin() evidence {
	during := *e.Repetition
	during.Requests = slices.DeleteFunc(slices.Clone(e.Requests), func(r Request) bool { return r.At+r.Took < e.Begin })
	e.Repetition = &during
	return e
}

func of(n, m int) string { return fmt.Sprintf("%d of %d", n, m) }

// whoLost says what is known of requests that failed.
func (e evidence) whoLost() string {
	nowhere, there, soon, aside := 0, 0, 0, 0
	for _, r := range e.Requests {
		switch {
		case !r.Failed:
		case r.Refused || r.Pod == "":
			nowhere++
		case e.bystander(r):
			aside++
		case e.startedAnew(r):
			soon++
		default:
			there++
		}
	}
	switch {
	case aside > 0 && !e.fewAside():
		return fmt.Sprintf(": %d of them at replicas that nothing was done to, which could not take them all", aside)
	case soon > 0:
		return fmt.Sprintf(": %d of them at replicas that had started anew and were ready, %d at those that listened no longer, %d while no replica was ready", soon, there, nowhere)
	case there == 0:
		return ": no replica was ready"
	case nowhere == 0:
		return ": they were sent to replicas that listened no longer, because endpoints change later than a process ends"
	}
	return fmt.Sprintf(": %d of them at replicas that listened no longer, %d while no replica was ready", there, nowhere)
}

// bystander reports whether a request went to a replica that is not the one that a fault happened
// to, nor was started since.
func (e evidence) bystander(r Request) bool {
	return e.Pod != "" && r.Pod != "" && r.Pod != e.Pod && !slices.ContainsFunc(e.Changes, func(c Change) bool {
		return c.Pod == r.Pod && c.At >= e.Begin && slices.Contains([]ChangeKind{ChangeStarted, ChangeDecided, ChangeDeleted, ChangeEnded}, c.Kind)
	})
}

// fewAside reports whether bystanders failed no more than services may without a fault.
func (e evidence) fewAside() bool {
	sent, failed := 0, 0
	for _, r := range e.Requests {
		if e.bystander(r) {
			sent++
			if r.Failed {
				failed++
			}
		}
	}
	return float64(failed) <= mayFail*float64(sent)
}

// lostBy is the probe that let requests be lost: readiness, if a new process got them; "" for none.
func (e evidence) lostBy() string {
	if slices.ContainsFunc(e.Requests, func(r Request) bool { return r.Failed && e.startedAnew(r) }) {
		return "Readiness"
	}
	return ""
}

// startedAnew reports whether a request went to a process that was started after the fault, and was
// ready: that it failed is no matter of the old one.
func (e evidence) startedAnew(r Request) bool {
	last := Change{Kind: ChangeEnded}
	for _, c := range e.Changes {
		if c.Pod == r.Pod && c.At <= r.At && slices.Contains([]ChangeKind{ChangeStarted, ChangeDecided, ChangeDeleted, ChangeEnded}, c.Kind) {
			last = c
		}
	}
	return last.Kind == ChangeStarted && last.At >= e.Begin && e.readyAt(r.Pod, r.At)
}

// readyTooSoon is the part of V5 that is about the next process: it has to answer when it is ready.
// nil: it did, or the fault is none that has a next process.
func (e evidence) readyTooSoon() *Verdict {
	if side := e.fault.Side(); side != SideInside && side != SideEnd {
		return nil
	}
	sent, failed := 0, 0
	for _, r := range e.Requests {
		if r.At >= e.End && e.startedAnew(r) {
			sent++
			if r.Failed {
				failed++
			}
		}
	}
	if sent < fewest || float64(failed) <= 2*mayFail*float64(sent) {
		return nil
	}
	return fail("ready too soon", "Readiness", "%d of the %d requests failed that went to a replica after its new process was ready", failed, sent)
}

// startedWithout is V8: a start without the dependency waits for it, unready, and does not end. How
// long it would have waited nobody knows if a probe has ended it, of which V2 tells.
func startedWithout(e evidence) *Verdict {
	if !e.fault.AtStart {
		return nil
	}
	exits := 0
	for _, r := range e.Replicas {
		exits += r.Exits
	}
	if exits > 0 {
		return fail("crash loop", "", "without %s it exits at its start (%s): it has to start, be unready, and wait", e.fault.Dependency, plural(exits, "time", "times"))
	}
	if decided := firstIn(e.Changes, e.Pod, e.workload.Container, e.Begin, ChangeDecided); decided != nil && *decided <= e.End {
		return nil
	}
	return pass("passed", "started without %s and waited for it", e.fault.Dependency)
}

// outOfRotationFirst is V9: a replica leaves the Service before it is killed.
func outOfRotationFirst(e evidence) *Verdict {
	m := e.Measured
	if e.fault.Side() != SideInside || m.Killed == nil || e.workload.Service == "" {
		return nil
	}
	if m.Unready == nil || *m.Unready > *m.Killed-Offset(e.delay) {
		return warn("killed in rotation", "Readiness", "it got requests until it was killed: its readiness probe did not notice before")
	}
	return pass("passed", "out of rotation %s before the kill", text(*m.Killed-*m.Unready))
}

// pods are the Pods of the workload, in their order.
func (e evidence) pods() (names []string) {
	for _, r := range e.Replicas {
		names = append(names, r.Pod)
	}
	return names
}

// readyAt reports whether a Pod was Ready at a moment. One of which nothing is recorded is as it
// was in the end.
func (e evidence) readyAt(pod string, at Offset) bool {
	var first, last *Change
	for i := range e.Changes {
		c := &e.Changes[i]
		if c.Pod != pod || c.Kind != ChangeReady && c.Kind != ChangeUnready {
			continue
		}
		if first == nil {
			first = c
		}
		if c.At <= at {
			last = c
		}
	}
	switch {
	case last != nil:
		return last.Kind == ChangeReady
	case first != nil:
		return first.Kind == ChangeUnready
	}
	return slices.ContainsFunc(e.Replicas, func(r Replica) bool { return r.Pod == pod && r.Ready })
}
