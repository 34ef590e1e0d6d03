package trace

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// pause is the time between the end of a process and the start of the next one of its container.
type pause struct {
	process string  // the next one
	seconds float64 // 0 or more
	backOff float64 // the delay that the status named meanwhile, 0 if none
}

var delay = regexp.MustCompile(`^CrashLoopBackOff back-off ([0-9]+)s `)

// pauses of a trace, in the order of the tracks' names.
func (t Trace) pauses() (all []pause) {
	for _, track := range t.Tracks {
		subject, aspect, _ := split(track.Name)
		container, number, _ := strings.Cut(subject, "#")
		n, err := strconv.Atoi(number)
		if aspect != "life" || err != nil || n == 1 {
			continue
		}
		before := t.Get(fmt.Sprintf("%s#%d life", container, n-1)).Entries
		if len(before) == 0 {
			continue
		}
		end, start := before[len(before)-1].At, track.Entries[0].At
		p := pause{process: subject, seconds: start - end}
		for _, e := range t.Get(container + " state waiting").Entries {
			if m := delay.FindStringSubmatch(e.What); m != nil && e.At > end && e.At < start {
				p.backOff, _ = strconv.ParseFloat(m[1], 64) // digits
			}
		}
		all = append(all, p)
	}
	return all
}

// restartPauses wants the same pauses. A back-off is at least as long as it says, and at most half
// as long again (R149), a second and the kubelet's lag.
func (c *comparison) restartPauses() {
	others := map[string]pause{}
	for _, p := range c.b.pauses() {
		others[p.process] = p
	}
	for _, a := range c.a.pauses() {
		b, ok := others[a.process]
		least, most := a.seconds-c.lag, a.seconds+c.lag
		if a.backOff > 0 {
			least, most = a.backOff-graceTolerance, 1.5*a.backOff+1+c.lag
		}
		if ok && (b.seconds > most || b.seconds < least) {
			c.differ(a.process+" life", "starts %.1f s after the end of the one before, in the reference %.1f s, with a back-off of %.0f s", b.seconds, a.seconds, a.backOff)
		}
	}
}
