package evidence

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/rules/seen"
)

// enough is how often something has to have happened, or in how many Pods, to be seen.
const enough = 2

// manyStarts is how many starts that all went well contradict a rule that says they cannot.
const manyStarts = 5

// ByContainer are the containers of workloads, to be found by their names.
type ByContainer map[key]*Container

// ByContainer sums up what was seen.
func (o *Observations) ByContainer() ByContainer {
	by := ByContainer{}
	all := o.Containers()
	for i := range all {
		by[key{all[i].Workload, all[i].Name}] = &all[i]
	}
	return by
}

// Merge says of each finding in live objects whether it was seen, and raises its severity if so;
// then it adds what was seen and is said by none of them. The workloads are those that were judged.
func (o *Observations) Merge(found []advisor.Finding, workloads []*advisor.Workload, by ByContainer) []advisor.Finding {
	said := map[key]bool{} // that its probes kill or fail
	merged := slices.Clone(found)
	for i := range merged {
		f := &merged[i]
		at := key{f.Object, f.Container}
		f.Basis = advisor.Predicted
		c := by[at]
		if o.isUnjudged(f) && (c == nil || !c.Probes[kindOf(f)].Exact) { // counters tell without Events
			f.Seen = "not judged by what happened: its Pods or Events cannot be read"
			continue
		}
		if c != nil {
			o.hold(f, c)
			said[at] = said[at] || f.Basis == advisor.Both
		}
	}
	for _, w := range workloads {
		for _, c := range w.Containers {
			at := key{w.Object.Ref(), c.Name}
			if s := by[at]; s != nil {
				merged = append(merged, o.unpredicted(c, s, said[at])...)
			}
		}
	}
	return merged
}

// isUnjudged reports whether what the finding would show by cannot be read.
func (o *Observations) isUnjudged(f *advisor.Finding) bool {
	ns := f.Object.Namespace
	return kindOf(f) >= 0 && shows(f.Rule) && (says(o.options.NoPods, ns) || says(o.options.NoEvents, ns))
}

// hold holds a finding against what was seen of its container.
func (o *Observations) hold(f *advisor.Finding, c *Container) {
	kind := kindOf(f)
	if kind < 0 || !shows(f.Rule) {
		return
	}
	p := &c.Probes[kind]
	switch killed := p.Kills >= enough || p.Killed >= enough; {
	case killed || p.Failures >= enough || p.Failed >= enough:
		f.Basis = advisor.Both
		f.Seen = p.text(typeName(kind)) + "; " + o.over(c, p)
		f.Severity = raised(f.Severity, killed)
	case c.contradicts(f, kind):
		f.Basis = advisor.Contradicted
		f.Seen = c.StartsText() + ", and nothing restarted; " + c.Over()
	default:
		f.Seen = "nothing of it was seen; " + o.over(c, p)
	}
}

// over says over what failures of a probe were counted.
func (o *Observations) over(c *Container, p *Probe) string {
	if p.Exact {
		return c.Over() + ", by the kubelets' counters"
	}
	return c.Over() + ", by Events of the last hour"
}

// raised is a severity after it was seen: what costs only time is a risk if it happens, and a risk
// is an outage if Pods were killed for it.
func raised(s advisor.Severity, killed bool) advisor.Severity {
	switch {
	case s == advisor.Waste:
		return advisor.Risk
	case s == advisor.Risk && killed:
		return advisor.Outage
	}
	return s
}

// contradicts reports whether a certain outage is foretold of a container whose Pods have all
// become Ready and were never restarted.
func (c *Container) contradicts(f *advisor.Finding, kind int) bool {
	return f.Severity == advisor.Outage && c.Restarts == 0 && c.NotReady == 0 && c.Probes[kind].Failures == 0 &&
		len(c.Starts)+c.Back == c.Pods && len(c.Starts) >= min(manyStarts, max(c.Pods, enough))
}

// kindOf is the type of the probe that a finding is about, or -1.
func kindOf(f *advisor.Finding) int {
	for i, field := range probeFields() {
		if strings.Contains(f.Field+".", "."+string(field)+".") {
			return i
		}
	}
	return -1
}

func typeName(kind int) string { return strings.TrimSuffix(string(probeFields()[kind]), "Probe") }

// shows reports whether a rule foretells that a probe fails. Others, about cost, style or what a
// probe does not notice, cannot be seen in its failures.
func shows(rule string) bool { return slices.Contains(Shown(), rule) }

// Shown are the ids of the rules that foretell that a probe fails.
func Shown() []string {
	return []string{
		"exec-inner-timeout", "exec-without-shell", "liveness-aggregate-health", "liveness-checks-dependency", "liveness-equals-readiness",
		"liveness-port-of-other-container", "liveness-stricter-than-readiness", "liveness-threshold-too-low", "mesh-refuses-probe",
		"probe-host-set", "probe-named-port-missing", "probe-port-not-tcp", "probe-port-undeclared", "readiness-checks-shared-dependency",
		"readiness-too-sensitive", "scheme-mismatch", "shell-words-lost", "startup-budget-contradiction", "startup-restart-loop",
		"timeout-ge-period", "timeout-too-short", "variable-not-expanded",
	}
}

// unpredicted makes findings of what was seen in a container and no rule has said of it.
func (o *Observations) unpredicted(c *advisor.Container, s *Container, said bool) []advisor.Finding {
	var list []advisor.Finding
	add := func(rule string, severity advisor.Severity, field, message, over string) {
		f := c.Finding(field, "%s", message)
		f.Rule, f.Severity, f.Basis, f.Seen = rule, severity, advisor.Seen, over
		list = append(list, f)
	}
	if s.restartsOften() && !said {
		field, severity, cause := o.cause(c, s)
		add(seen.Restarts, severity, field, s.RestartsText()+"; "+cause, s.Over())
	}
	p := &s.Probes[readiness]
	if away := s.NotReady + s.Back; c.Readiness != nil && away >= enough && !said {
		text := pods(away) + " stopped being Ready after the start"
		if s.NotReady > 0 {
			text += fmt.Sprintf("; not Ready now: %d, the longest for %s", s.NotReady, seconds(s.Longest))
		}
		if p.Failures > 0 {
			text += "; " + p.text("readiness")
		}
		add(seen.Flaps, advisor.Risk, string(advisor.ReadinessProbe), text, s.Over())
	}
	if field, text, ok := slowStart(c, s); ok {
		add(seen.SlowStart, advisor.Risk, field, text, s.StartsText()+"; "+s.Over())
	}
	return list
}

// seldom is how long a Pod runs without a restart that is worth a word: nodes are replaced, too.
const seldom = 7 * 24 * time.Hour

// restartsOften reports whether a container was restarted more than once, and more often than
// anything is some time, or by its probes.
func (c *Container) restartsOften() bool {
	killed := c.Probes[startup].Kills+c.Probes[liveness].Kills > 0
	return c.Restarts >= enough && (killed || time.Duration(c.Restarts)*seldom > c.Age)
}

// The numbers of the types of probes.
const (
	startup = iota
	readiness
	liveness
)

// cause says why a container was restarted, as far as that was seen, and which field is about it. A
// restart by a probe needs an Event beside the count: what exits with 0 at SIGTERM looks like a
// program that ended by itself.
func (o *Observations) cause(c *advisor.Container, s *Container) (field string, severity advisor.Severity, text string) {
	for _, kind := range []int{liveness, startup} {
		p := &s.Probes[kind]
		if p.Kills < enough && p.Killed < enough {
			continue
		}
		text := p.text(typeName(kind))
		if kind == liveness && c.Liveness != nil {
			text += fmt.Sprintf("; the stall that it surely survives is %d s", c.Liveness.ToleratedStall())
		}
		return string(probeFields()[kind]), advisor.Outage, text
	}
	if len(s.Exits) > 0 && s.Exits[0].Reason == "OOMKilled" {
		return "resources.limits.memory", advisor.Risk, "it needs more memory than its limit"
	}
	if !says(o.options.NoEvents, s.Workload.Namespace) {
		return "", advisor.Risk, "the cause was not seen: Events are kept for an hour"
	}
	if len(s.Exits) > 0 && slices.Contains([]int{0, 137, 143}, s.Exits[0].Code) && len(c.Probes()) > 0 {
		return "", advisor.Risk, "stopped from outside; Events are forbidden, so which probe is not known"
	}
	return "", advisor.Risk, "the cause is not known: Events are forbidden"
}

// near is the part of its budget from which on a start is slow.
const near = 0.8

// slowStart reports whether starts come near to the time after which a container is killed for
// them.
func slowStart(c *advisor.Container, s *Container) (field, text string, ok bool) {
	p := c.Startup
	if p == nil {
		p = c.Liveness
	}
	if p == nil || len(s.Starts) < enough || s.Back > 0 {
		return "", "", false
	}
	safe := time.Duration(p.StartSafe()) * time.Second
	if s.Worst() < time.Duration(float64(safe)*near) || s.Worst() > time.Duration(p.StartFatal())*time.Second {
		// A start that takes longer than it may and was not killed is not one: readiness waits for
		// something else.
		return "", "", false
	}
	return string(p.Field) + ".failureThreshold", fmt.Sprintf("the slowest start took %s, and %s surely allows %s: one that is a little slower is killed",
		seconds(s.Worst()), p.TypeName(), seconds(safe)), true
}
