package drill

import (
	"fmt"
	"strings"

	"github.com/probity-run/probity/internal/simulate/script"
)

// Reference describes the words of faults.
func Reference() string {
	var b strings.Builder
	b.WriteString("A fault is written as WORD[:DEPENDENCY][=VALUE][@start][+LENGTH][,workload=NAME][,container=NAME]. When it begins, the drill decides.\n" +
		"It happens to the container that has most probes, and hang, deadlock and fds to each of the others, too, one after the other, sidecars included.\n\n")
	for _, row := range kindRows() {
		length := ""
		if row.length > 0 {
			length = fmt.Sprintf(" (for %s%s, if no +LENGTH says otherwise)", script.FormatDuration(row.length),
				map[bool]string{true: ", or what the slowest probe needs to act"}[row.side == SideOutside])
		}
		fmt.Fprintf(&b, "%s\n\t%s%s\n", row.syntax, row.text, length)
	}
	b.WriteString("\nNot offered: another time of day, because no process can be given one; nice and SCHED_IDLE, because there is no way back without root;\n" +
		"delays in the kernel's network (tc) and killed sockets, because they need root. What only a simulation can do is in probity simulate script.\n")
	return b.String()
}
