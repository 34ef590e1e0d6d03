package drill

import (
	"fmt"
	"time"

	"github.com/probity-run/probity/internal/simulate/script"
)

// ScriptedFaults are the faults of a script of simulate, as far as they can be injected: when they
// begin, the drill decides. What the script says of programs is for a simulation; here they run.
func ScriptedFaults(s *script.Script) (all []Fault, err error) {
	for i := range s.Faults {
		scripted := &s.Faults[i]
		word := ""
		switch scripted.Kind {
		case script.FaultHang:
			word = string(KindHang)
			if scripted.For != nil && scripted.For.Quantile(0.5) > 0 {
				word += "+" + script.FormatDuration(scripted.For.Quantile(0.5).Round(time.Millisecond))
			}
		case script.FaultExit:
			word = string(KindCrash)
		case script.FaultRollout:
			word = string(KindRollout)
		default:
			return nil, fmt.Errorf("cannot inject the fault %s of the script: only a simulation can; write it as --fault (probity drill faults)", scripted.Label())
		}
		if scripted.Workload != "" {
			word += ",workload=" + scripted.Workload
		}
		f, err := ParseFault(word)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}
