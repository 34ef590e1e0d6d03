//go:build differential

package differential

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/probity-run/probity/test/differential/scenario"
	"github.com/probity-run/probity/test/differential/simulated"
)

// sections are the letters of the conformance cases.
func sections() map[string]string {
	return map[string]string{
		"A": "Liveness", "B": "Readiness", "C": "Startup", "D": "HTTP", "E": "Errors", "F": "TCP", "G": "Exec", "H": "gRPC", "I": "Kills, hooks and deletion",
		"J": "Restarts and back-off", "K": "Defaults", "L": "What is refused", "M": "What is accepted", "N": "Status", "O": "Endpoints", "P": "Rolling updates", "S": "Sidecars",
		"T": "Restart rules",
	}
}

// conformance is docs/conformance.md.
func conformance(t *testing.T, system string, outcomes []outcome, refusals []scenario.Refusal) string {
	differ, simulatedSame := 0, 0
	rows := map[string]string{}
	for _, o := range outcomes {
		result := sameWord
		if !o.same {
			differ++
			result = "differs"
			if o.scenario.Decided != "" {
				result = "differs, as [decided](differences.md): " + o.scenario.Decided
			}
		}
		simulation := simulationColumn(t, o.scenario)
		if simulation == sameWord {
			simulatedSame++
		}
		rows[o.scenario.ID[:1]] += fmt.Sprintf("| %s | %s | %s | %s |\n", o.scenario.ID, escape(o.scenario.Title), result, simulation)
	}
	for _, r := range refusals {
		rows[r.ID[:1]] += fmt.Sprintf("| %s | %s | %s | |\n", r.ID, escape(r.Title), sameWord)
	}
	var out strings.Builder
	fmt.Fprintf(&out, head, system, len(outcomes), len(outcomes)-differ, len(refusals), simulatedSame, len(outcomes)-len(simulated.Unplayed()))
	names := sections()
	letters := make([]string, 0, len(rows))
	for letter := range rows {
		letters = append(letters, letter)
	}
	slices.Sort(letters)
	for _, letter := range letters {
		fmt.Fprintf(&out, "\n## %s\n\n| case | what happens | Probity | simulation |\n|---|---|---|---|\n%s", names[letter], rows[letter])
	}
	return out.String()
}

func escape(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

const head = `# Probity beside a real kubelet

This page is generated (test/differential, with -update). Each scenario is a manifest and a script of what its programs do: which answers they give, when they
stall, end, or ignore signals. It was played on %[1]s (kubelet, containerd, API server, controllers) and recorded: the requests that probes made, with their
times; Events with type, reason and message; the status of containers; conditions; endpoints; signals and exit codes. The tests play it on Probity and compare.

**%[2]d scenarios, %[3]d of them the same**, and %[4]d manifests that are refused, or accepted, in the same words.
The simulator (` + "`probity simulate`" + `) played %[6]d of the scenarios in virtual time, **%[5]d of them the same**. A simulation begins where an attempt has an answer, so the
others, which are about bytes, TLS, requests and processes, have nothing to be played.

"Same" means: the same requests and answers in the same order for each process, the same Events in the same order, the same states, the same ends; times equal but for a period
of phase, 2 s of the kubelet's status lag, and 0.7 s for graces. What blinked for less than 2.6 s may be missing. Not compared is what
[the list of differences](differences.md) tells of the kubelet's lag: that it probes what has already ended, and a restarted container before its startup probe. Of a postStart hook
that failed the status tells the reason alone: what the hook printed stays out.

To play them again on Probity: ` + "`go test -tags differential ./test/differential`" + `; in a simulation: without the tag, in a second. To record a kubelet anew, as root on Debian: ` + "`go run ./test/differential/record`" + `.
`
