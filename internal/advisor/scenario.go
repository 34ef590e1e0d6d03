package advisor

import (
	"bytes"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"

	"github.com/probity-run/probity/internal/formats"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/program"
)

// earliestFault is when the fault of a scenario begins at the earliest, and horizon how long
// probity simulate plays a scenario without --horizon, in seconds.
const (
	earliestFault = 60
	horizon       = 600
	// mostSimulated is how many Pods it plays at most
	mostSimulated = 1000
)

// Stall is the scenario in which the container does not answer for one second more than this.
func (p *Probe) Stall(seconds int) string {
	begins := p.Container.Workload.settled
	return p.fault(fmt.Sprintf("%s@%ds+%ds", p.hangFault(), begins, seconds+1), "", begins+seconds+p.CertainStall())
}

// Hang is the scenario in which the container stops answering for good. What follows from that
// takes so many seconds. A startup probe asks at the start only, so there no answer comes in time
// from the beginning.
func (p *Probe) Hang(seconds int) string {
	if p.Field == StartupProbe {
		return p.Container.program("slow", p.Timeout+1, seconds)
	}
	return p.hangFrom(p.Container.Workload.settled, seconds)
}

// HangAtStart is the scenario in which the container stops answering for good just after its start.
func (p *Probe) HangAtStart(seconds int) string { return p.hangFrom(1, seconds) }

func (p *Probe) hangFrom(at, seconds int) string {
	return p.fault(fmt.Sprintf("%s@%ds", p.hangFault(), at), "", at+seconds)
}

// Outage is the scenario in which the dependency that this probe asks is away for so many seconds.
func (p *Probe) Outage(seconds int) string {
	begins := p.Container.Workload.settled
	return p.fault(fmt.Sprintf("dependency-outage@%ds+%ds", begins, seconds), "/"+p.TypeName(), begins+seconds)
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
	c := p.Container
	if len(c.Workload.Containers) > 1 || probes != "" {
		fault += ":" + c.Name + probes
	}
	return c.Workload.scenario(fault, ends)
}

// SlowStart is the scenario in which a start of the container takes so many seconds.
func (c *Container) SlowStart(seconds int) string { return c.program("slow-start", seconds, seconds) }

// program is a scenario in which the container's program is slow in one way or the other.
func (c *Container) program(fault string, value, ends int) string {
	fault += fmt.Sprintf("=%ds", value)
	if len(c.Workload.Containers) > 1 {
		fault += ":" + c.Name
	}
	return c.Workload.scenario(fault, ends)
}

// scenario is the arguments of probity simulate for a fault and what follows from it, which is over
// at ends, as a shell takes them. It is empty for pods that end by themselves, which are not
// simulated, and where a name is one that nobody can copy.
func (w *Workload) scenario(fault string, ends int) string {
	if !w.RunsUntilStopped() {
		return ""
	}
	if w.company {
		fault += onlyIn(w.Object.Ref())
	}
	word := printable.Shell(fault)
	if word == "" {
		return ""
	}
	text := "--fault " + word
	if w.Object.Has("spec.replicas") && replicasOf(w.Object.Resource) == 0 || w.crowded {
		text += " --replicas 1" // of none nothing can be seen, and too many are refused
	}
	if ends >= horizon*9/10 {
		text += fmt.Sprintf(" --horizon %ds", 2*ends)
	}
	return text
}

// onlyIn restricts a fault to one workload of several.
func onlyIn(ref manifest.Ref) string { return ",workload=" + ref.Kind + "/" + ref.Name }

// findCompany notes which workloads share their file with others, to which a fault would happen as
// well, and which files ask for more Pods than can be simulated.
func (m *Manifests) findCompany() {
	inFile, pods := map[string]int{}, map[string]int{}
	for _, w := range m.Workloads {
		file := w.Object.Position.File
		if w.RunsUntilStopped() {
			inFile[file]++
		}
		pods[file] += simulatedPods(w.Object.Resource)
	}
	for _, w := range m.Workloads {
		w.company, w.crowded = inFile[w.Object.Position.File] > 1, pods[w.Object.Position.File] > mostSimulated
	}
}

// simulatedPods is how many Pods probity simulate makes for a workload without --replicas.
func simulatedPods(r manifest.Resource) int {
	pods := int32(1)
	parallel := func(spec batchv1.JobSpec) {
		if spec.Parallelism != nil {
			pods = *spec.Parallelism
		}
	}
	switch o := r.(type) {
	case *batchv1.Job:
		parallel(o.Spec)
	case *batchv1.CronJob:
		parallel(o.Spec.JobTemplate.Spec)
	case *appsv1.DaemonSet: // one node
	default:
		return replicasOf(r)
	}
	return int(pods)
}

// whenSettled is when, in seconds after the Pod was made, all probes have succeeded and are asked
// again and again, so that a fault meets them: on a full half minute.
func (w *Workload) whenSettled() int {
	began, settled := 0, earliestFault
	for _, c := range w.Containers {
		started := began
		if c.Startup != nil {
			started += c.Startup.settled()
		}
		for _, p := range []*Probe{c.Readiness, c.Liveness} {
			if p != nil {
				settled = max(settled, max(began+p.settled(), started+p.settled()-p.Delay)) // R23
			}
		}
		settled = max(settled, started)
		if c.Sidecar {
			began = started // R174
		}
	}
	return ceilDiv(settled, 30) * 30
}

// settled is the longest time from the start until the probe's result counts, if all attempts
// succeed.
func (n Numbers) settled() int { return n.Delay + n.SuccessThreshold*n.Period + 1 }

// withoutUnplayable takes away the scenarios of a file that probity simulate refuses to read.
func (m *Manifests) withoutUnplayable(found []Finding) {
	playable := map[string]bool{}
	for i := range found {
		f := &found[i]
		if f.Scenario == "" {
			continue
		}
		ok, known := playable[f.Region.File]
		if !known {
			ok = isPlayable(m.Text(f.Region.File))
			playable[f.Region.File] = ok
		}
		if !ok {
			f.Scenario = ""
		}
	}
}

func isPlayable(text []byte) bool {
	set, err := manifest.Load(manifest.Options{Stdin: bytes.NewReader(text), AllWorkloads: true, Formats: formats.All(formats.Options{})}, "-")
	if err != nil {
		return false
	}
	pods := 0 // with --replicas 1
	for _, o := range set.Objects {
		if _, _, _, ok := o.Template(); !ok {
			continue
		}
		pods++
		if program.Check(o, program.Manifests(set.Objects)) != nil {
			return false
		}
	}
	return pods <= mostSimulated
}
