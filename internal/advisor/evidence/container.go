package evidence

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/manifest"
)

// A Container is what was seen of one container in all Pods of a workload.
type Container struct {
	Workload manifest.Ref
	Name     string
	// Pods have it, and Age is how old they are together.
	Pods int
	Age  time.Duration
	// Starts are the times from the start of a container to the Ready of its Pod, of first
	// instances alone, in rising order. A Pod that was not Ready in between is not among them, if
	// that shows.
	Starts []time.Duration
	// Restarts of all Pods; Restarted are the Pods that have some.
	Restarts, Restarted int
	// Exits are how the instances before the present ones have ended, the most frequent first.
	Exits []Exit
	// NotReady are the Pods that were Ready once and are not now, and Longest the longest such
	// time. Back are those that were Ready, were not, and are again.
	NotReady, Back int
	Longest        time.Duration
	// Probes are by type: startup, readiness, liveness.
	Probes [probeTypes]Probe
}

// An Exit is how a container has ended.
type Exit struct {
	// Reason is the kubelet's: Error, OOMKilled, Completed.
	Reason       string
	Code, Signal int
	// Count is in how many Pods.
	Count int
}

// A Probe is what was seen of a probe of one container in all Pods of a workload.
type Probe struct {
	// Failures are exact if a kubelet's counters tell them for each Pod, else at least so many in
	// the time for which Events are kept. Failed are the Pods that have some.
	Failures, Failed int
	Exact            bool
	// Kills are the instances that were killed for it, at least, in the time for which Events are
	// kept; Killed are the Pods in which it happened. An Event that is renewed is kept on and
	// counts from its first time: Renewed is how much longer that is, over all Pods.
	Kills, Killed int
	Renewed       time.Duration
	// Words are what it said when it failed last.
	Words string

	last time.Time
}

// add takes what was seen in one Pod.
func (c *Container) add(p *pod, i *instance, now time.Time) {
	if c.Pods == 0 {
		for kind := range c.Probes {
			c.Probes[kind].Exact = true
		}
	}
	c.Pods++
	c.Age += max(now.Sub(p.created), 0)
	c.Restarts += i.restarts
	if i.restarts > 0 {
		c.Restarted++
	}
	if i.start > 0 {
		c.Starts = append(c.Starts, i.start)
	}
	if i.notReady > 0 {
		c.NotReady++
		c.Longest = max(c.Longest, i.notReady)
	}
	if i.exit != nil && i.restarts > 0 {
		c.addExit(*i.exit)
	}
	for kind := range i.probes {
		c.Probes[kind].add(&i.probes[kind])
	}
}

func (c *Container) addExit(e Exit) {
	i := slices.IndexFunc(c.Exits, func(x Exit) bool { return x.Reason == e.Reason && x.Code == e.Code && x.Signal == e.Signal })
	if i < 0 {
		c.Exits = append(c.Exits, e)
		return
	}
	c.Exits[i].Count++
}

func (p *Probe) add(one *probe) {
	p.Exact = p.Exact && one.exact >= one.events
	if n := max(one.events, one.exact); n > 0 {
		p.Failures += n
		p.Failed++
	}
	if one.kills > 0 {
		p.Kills += one.kills
		p.Killed++
		p.Renewed += one.renewed
	}
	if one.words != "" && (p.Words == "" || one.last.After(p.last)) {
		p.Words, p.last = one.words, one.last
	}
}

// longestStart is what is still taken for the start of a container. Conditions tell the last time
// that a Pod has become Ready alone, so that a Pod that was not Ready yesterday looks like one that
// has taken days to start.
const longestStart = 30 * time.Minute

// likely is a time to start that is believed if it is the longest: how many times the median, and
// what may always be.
const (
	likelyTimes = 5
	likelyStart = 2 * time.Minute
)

// settle orders what was added, and tells starts from Pods that came back.
func (c *Container) settle() {
	slices.Sort(c.Starts)
	limit := min(longestStart, max(likelyStart, likelyTimes*c.Median()))
	if i, _ := slices.BinarySearch(c.Starts, limit); i < len(c.Starts) {
		c.Back = len(c.Starts) - i
		c.Starts = slices.Clip(c.Starts[:i])
	}
	slices.SortFunc(c.Exits, func(a, b Exit) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Reason, b.Reason), cmp.Compare(a.Code, b.Code))
	})
}

// Median is the time that half of the starts took at most; 0 if none is known.
func (c *Container) Median() time.Duration {
	if len(c.Starts) == 0 {
		return 0
	}
	return c.Starts[(len(c.Starts)-1)/2]
}

// Worst is the longest start; 0 if none is known.
func (c *Container) Worst() time.Duration {
	if len(c.Starts) == 0 {
		return 0
	}
	return c.Starts[len(c.Starts)-1]
}

// Over says over what something was seen: how many Pods, and how old they are together.
func (c *Container) Over() string {
	return fmt.Sprintf("over %s, %s", pods(c.Pods), hours(c.Age))
}

// RestartsText says how often it was restarted, how that is by the hour, and how it has ended.
func (c *Container) RestartsText() string {
	text := fmt.Sprintf("restarted %s in %s", times(c.Restarts), pods(c.Restarted))
	if h := c.Age.Hours(); h >= 1 {
		text += fmt.Sprintf(" (%.2g per Pod-hour)", float64(c.Restarts)/h)
	}
	var ends []string
	for _, e := range c.Exits[:min(len(c.Exits), 3)] {
		ends = append(ends, e.text(c.Restarted))
	}
	if len(ends) > 0 {
		text += "; ended last with " + strings.Join(ends, ", ")
	}
	return text
}

// text is an exit, and in how many of the Pods if not in all.
func (e Exit) text(of int) string {
	text := fmt.Sprintf("exit code %d", e.Code)
	if e.Reason != "" && e.Reason != "Error" && e.Reason != "Completed" {
		text = e.Reason + ", " + text
	}
	if e.Signal != 0 {
		text += fmt.Sprintf(", signal %d", e.Signal)
	}
	if of > 1 {
		text += fmt.Sprintf(" (%s)", pods(e.Count))
	}
	return text
}

// StartsText says how long starts have taken.
func (c *Container) StartsText() string {
	if len(c.Starts) == 1 {
		return fmt.Sprintf("from start to Ready it took %s, in one Pod", seconds(c.Worst()))
	}
	return fmt.Sprintf("from start to Ready half of %d Pods took %s at most, the slowest %s", len(c.Starts), seconds(c.Median()), seconds(c.Worst()))
}

// text says how often the probe has failed and killed.
func (p *Probe) text(kind string) string {
	text := ""
	if p.Kills > 0 {
		text = fmt.Sprintf("%s killed it at least %s in %s", kind, times(p.Kills), pods(p.Killed))
	}
	if p.Failures > 0 {
		least := "at least "
		if p.Exact {
			least = ""
		}
		if text != "" {
			text += ", and "
		}
		text += fmt.Sprintf("%s failed %s%s in %s", kind, least, times(p.Failures), pods(p.Failed))
	}
	if p.Words != "" {
		text += fmt.Sprintf(" (last: %s)", p.Words)
	}
	return text
}

func pods(n int) string {
	if n == 1 {
		return "1 Pod"
	}
	return fmt.Sprintf("%d Pods", n)
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}

// hours are the ages of Pods together.
func hours(d time.Duration) string {
	switch h := d.Hours(); {
	case d < time.Minute:
		return fmt.Sprintf("%d Pod-seconds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d Pod-minutes", int(d.Minutes()))
	case h < 10:
		return fmt.Sprintf("%.1f Pod-hours", h)
	default:
		return fmt.Sprintf("%.0f Pod-hours", h)
	}
}

func seconds(d time.Duration) string {
	switch {
	case d < time.Second:
		return "less than 1 s" // conditions have whole seconds
	case d < 10*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%d min", int(d.Minutes()))
}
