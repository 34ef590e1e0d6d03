package drill

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// restart is the end of a process that was started again, as it was measured.
type restart struct {
	lived   time.Duration // from its start, or from the fault, to its end
	gap     time.Duration // from its end to the start of the next one
	byProbe bool
}

// restartsOf are those of a Pod's container in a repetition. The last end has none if nothing was
// started after it.
func restartsOf(rep *Repetition, pod, container string) (all []restart) {
	since, ended, decided := rep.Begin, Offset(-1), false
	for _, c := range rep.Changes {
		if c.Pod != pod || c.At < rep.Begin || c.Container != "" && c.Container != container {
			continue
		}
		switch c.Kind {
		case ChangeDecided:
			decided = true
		case ChangeEnded:
			ended = c.At
		case ChangeStarted:
			if ended >= 0 && c.Text == container {
				all = append(all, restart{lived: time.Duration(ended - since), gap: time.Duration(c.At - ended), byProbe: decided})
				since, ended, decided = c.At, -1, false
			}
		}
	}
	return all
}

// backOffs are how long a cluster would have waited before each of these restarts, if the container
// had not been restarted in the ten minutes before (R146, R148, R150, R151).
func backOffs(restarts []restart) (waits []time.Duration) {
	var record lifecycle.Backoff
	var before time.Time // the end of the instance before
	now := time.Unix(0, 0)
	for _, r := range restarts {
		now = now.Add(r.lived)
		known := now // the end that the kubelet knows when it decides
		if r.byProbe {
			known = before
		}
		wait := time.Duration(0)
		if record.Refuse(known, now) {
			wait = record.Delay()
		}
		before, now = now, now.Add(max(wait, r.gap))
		if !known.IsZero() { // else it knows of no end, and records nothing
			record.Next(now)
		}
		waits = append(waits, wait)
	}
	return waits
}

// backOffRemark is what a cluster's back-off would have cost the replica that it would have cost
// most; "" if it would have cost nothing.
func backOffRemark(all []evidence) (remark string) {
	worst := time.Duration(0)
	for _, e := range all {
		for _, pod := range e.pods() {
			restarts := restartsOf(e.Repetition, pod, e.workload.Container)
			waits, cost, here := backOffs(restarts), time.Duration(0), time.Duration(0)
			for i, wait := range waits {
				cost += max(wait-restarts[i].gap, 0)
				here += restarts[i].gap
			}
			if cost < time.Second || cost <= worst {
				continue
			}
			worst = cost
			remark = fmt.Sprintf("%s was restarted %s, and away for %s between: in a cluster, whose back-off would have been %s, it would have been away for %s longer",
				pod, plural(len(waits), "time", "times"), text(Offset(here)), series(waits), text(Offset(cost)))
		}
	}
	return remark
}

// series is as in "0s, 10s and 20s".
func series(waits []time.Duration) string {
	var words []string
	for _, w := range waits {
		words = append(words, script.FormatDuration(w))
	}
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(slices.Clone(words[:last]), ", ") + " and " + words[last]
}
