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

// verdict finds what a router did wrong by the books of the replicas and of the clients.
type verdict struct {
	books []book
	// sent is when the client sent a request, by id. A router cannot have chosen a replica for it
	// before.
	sent map[string]time.Time
	// slack is how long the answer of a probe may take to reach the routes.
	slack time.Duration
}

// violations says in a line each what was wrong.
func (v verdict) violations() []string {
	var wrong []string
	for _, b := range v.books {
		wrong = append(wrong, v.tooEarly(b)...)
		wrong = append(wrong, v.notReady(b)...)
		wrong = append(wrong, v.afterSIGTERM(b)...)
	}
	return append(wrong, v.twice()...)
}

// tooEarly finds requests to a process that has not answered a readiness probe yet. It is about to
// when it notes the probe, so there is no room for error.
func (v verdict) tooEarly(b book) (wrong []string) {
	ready := b.first("probe", "/ready", "200")
	for _, e := range b.entries {
		if e.what == "begin" && (ready.IsZero() || e.at.Before(ready)) {
			wrong = append(wrong, fmt.Sprintf("%d got %s %s, sent at %s, at %s before it was ready at %s", b.pid, e.words[0], e.words[1], stamp(v.sent[e.words[1]]), stamp(e.at), stamp(ready)))
		}
	}
	return wrong
}

// notReady finds requests that were sent when the deciding answer of a readiness probe was known,
// and came before there was a good one again: what waits on its way until then may be given to the
// replica.
func (v verdict) notReady(b book) (wrong []string) {
	spans := b.unready()
	for _, e := range b.entries {
		if e.what != "begin" {
			continue
		}
		sent := v.sent[e.words[1]]
		for _, s := range spans {
			if sent.Sub(s.from) > v.slack && (s.to.IsZero() || e.at.Before(s.to)) {
				wrong = append(wrong, fmt.Sprintf("%d got %s, sent %v after the deciding answer", b.pid, e.words[1], sent.Sub(s.from)))
			}
		}
	}
	return wrong
}

// span is a time from the answer of the readiness probe that reaches the failureThreshold to the
// next good one; to is zero if there was none.
type span struct{ from, to time.Time }

func (b book) unready() (spans []span) {
	failures := 0
	for _, e := range b.entries {
		switch {
		case e.is("probe", "/ready", "200"):
			if failures >= failureThreshold {
				spans[len(spans)-1].to = e.at
			}
			failures = 0
		case e.is("probe", "/ready"):
			if failures++; failures == failureThreshold {
				spans = append(spans, span{from: e.at})
			}
		}
	}
	return spans
}

// afterSIGTERM finds requests that were sent when the process had got the signal. It had left the
// routes before that.
func (v verdict) afterSIGTERM(b book) (wrong []string) {
	stopped := b.first("SIGTERM")
	if stopped.IsZero() {
		return nil
	}
	for _, e := range b.entries {
		if e.what == "begin" && v.sent[e.words[1]].After(stopped) {
			wrong = append(wrong, fmt.Sprintf("%d got %s, sent %v after SIGTERM", b.pid, e.words[1], v.sent[e.words[1]].Sub(stopped)))
		}
	}
	return wrong
}

// twice finds requests that several processes got. Only what is idempotent may be sent again, and
// only if the one that had it ended before it answered.
func (v verdict) twice() (wrong []string) {
	type visit struct {
		pid int
		at  time.Time
	}
	first, unanswered := map[string]visit{}, map[string]bool{}
	for _, b := range v.books {
		for _, id := range b.unanswered() {
			unanswered[id] = true
		}
	}
	for _, b := range v.books {
		for _, e := range b.entries {
			if e.what != "begin" {
				continue
			}
			method, id := e.words[0], e.words[1]
			if f, seen := first[id]; seen && (method != http.MethodGet || !unanswered[id]) {
				wrong = append(wrong, fmt.Sprintf("%s %s came to %d and to %d, at %s and %s", method, id, f.pid, b.pid, stamp(f.at), stamp(e.at)))
			}
			first[id] = visit{b.pid, e.at}
		}
	}
	return wrong
}

// lastAfter is how long after the deciding answer of a readiness probe the last request arrived at
// the process while it was not ready, at worst, and how many deciding answers there were.
func lastAfter(books []book) (worst time.Duration, decisions int) {
	for _, b := range books {
		for _, s := range b.unready() {
			decisions++
			for _, e := range b.entries {
				if e.what == "begin" && e.at.After(s.from) && (s.to.IsZero() || e.at.Before(s.to)) {
					worst = max(worst, e.at.Sub(s.from))
				}
			}
		}
	}
	return worst, decisions
}

// holders are the processes that got a request.
func holders(books []book, id string) (pids []int) {
	for _, b := range books {
		if slices.ContainsFunc(b.entries, func(e entry) bool { return e.what == "begin" && e.words[1] == id }) {
			pids = append(pids, b.pid)
		}
	}
	return pids
}

// mayHaveBeenSentToTheKilled says whether a request may be lost because a process was killed or
// stopped: one that must not be sent twice, and that no other process got.
func (r *rig) mayHaveBeenSentToTheKilled(books []book, q generator.Request) bool {
	others := slices.ContainsFunc(holders(books, q.ID), func(pid int) bool { return r.killed[pid].IsZero() })
	return q.Method == http.MethodPost && !others && slices.ContainsFunc(slices.Collect(maps.Values(r.killed)), func(at time.Time) bool {
		return q.Sent.Before(at.Add(r.lasts)) && q.Sent.Add(q.Took).After(at)
	})
}

// summary tells what the books say of a scenario as a whole.
func summary(books []book) string {
	text := fmt.Sprintf("%d processes", len(books))
	if worst, decisions := lastAfter(books); decisions > 0 {
		text += fmt.Sprintf("; after the deciding answer of %d readiness probes the last request arrived within %v", decisions, worst)
	}
	return text
}

// fate says what the replicas know of a request that failed: which processes got it.
func fate(books []book, r generator.Request) string {
	var text strings.Builder
	text.WriteString(r.String())
	for _, b := range books {
		for _, e := range b.entries {
			if (e.what == "begin" && e.words[1] == r.ID) || (e.what == "end" && e.words[0] == r.ID) {
				text.WriteString(fmt.Sprintf("; %d: %s at %s", b.pid, e.what, stamp(e.at)))
			}
		}
	}
	return text.String()
}

func stamp(t time.Time) string { return t.Format("15:04:05.000000") }
