package script

import (
	"fmt"
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
}

// arguments are what follows the name of a ready-made fault: NAME@AT+FOR, or NAME=FIRST/SECOND.
type arguments struct {
	at, length, first, second *time.Duration
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
		{"hang", "hang@60s, hang@60s+30s", "The program stops answering: for good, until it is restarted, or for a time.", once(Fault{Kind: FaultHang})},
		{"refuse", "refuse@60s+30s", "Its port is closed.", once(Fault{Kind: FaultRefuse})},
		{"errors", "errors@60s+30s", "It answers 503.", once(Fault{Kind: FaultStatus, Reply: unavailable})},
		{"crash", "crash@30s", "The process ends, with code 1.", once(Fault{Kind: FaultExit, Code: 1})},
		{"dependency-outage", "dependency-outage@60s+120s", "Something outside of the Pod is down; probes that check it get 503.",
			once(Fault{Kind: FaultOutage, Reply: unavailable, Shared: true})},
		{"kubelet-restart", "kubelet-restart@90s", "The kubelet restarts; the containers run on.", once(Fault{Kind: FaultKubelet, Shared: true})},
		{"rollout", "rollout@5m", "The template changes: a rolling update.", once(Fault{Kind: FaultRollout})},
		{"slow-start", "slow-start=90s", "The program needs so long after each start until it answers.", slowStart},
		{"slow", "slow=3s, slow=3s/10m", "Answers take so much longer; growing during a time.", slow},
		{"crash-loop", "crash-loop=5s", "The process ends so long after each start, with code 1.", crashLoop},
		{"flap", "flap, flap=30s/1m", "Readiness gets 503 for a time in every so much time.", flap},
		{"gc-stall", "gc-stall=8s/1h", "Stalls at random moments, one per so much time, of so much length on average (both exponential).", gcStall},
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
		if r.Name != name {
			continue
		}
		a, err := parseArguments(short[len(name):])
		if err != nil {
			return fmt.Errorf("cannot read the fault %s: %w", printable.Quote(text), err)
		}
		a.workload = workload
		if err := r.add(s, a); err != nil {
			return fmt.Errorf("cannot read the fault %s: %w: write it as %s", printable.Quote(text), err, r.Syntax)
		}
		if n := len(s.Faults); n > 0 && s.Faults[n-1].Name == "" {
			s.Faults[n-1].Name, s.Faults[n-1].Workload = text, workload
		}
		return nil
	}
	var known []string
	for _, r := range ReadyMadeFaults() {
		known = append(known, r.Name)
	}
	return fmt.Errorf("unknown fault %s: there are %s (probity simulate script describes them)", printable.Quote(text), strings.Join(known, ", "))
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
		if a.first, err = timeArgument(first); err == nil && ok {
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
