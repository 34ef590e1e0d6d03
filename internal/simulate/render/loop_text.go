package render

import (
	"fmt"
	"strings"

	"github.com/probity-run/probity/internal/simulate"
)

// fewLoops is how many containers that are safe have a line each; more share one.
const fewLoops = 3

// loopTexts say of each container whether its start can become a loop.
func loopTexts(loops []simulate.Loop) (texts []string) {
	var safe []string
	for _, l := range loops {
		if l.Verdict == simulate.LoopSafe {
			safe = append(safe, loopName(l))
		}
	}
	for _, l := range loops {
		if l.Verdict != simulate.LoopSafe || len(safe) <= fewLoops {
			texts = append(texts, loopText(l))
		}
	}
	if len(safe) > fewLoops {
		names := strings.Join(safe[:fewLoops], ", ")
		texts = append(texts, fmt.Sprintf("safe: %s and %d more, whose starts no probe cuts short", names, len(safe)-fewLoops))
	}
	return texts
}

func loopText(l simulate.Loop) string {
	switch l.Verdict {
	case simulate.LoopSafe:
		return fmt.Sprintf("safe: %s, %s", loopName(l), l.Why)
	case simulate.LoopCertain:
		return fmt.Sprintf("certain: %s, %s%s", loopName(l), l.Why, remedy(l))
	default:
		odds := simulate.Percent(float64(l.Odds))
		return fmt.Sprintf("lottery: %s, %s of first starts are cut short, as the ticks happen to fall: %s%s", loopName(l), odds, l.Why, remedy(l))
	}
}

// loopName tells containers of one name apart, "server of deployment/web".
func loopName(l simulate.Loop) string { return l.Container + " of " + l.Workload }

func remedy(l simulate.Loop) string {
	if l.Needs == 0 {
		return ""
	}
	return fmt.Sprintf("; failureThreshold %d would do", l.Needs)
}
