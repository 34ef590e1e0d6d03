package advisor

import (
	"fmt"

	"github.com/probity-run/probity/internal/printable"
)

// faultBegins is when the fault of a scenario begins, and horizon how long probity simulate plays a
// scenario without --horizon, in seconds.
const (
	faultBegins = 60
	horizon     = 600
)

// Stall is the scenario in which the container does not answer for one second more than this.
func (p *Probe) Stall(seconds int) string {
	return p.fault(fmt.Sprintf("%s@%ds+%ds", p.hangFault(), faultBegins, seconds+1), "", faultBegins+seconds+p.CertainStall())
}

// Hang is the scenario in which the container stops answering for good after at seconds. What
// follows from that takes so many seconds.
func (p *Probe) Hang(at, seconds int) string {
	return p.fault(fmt.Sprintf("%s@%ds", p.hangFault(), at), "", at+seconds)
}

// Outage is the scenario in which the dependency that this probe asks is away for so many seconds.
func (p *Probe) Outage(seconds int) string {
	return p.fault(fmt.Sprintf("dependency-outage@%ds+%ds", faultBegins, seconds), "/"+p.TypeName(), faultBegins+seconds)
}

// hangFault is the fault by which the probe notices that the container does not answer. A TCP probe
// does not notice a process that hangs, because the kernel accepts connections for it (R79).
func (p *Probe) hangFault() string {
	if p.Handler() == "tcpSocket" {
		return "refuse"
	}
	return "hang"
}

func (p *Probe) fault(fault, probes string, ends int) string {
	if len(p.Container.Workload.Containers) > 1 || probes != "" {
		fault += ":" + p.Container.Name + probes
	}
	word := printable.Shell(fault)
	if word == "" {
		return "" // the container's name is one that nobody can copy
	}
	return "--fault " + word + horizonFlag(ends)
}

// SlowStart is the scenario in which a start takes so many seconds.
func SlowStart(seconds int) string {
	return fmt.Sprintf("--fault slow-start=%ds", seconds) + horizonFlag(seconds)
}

// horizonFlag is the flag with which a scenario lasts until the fault and what follows from it are
// over, or "" if it does so without.
func horizonFlag(ends int) string {
	if ends < horizon*9/10 {
		return ""
	}
	return fmt.Sprintf(" --horizon %ds", 2*ends)
}
