package traffic

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/test/load/generator"
)

// failureThreshold is that of the readiness probe of [web].
const failureThreshold = 3

// routingCheck finds out what the proxy did wrong, by the logs of the replicas and what clients
// sent.
type routingCheck struct {
	logs []processLog
	// sent is when the client sent a request, by its id. The proxy cannot have chosen a replica for
	// it before that.
	sent map[string]time.Time
	// slack is how long the proxy may take to act on the answer of a probe.
	slack time.Duration
}

// violations says what was wrong, one line each.
func (v routingCheck) violations() []string {
	var wrong []string
	for _, l := range v.logs {
		wrong = append(wrong, v.beforeReady(l)...)
		wrong = append(wrong, v.whileNotReady(l)...)
		wrong = append(wrong, v.afterSIGTERM(l)...)
	}
	return append(wrong, v.sentTwice()...)
}

// beforeReady finds requests to a process that has not answered a readiness probe yet. A process
// writes that line before it answers, so no request may come earlier, not even by a little.
func (v routingCheck) beforeReady(l processLog) (wrong []string) {
	ready := l.first("probe", "/ready", "200")
	for _, e := range l.entries {
		if e.what == "begin" && (ready.IsZero() || e.at.Before(ready)) {
			wrong = append(wrong, fmt.Sprintf("%d got %s %s, sent at %s, at %s before it was ready at %s", l.pid, e.words[0], e.words[1], stamp(v.sent[e.words[1]]), stamp(e.at), stamp(ready)))
		}
	}
	return wrong
}

// whileNotReady finds requests that were sent when the deciding answer of a readiness probe was
// known, and arrived before the next good answer. A request that was held until that answer may go
// to the replica.
func (v routingCheck) whileNotReady(l processLog) (wrong []string) {
	spans := l.notReadyTimes()
	for _, e := range l.entries {
		if e.what != "begin" {
			continue
		}
		sent := v.sent[e.words[1]]
		for _, s := range spans {
			if sent.Sub(s.from) > v.slack && (s.to.IsZero() || e.at.Before(s.to)) {
				wrong = append(wrong, fmt.Sprintf("%d got %s, sent %v after the deciding answer", l.pid, e.words[1], sent.Sub(s.from)))
			}
		}
	}
	return wrong
}

// notReadyTime is the time from the deciding answer of the readiness probe, the one that reaches
// the failureThreshold, to the next good one; to is zero if there was none.
type notReadyTime struct{ from, to time.Time }

func (l processLog) notReadyTimes() (spans []notReadyTime) {
	failures := 0
	for _, e := range l.entries {
		switch {
		case e.is("probe", "/ready", "200"):
			if failures >= failureThreshold {
				spans[len(spans)-1].to = e.at
			}
			failures = 0
		case e.is("probe", "/ready"):
			if failures++; failures == failureThreshold {
				spans = append(spans, notReadyTime{from: e.at})
			}
		}
	}
	return spans
}

// afterSIGTERM finds requests that were sent after the process had got the signal. The Pod is
// withdrawn before that.
func (v routingCheck) afterSIGTERM(l processLog) (wrong []string) {
	stopped := l.first("SIGTERM")
	if stopped.IsZero() {
		return nil
	}
	for _, e := range l.entries {
		if e.what == "begin" && v.sent[e.words[1]].After(stopped) {
			wrong = append(wrong, fmt.Sprintf("%d got %s, sent %v after SIGTERM", l.pid, e.words[1], v.sent[e.words[1]].Sub(stopped)))
		}
	}
	return wrong
}

// sentTwice finds requests that several processes got. Only an idempotent request may be sent
// again, and only if the process that had it ended before it answered.
func (v routingCheck) sentTwice() (wrong []string) {
	type visit struct {
		pid int
		at  time.Time
	}
	first, unanswered := map[string]visit{}, map[string]bool{}
	for _, l := range v.logs {
		for _, id := range l.unanswered() {
			unanswered[id] = true
		}
	}
	for _, l := range v.logs {
		for _, e := range l.entries {
			if e.what != "begin" {
				continue
			}
			method, id := e.words[0], e.words[1]
			if f, seen := first[id]; seen && (method != http.MethodGet || !unanswered[id]) {
				wrong = append(wrong, fmt.Sprintf("%s %s came to %d and to %d, at %s and %s", method, id, f.pid, l.pid, stamp(f.at), stamp(e.at)))
			}
			first[id] = visit{l.pid, e.at}
		}
	}
	return wrong
}

// lastWhileNotReady is how long after a deciding answer of a readiness probe a request still
// arrived at the process while it was not ready, at worst, and how many deciding answers there
// were.
func lastWhileNotReady(logs []processLog) (worst time.Duration, decisions int) {
	for _, l := range logs {
		for _, s := range l.notReadyTimes() {
			decisions++
			for _, e := range l.entries {
				if e.what == "begin" && e.at.After(s.from) && (s.to.IsZero() || e.at.Before(s.to)) {
					worst = max(worst, e.at.Sub(s.from))
				}
			}
		}
	}
	return worst, decisions
}

// processesThatGot are the processes that got a request.
func processesThatGot(logs []processLog, id string) (pids []int) {
	for _, l := range logs {
		if slices.ContainsFunc(l.entries, func(e entry) bool { return e.what == "begin" && e.words[1] == id }) {
			pids = append(pids, l.pid)
		}
	}
	return pids
}

// maybeLostWithProcess reports whether a request may be lost because a process was killed or
// stopped: one that must not be sent twice, and that no other process got.
func (r *rig) maybeLostWithProcess(logs []processLog, q generator.Request) bool {
	others := slices.ContainsFunc(processesThatGot(logs, q.ID), func(pid int) bool { return r.killed[pid].IsZero() })
	return q.Method == http.MethodPost && !others && slices.ContainsFunc(slices.Collect(maps.Values(r.killed)), func(at time.Time) bool {
		return q.Sent.Before(at.Add(r.reachableFor)) && q.Sent.Add(q.Took).After(at)
	})
}

// summary is what the logs say of a scenario as a whole.
func summary(logs []processLog) string {
	text := fmt.Sprintf("%d processes", len(logs))
	if worst, decisions := lastWhileNotReady(logs); decisions > 0 {
		text += fmt.Sprintf("; after the deciding answer of %d readiness probes the last request arrived within %v", decisions, worst)
	}
	return text
}

// describeFailure says of a request that failed which processes got it.
func describeFailure(logs []processLog, r generator.Request) string {
	var text strings.Builder
	text.WriteString(r.String())
	for _, l := range logs {
		for _, e := range l.entries {
			if (e.what == "begin" && e.words[1] == r.ID) || (e.what == "end" && e.words[0] == r.ID) {
				text.WriteString(fmt.Sprintf("; %d: %s at %s", l.pid, e.what, stamp(e.at)))
			}
		}
	}
	return text.String()
}

func stamp(t time.Time) string { return t.Format("15:04:05.000000") }
