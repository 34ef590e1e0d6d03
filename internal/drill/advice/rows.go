package advice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/drill"
)

// row is what is known about one kind of verdict.
type row struct {
	rule string // V1 to V9
	// words are those of the verdict that it is for; nil for all.
	words []string
	// kinds are those of the faults that it is for; nil for all.
	kinds []drill.Kind
	// is is a further condition; nil for none.
	is func(s situation) bool
	// rules are those of check that may say the same, the one that fits best first.
	rules []string
	// text says what to do.
	text func(s situation) string
	// patch is the change that mends it; nil if no number does.
	patch func(s situation) *advisor.Patch
}

// row is the first that fits.
func (s situation) row() (row, bool) {
	kind := drill.Kind("")
	if f, err := drill.ParseFault(s.result.Fault); err == nil {
		kind = f.Kind
	}
	for _, r := range rows() {
		if r.rule == s.Rule && (r.words == nil || slices.Contains(r.words, s.Word)) && (r.kinds == nil || slices.Contains(r.kinds, kind)) && (r.is == nil || r.is(s)) {
			return r, true
		}
	}
	return row{}, false
}

func always(text string) func(situation) string { return func(situation) string { return text } }

// rows are all that is known, special ones before general ones.
func rows() []row {
	return slices.Concat(insideRows(), outsideRows(), trafficRows())
}

// insideRows are about faults that a restart cures.
func insideRows() []row {
	noProbe := func(s situation) bool { return s.container != nil && s.container.Liveness == nil }
	outsideOfProcess := func(s situation) bool {
		return s.container != nil && s.container.Liveness != nil && s.container.Liveness.Exec != nil
	}
	return []row{
		{
			rule: "V1", words: []string{"missed"}, is: noProbe, rules: []string{wrongContainer},
			text: always("Add a liveness probe that asks what only a restart mends: whether the loop that does the work still goes round."),
		},
		{
			rule: "V1", words: []string{"missed"}, is: outsideOfProcess, rules: []string{"probe-cannot-fail", "exit-status-lost", "shell-words-lost", "curl-ignores-errors"},
			text: always("The liveness probe runs a command that succeeds without the service. Let it ask the service itself: over HTTP, or by a heartbeat that the work renews."),
		},
		{
			rule: "V1", words: []string{"missed"}, rules: []string{"shallow-tcp-check", "metrics-as-health", "probe-cannot-fail", wrongContainer},
			text: always("The liveness probe is answered by something that goes on when the work does not. Let the loop that does the work renew a heartbeat at each turn, not a timer beside it, and let the probe fail when that is too old."),
		},
		{
			rule: "V1", words: []string{"late"}, rules: []string{"liveness-kill-too-slow"}, is: func(s situation) bool { return s.Probe == "" },
			text:  always("A process that hangs does not act on SIGTERM: give the liveness probe a short grace period of its own. That of the Pod stays for deletions."),
			patch: killGrace,
		},
		{
			rule: "V1", words: []string{"late"},
			text: always("The service itself answered well for too long after it was broken: check more often what the liveness probe is told, or let it get older answers refused."),
		},
		{
			rule: "V9", rules: []string{"liveness-stricter-than-readiness", "readiness-missing-on-serving-container", "readiness-missing"},
			text: always("Let readiness see the same fault, and sooner: its failureThreshold times its period, and the time that endpoints take, have to be less than what liveness waits."),
		},
	}
}

// outsideRows are about faults that a restart does not cure.
func outsideRows() []row {
	return []row{
		{
			rule: "V2", words: []string{"never ready"},
			text: always("Nothing can be tried on a service that does not come up. probity run shows why; what it connects to has to be there: start that, or put it into the manifest."),
		},
		{
			rule: "V2", kinds: []drill.Kind{drill.KindDependency}, rules: []string{"liveness-checks-dependency", "liveness-equals-readiness", "liveness-aggregate-health"},
			is: func(s situation) bool { return s.Probe != "" },
			text: func(s situation) string {
				return fmt.Sprintf("The %s probe fails with %s, which a restart does not mend. Let it ask the process alone, and answer it beside the threads and connections that requests wait for; what depends on others belongs to readiness.", strings.ToLower(s.Probe), s.result.Dependency)
			},
		},
		{
			rule: "V2", kinds: []drill.Kind{drill.KindDependency},
			text: func(s situation) string {
				return fmt.Sprintf("The process ends by itself when %s fails. Let it go on, answer its probes, and try again.", s.result.Dependency)
			},
		},
		{
			rule: "V2", is: func(s situation) bool { return s.Probe == "Startup" }, rules: []string{"startup-restart-loop", "startup-budget-contradiction"},
			text:  always("The start takes longer than the startup probe bears. Allow twice the longest start that was measured."),
			patch: startBudget,
		},
		{
			rule: "V2", kinds: []drill.Kind{drill.KindSlowStart, drill.KindBaseline}, rules: []string{"startup-restart-loop", "initial-delay-substitute"},
			text:  always("Liveness is asked before the start is over. Give the container a startup probe that bears twice the longest start that was measured."),
			patch: startBudget,
		},
		{
			rule: "V2", kinds: []drill.Kind{drill.KindHang, drill.KindGCStall}, rules: []string{"liveness-threshold-too-low"},
			text:  always("A stall that passes was taken for a hang. Let liveness bear it: a higher failureThreshold."),
			patch: bearStall,
		},
		{
			rule: "V2", rules: []string{"timeout-too-short", "liveness-equals-readiness", "liveness-threshold-too-low", "probe-flooding"},
			text: always("Under load the liveness probe waits with the requests, and a restart makes less of the little there is. Answer it beside the queue of requests, with a timeout of at least twice what the slowest of a thousand answers takes."),
		},
		{
			rule: "V4", rules: []string{"timeout-too-short", "liveness-threshold-too-low"},
			text: always("The probe failed where requests did not: it asks something that they do not need, or by another way. Let it ask through what requests use."),
		},
		{
			rule: "V6", rules: []string{"readiness-checks-shared-dependency"},
			text: func(s situation) string {
				return fmt.Sprintf("Every replica left the Service at once. If some requests do without %[1]s, take it out of readiness; if none do, say so: the annotation probity.run/dependency.%[1]s: owned on the Pod template.", s.result.Dependency)
			},
		},
		{
			rule: "V8",
			text: always("Start without the dependency: answer the startup and liveness probes, be unready, and try again until it is there."),
		},
	}
}

// waitForAll is for a process that is ready before it is.
const waitForAll = "A process that has just started gets requests before it can answer them. Let the readiness probe, or the startup probe before it, succeed only when all that requests need is loaded and connected."

// trafficRows are about requests.
func trafficRows() []row {
	return []row{
		{
			rule: "V3", is: func(s situation) bool { return s.container != nil && s.container.Readiness == nil }, rules: []string{"readiness-missing-on-serving-container", "readiness-missing"},
			text: always("Add a readiness probe that fails when requests would."),
		},
		{
			rule: "V3", rules: []string{"shallow-tcp-check", "liveness-equals-readiness", "probe-cannot-fail", "readiness-port-not-served", "metrics-as-health", "exit-status-lost"},
			text: always("The readiness probe succeeds while requests fail. Let it ask, through the same pool, for what they need; a check that has not run for a while has to count as failed."),
		},
		{
			rule: "V5", words: []string{"ready too soon"}, rules: []string{"readiness-missing-on-serving-container", "readiness-missing", "shallow-tcp-check"},
			text: always(waitForAll),
		},
		{
			rule: "V5",
			text: always("It does not come back by itself. Open connections again when they break, with a pause that grows, and check what readiness says by the same pool; a restart must not be needed for that."),
		},
		{
			rule: "V7", is: func(s situation) bool { return s.Probe != "" }, rules: []string{"readiness-missing-on-serving-container", "readiness-missing", "shallow-tcp-check"},
			text: always(waitForAll),
		},
		{
			rule: "V7", kinds: []drill.Kind{drill.KindCrash, drill.KindMemory}, rules: []string{"readiness-too-sensitive"},
			text: always("More was lost than what was in flight: the next process took requests before it could answer them, or the others could not take them all."),
		},
		{
			rule: "V7", rules: []string{"no-drain", "prestop-ge-grace", "rollout-takes-all-replicas"},
			text: always("Endpoints are late: after SIGTERM go on taking requests for some seconds, unready, then finish what is in flight and exit. Where the program cannot, a preStop hook that sleeps does the first half."),
		},
	}
}

// killGrace is a grace period of the liveness probe.
func killGrace(s situation) *advisor.Patch {
	p := s.container.Liveness
	if p == nil {
		return nil
	}
	seconds, known := s.container.PreStopSeconds()
	if !known {
		return nil
	}
	return p.Set("terminationGracePeriodSeconds", seconds+5)
}

// startBudget makes the startup probe bear twice the longest start.
func startBudget(s situation) *advisor.Patch {
	seconds := 2 * int((time.Duration(s.workload.Start)+time.Second-1)/time.Second)
	switch p := s.container.Startup; {
	case seconds == 0:
		return nil
	case p != nil && p.ThresholdForStart(seconds) > p.FailureThreshold:
		return p.Set("failureThreshold", p.ThresholdForStart(seconds))
	case p == nil && s.container.Liveness != nil:
		return s.container.Liveness.StartupPatch(seconds)
	}
	return nil
}

// bearStall makes liveness bear the stall that was tried.
func bearStall(s situation) *advisor.Patch {
	f, err := drill.ParseFault(s.result.Fault)
	p := s.container.Liveness
	if err != nil || p == nil {
		return nil
	}
	seconds := int((f.Length + time.Second - 1) / time.Second)
	if threshold := p.ThresholdForStall(seconds); threshold > p.FailureThreshold {
		return p.Set("failureThreshold", threshold)
	}
	return nil
}
