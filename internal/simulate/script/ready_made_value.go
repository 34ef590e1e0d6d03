package script

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/probity-run/probity/internal/printable"
)

// maxFactor bounds by how much something is slower.
const maxFactor = 100

// readExitCode reads a crash's 137; without one, the code stays.
func readExitCode(f *Fault, text string) error {
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 255 {
		return fmt.Errorf("%s is no exit code from 0 to 255", printable.Quote(text))
	}
	f.Code = int32(n)
	return nil
}

// readMode reads how a dependency is broken: down, hang, reset, dead or slow:300ms. A connection
// that is reset is an error at once, as one that is refused; a host that is dead gives no answer,
// as one that hangs: what checks it waits in both cases.
func readMode(f *Fault, text string) error {
	how, delay, slow := strings.Cut(text, ":")
	switch {
	case slices.Contains([]string{"", "down", "reset"}, text):
	case text == "hang", text == "dead":
		f.Reply = Reply{Kind: ReplyHang}
	case how == "slow" && slow:
		d, err := ParseDuration(delay)
		if err == nil && d == 0 {
			err = errNoValue
		}
		if err != nil {
			return err
		}
		f.Kind, f.Latency = FaultSlowDependency, d
	default:
		return fmt.Errorf("%s is none of down, hang, reset, dead and slow:300ms", printable.Quote(text))
	}
	return nil
}

// readShare reads a throttle's 5%.
func readShare(f *Fault, text string) error {
	number, ok := strings.CutSuffix(text, "%")
	x, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(x >= 1 && x <= 100) {
		return fmt.Errorf("%s is no share from 1%% to 100%%", printable.Quote(text))
	}
	f.Share = x / 100
	return nil
}

// readMemory checks a limit of memory. How much a program has, no script says: it is over it.
func readMemory(_ *Fault, text string) error {
	if !regexp.MustCompile(`^[1-9][0-9]{0,11}(Ki|Mi|Gi|Ti|k|M|G|T)?$`).MatchString(text) {
		return fmt.Errorf("%s is no amount of memory such as 64Mi", printable.Quote(text))
	}
	return nil
}

// notSimulated is why a fault cannot be simulated that probity drill, or a test in Go or Python,
// can inject, and what can be simulated instead; "" for other names.
func notSimulated(name string) string {
	return map[string]string{
		"disk-full": "what a program does without room on its disk, only the program can tell: try it with probity drill, or simulate errors@60s+30s or crash@60s",
		"pool":      "which answers need a connection of the pool, no script says: simulate dependency-outage:db=hang@60s+30s for probes that do",
		"held":      "how many silent clients a program stands, no script says: try it with probity drill",
		"overload":  "how much slower answers become under load, no script says: measure it with probity drill, and simulate slow=1s",
		"unready":   "of a Pod that runs, the annotation probity.run/fault lets readiness alone fail: simulate errors@60s+30s/readiness",
		"kill":      "a process that is killed ends: simulate crash=137@60s",
		"stop":      "one Pod alone is not deleted in a simulation: simulate rollout@60s, which ends all of them one after the other",
	}[name]
}
