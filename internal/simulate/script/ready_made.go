package script

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/printable"
)

// ReadyMadeFault is a fault, or a behaviour of the programs, that has a name and a short form.
type ReadyMadeFault struct {
	Name   string
	Syntax string // examples, separated by ", "
	Text   string // what it means
	add    func(s *Script, a arguments) error
	// value reads what stands between "=" and "@"; nil: nothing may stand there, and what follows
	// "=" alone are times.
	value func(f *Fault, text string) error
	fault Fault // that value changes
	// named: the name of a dependency may follow, as in dependency-outage:db
	named bool
}

// arguments are what follows the name of a ready-made fault: NAME@AT+FOR, or NAME=FIRST/SECOND.
type arguments struct {
	at, length, first, second *time.Duration
	value                     string
	factor                    float64 // as in 2x
	workload, container       string
	probes                    []lifecycle.ProbeType
}

// ReadyMadeFaults lists them in the order of the reference.
func ReadyMadeFaults() []ReadyMadeFault {
	once := func(f Fault) func(*Script, arguments) error {
		return func(s *Script, a arguments) error { return s.once(f, a) }
	}
	unavailable := Reply{Kind: ReplyStatus, Code: 503}
	return []ReadyMadeFault{
		{Name: "hang", Syntax: "hang@60s, hang@60s+30s", Text: "The program stops answering: for good, until it is restarted, or for a time.", add: once(Fault{Kind: FaultHang})},
		{Name: "refuse", Syntax: "refuse@60s+30s", Text: "Its port is closed.", add: once(Fault{Kind: FaultRefuse})},
		{Name: "errors", Syntax: "errors@60s+30s", Text: "It answers 503.", add: once(Fault{Kind: FaultStatus, Reply: unavailable})},
		{Name: "crash", Syntax: "crash@30s, crash=137@30s", Text: "The process ends, with code 1 or another one.", fault: Fault{Kind: FaultExit, Code: 1}, value: readExitCode},
		{Name: "dependency-outage", Syntax: "dependency-outage@60s+120s, dependency-outage:db@60s+20s, dependency-outage:db=hang@60s+20s, dependency-outage:db=reset@60s+20s, dependency-outage:db=dead@60s+20s, dependency-outage:db=slow:300ms@60s+20s, dependency-outage:db@start+30s",
			Text:  "Something outside of the Pod is down; probes that check it get 503. Or it hangs, resets connections (as if it were down), is dead as a host without power (as if it hung), or answers so much later; @start: from the start on. Its name is for reports.",
			fault: Fault{Kind: FaultOutage, Reply: unavailable, Shared: true}, value: readMode, named: true},
		{Name: "dns", Syntax: "dns@60s+30s, dns=dead@60s+30s, dns=slow:5s@60s+30s", Text: "The name server is down, dead, or slow, as a dependency of every answer that checks one: a program that keeps its connections notices nothing.",
			fault: Fault{Kind: FaultOutage, Reply: unavailable, Shared: true}, value: readMode},
		{Name: "throttle", Syntax: "throttle=5%@60s+30s", Text: "It has only that share of a processor: answers take 20 times as long, as if they were all computing.", fault: Fault{Kind: FaultThrottle}, value: readShare},
		{Name: "fds", Syntax: "fds@60s", Text: "It can open no further connection: it looks as if it hung, but hears its signals.", add: once(Fault{Kind: FaultDescriptors})},
		{Name: "memory", Syntax: "memory=64Mi@60s", Text: "At this moment it has more memory than that, and is killed: exit code 137.", fault: Fault{Kind: FaultExit, Code: 137}, value: readMemory},
		{Name: "deadlock", Syntax: "deadlock@60s", Text: "A loop hangs, and the rest answers: liveness gets 503, as it should, and readiness notices nothing.",
			add: once(Fault{Kind: FaultStatus, Reply: unavailable, Probes: []lifecycle.ProbeType{lifecycle.Liveness}})},
		{Name: "kubelet-restart", Syntax: "kubelet-restart@90s", Text: "The kubelet restarts; the containers run on.", add: once(Fault{Kind: FaultKubelet, Shared: true})},
		{Name: "rollout", Syntax: "rollout@5m", Text: "The template changes: a rolling update.", add: once(Fault{Kind: FaultRollout})},
		{Name: "slow-start", Syntax: "slow-start=90s", Text: "The program needs so long after each start until it answers; slow-start=2x: so many times as long as the script says.", add: slowStart},
		{Name: "slow", Syntax: "slow=3s, slow=3s/10m", Text: "Answers take so much longer; growing during a time.", add: slow},
		{Name: "crash-loop", Syntax: "crash-loop=5s", Text: "The process ends so long after each start, with code 1.", add: crashLoop},
		{Name: "flap", Syntax: "flap, flap=30s/1m", Text: "Readiness gets 503 for a time in every so much time.", add: flap},
		{Name: "gc-stall", Syntax: "gc-stall=8s/1h", Text: "Stalls at random moments, one per so much time, of so much length on average (both exponential).", add: gcStall},
	}
}

// ParseFault adds a ready-made fault to a script, such as hang@60s.
func (s *Script) ParseFault(text string) error {
	short, workload, some := strings.Cut(text, ",workload=")
	if some && workload == "" {
		return fmt.Errorf("cannot read the fault %s: it names no workload: write it as %s,workload=deployment/web", printable.Quote(text), short)
	}
	name := short
	if i := strings.IndexAny(short, "@=:/,"); i >= 0 {
		name = short[:i]
	}
	for _, r := range ReadyMadeFaults() {
		if r.Name == name {
			return s.addReadyMade(r, text, short, workload)
		}
	}
	if problem := notSimulated(name); problem != "" {
		return fmt.Errorf("cannot simulate the fault %s: %s", printable.Quote(text), problem)
	}
	var known []string
	for _, r := range ReadyMadeFaults() {
		known = append(known, r.Name)
	}
	return fmt.Errorf("unknown fault %s: there are %s (probity simulate script describes them)", printable.Quote(text), strings.Join(known, ", "))
}

func (s *Script) addReadyMade(r ReadyMadeFault, text, short, workload string) error {
	a, err := r.arguments(short[len(r.Name):])
	if err != nil {
		return fmt.Errorf("cannot read the fault %s: %w", printable.Quote(text), err)
	}
	a.workload = workload
	add := r.add
	if r.value != nil {
		add = r.addValued
	}
	if err := add(s, a); err != nil {
		return fmt.Errorf("cannot read the fault %s: %w: write it as %s", printable.Quote(text), err, r.Syntax)
	}
	if n := len(s.Faults); n > 0 && s.Faults[n-1].Name == "" {
		s.Faults[n-1].Name, s.Faults[n-1].Workload = text, workload
	}
	return nil
}

// arguments reads what follows the name: of a fault with a value [:DEPENDENCY][=VALUE]@AT, and what
// parseArguments reads.
func (r ReadyMadeFault) arguments(text string) (a arguments, err error) {
	if r.value == nil {
		return parseArguments(text)
	}
	before, after, timed := strings.Cut(text, "@")
	name, value, valued := strings.Cut(before, "=")
	switch {
	case valued && value == "":
		return a, errNoValue
	case name != "" && (!r.named || len(name) < 2 || name[0] != ':' || strings.ContainsAny(name, "/,")):
		return a, errNoAt
	case !timed:
		return a, nil
	}
	if rest, some := strings.CutPrefix(after, "start"); some && r.named {
		after = "0s" + rest
	}
	a, err = parseArguments("@" + after)
	a.value = value
	return a, err
}

// addValued adds a fault that a value changes.
func (r ReadyMadeFault) addValued(s *Script, a arguments) error {
	f := r.fault
	if err := r.value(&f, a.value); err != nil {
		return err
	}
	return s.once(f, a)
}

// parseArguments reads @AT+FOR or =FIRST/SECOND, then :CONTAINER and /PROBES.
func parseArguments(text string) (a arguments, err error) {
	switch {
	case strings.HasPrefix(text, "@"):
		times := text[1:]
		if i := strings.IndexAny(times, ":/"); i >= 0 {
			times, text = times[:i], times[i:]
		} else {
			text = ""
		}
		at, length, ok := strings.Cut(times, "+")
		if a.at, err = timeArgument(at); err == nil && ok {
			a.length, err = timeArgument(length)
		}
	case strings.HasPrefix(text, "="):
		values, rest, named := strings.Cut(text[1:], ":")
		first, second, ok := strings.Cut(values, "/")
		if factor, some := strings.CutSuffix(values, "x"); some {
			a.factor, err = strconv.ParseFloat(factor, 64)
			if err != nil || !(a.factor > 1 && a.factor <= maxFactor) {
				err = fmt.Errorf("%s is no factor above 1x, up to %dx", printable.Quote(values), maxFactor)
			}
		} else if a.first, err = timeArgument(first); err == nil && ok {
			a.second, err = timeArgument(second)
		}
		text = ""
		if named {
			text = ":" + rest
		}
	}
	if err != nil {
		return a, err
	}
	return a, a.target(text)
}

// target reads :CONTAINER and /PROBES.
func (a *arguments) target(text string) error {
	container, probes, some := strings.Cut(text, "/")
	if container != "" {
		if a.container = strings.TrimPrefix(container, ":"); a.container == "" || !strings.HasPrefix(container, ":") {
			return fmt.Errorf("%s is no container: write it as :web", printable.Quote(container))
		}
	}
	if !some {
		return nil
	}
	for word := range strings.SplitSeq(probes, ",") {
		t, ok := probeNamed(word)
		if !ok {
			return fmt.Errorf("%s is none of the probes startup, readiness and liveness", printable.Quote(word))
		}
		a.probes = append(a.probes, t)
	}
	return nil
}

func timeArgument(s string) (*time.Duration, error) {
	d, err := ParseDuration(s)
	if err != nil {
		return nil, err
	}
	return &d, nil
}
