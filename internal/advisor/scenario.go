package advisor

import "fmt"

// When a fault of a scenario begins, and how much time probity simulate gives a scenario that says
// nothing else, in seconds.
const (
	faultBegins = 60
	horizon     = 600
)

// Stall is the scenario in which the container does not answer for so many seconds, and one more to
// be sure.
func (p *Probe) Stall(seconds int) string {
	return p.fault(fmt.Sprintf("%s@%ds+%ds", p.silence(), faultBegins, seconds+1), "", faultBegins+seconds+p.CertainStall())
}

// Hang is the scenario in which the container stops answering for good, at that second. It takes so
// many seconds until all is over.
func (p *Probe) Hang(at, seconds int) string {
	return p.fault(fmt.Sprintf("%s@%ds", p.silence(), at), "", at+seconds)
}

// Outage is the scenario in which what this probe asks is away for so many seconds.
func (p *Probe) Outage(seconds int) string {
	return p.fault(fmt.Sprintf("dependency-outage@%ds+%ds", faultBegins, seconds), "/"+p.Word(), faultBegins+seconds)
}

// silence is the fault that the probe notices: the kernel accepts connections for a process that
// hangs (R79).
func (p *Probe) silence() string {
	if p.Handler() == "tcpSocket" {
		return "refuse"
	}
	return "hang"
}

func (p *Probe) fault(fault, probes string, ends int) string {
	text := "--fault " + fault
	if len(p.Container.Workload.Containers) > 1 || probes != "" {
		text += ":" + p.Container.Name + probes
	}
	return text + enough(ends)
}

// SlowStart is the scenario of a start that takes so many seconds.
func SlowStart(seconds int) string {
	return fmt.Sprintf("--fault slow-start=%ds", seconds) + enough(seconds)
}

// enough is the flag that makes a scenario last until a fault and what follows from it are over.
func enough(ends int) string {
	if ends < horizon*9/10 {
		return ""
	}
	return fmt.Sprintf(" --horizon %ds", 2*ends)
}
