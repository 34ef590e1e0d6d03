package render

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/drill/drilltest"
)

func textOf(t *testing.T, r *drill.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := Text(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestTextBreaksAtSpaces: no word of a verdict is broken, and no line is too long.
func TestTextBreaksAtSpaces(t *testing.T) {
	for _, verdict := range []string{
		"passed", "caught", "missed", "late", "false restart", "restart loop", "never ready", "green while failing", "red while working", "recovered", "stuck",
		"fleet emptied", "declared", "lost 12345 of 12345", "crash loop", "killed in rotation", "inconclusive",
	} {
		r := drilltest.Sample()
		r.Results = []*drill.Result{{Title: "dependency postgres down", Workload: "deployment/calculator", Side: drill.SideInside, Expected: "out 0.9-2.4s, kill 10.2-13.1s",
			Measured: "out 1.1-1.9s, kill 10.3-12.6s", Requests: 2400, Lost: 1280, Verdicts: []drill.Verdict{{Rule: "V1", Grade: drill.GradeFail, Word: verdict}}}}
		table, _, _ := strings.Cut(textOf(t, r), "V1")
		words := strings.Fields(table)
		for part := range strings.FieldsSeq(verdict + " postgres 1280/2400 10.2-13.1s 10.3-12.6s") {
			if !slices.Contains(words, part) {
				t.Errorf("%q is broken:\n%s", part, table)
			}
		}
		for line := range strings.Lines(table) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > columns {
				t.Errorf("%d columns: %s", n, line)
			}
		}
	}
}

// TestLeftOutByReason: a reason stands once, however many faults it is for.
func TestLeftOutByReason(t *testing.T) {
	r := drilltest.Sample()
	r.LeftOut = []drill.LeftOut{{Fault: "fds", Reason: "no room", Takes: drill.Offset(21 * time.Second)}, {Fault: "deadlock", Reason: "no annotation"}, {Fault: "stop", Reason: "no room", Takes: drill.Offset(8 * time.Second)}}
	if got, want := textOf(t, r), "\nLeft out:\n  fds (21s), stop (8s): no room\n  deadlock: no annotation\n"; !strings.Contains(got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
	r.Results[1].Done, r.Results[1].Wanted, r.Results[2].Done, r.Results[2].Wanted = 1, 3, 3, 3
	if got, want := textOf(t, r), "  deadlock: no annotation\n  hang (1 of 3): not as often as --repeat says"; !strings.Contains(got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
	r.Workloads, r.LeftOut[0].Workload = append(r.Workloads, r.Workloads[0]), "deployment/web"
	if got, want := textOf(t, r), "  fds (21s) in deployment/web, stop (8s): no room\n"; !strings.Contains(got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
}
