package view

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/printable"
)

func (d *Description) pod(out *page, pod *corev1.Pod) {
	found := Diagnose(d.Snapshot, pod, d.Words, d.Now)
	d.head(out, string(found.State))
	out.put(0, "Why", found.Why)
	out.put(0, "So", found.So)
	out.put(0, "Next", found.Next)
	if owner := d.Snapshot.OwnerOf(pod); owner != nil {
		out.put(0, "Workload", printable.Line(kube.RefTo(owner).String()))
	}
	out.put(0, "Services", printable.Line(strings.Join(servicesOf(d.Snapshot, pod), ", ")))
	out.put(0, "Address", printable.Line(pod.Status.PodIP))
	out.put(0, "Phase", string(pod.Status.Phase))
	d.origin(out)
	var conditions []string
	for _, c := range pod.Status.Conditions {
		conditions = append(conditions, printable.Line(string(c.Type)+"="+string(c.Status)))
	}
	out.put(0, "Conditions", strings.Join(conditions, ", "))
	out.heading("Containers")
	report := d.Snapshot.Report(pod)
	for _, c := range lifecycle.Containers(&pod.Spec) {
		out.line("  " + printable.Line(c.Name))
		d.container(out, pod, c)
		for _, t := range []lifecycle.ProbeType{lifecycle.Startup, lifecycle.Readiness, lifecycle.Liveness} {
			if _, spec := lifecycle.ProbeOf(&pod.Spec, c.Name, t); spec != nil {
				text := probeText(c, spec, recordOf(report, c.Name, t))
				if d.Snapshot.Silent {
					text += "; last –"
				}
				out.put(2, string(t), text)
			}
		}
	}
}

// depth is how far the lines of a container are indented.
const depth = 2

func (d *Description) container(out *page, pod *corev1.Pod, c *corev1.Container) {
	program := cmp.Or(pod.Annotations[manifest.AnnotationCommand+c.Name], strings.Join(slices.Concat(c.Command, c.Args), " "), c.Image)
	out.put(depth, "Program", oneLine(printable.Fit(program, maxProgram)))
	known := node.Annotated(pod, c)
	if known.PID != 0 {
		out.put(depth, "Process", strconv.Itoa(known.PID))
	}
	for _, p := range known.Ports {
		text := strings.TrimSpace(p.Name + " " + strconv.Itoa(p.Declared))
		if p.Actual != p.Declared {
			text += " at " + strconv.Itoa(p.Actual) + " here"
		}
		out.put(depth, "Port", printable.Line(text))
	}
	i := slices.IndexFunc(slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses), func(s corev1.ContainerStatus) bool { return s.Name == c.Name })
	if i < 0 {
		return
	}
	status := slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses)[i]
	out.put(depth, "Now", stateText(&status.State))
	if end := status.LastTerminationState.Terminated; end != nil {
		out.put(depth, "Before", endText(end))
	}
	out.put(depth, "Restarts", strconv.Itoa(int(status.RestartCount)))
	out.put(depth, "Last words", oneLine(d.Words[InstanceOf(pod, c.Name)]))
}

// maxProgram is how many columns of a command line are shown.
const maxProgram = 200

func stateText(s *corev1.ContainerState) string {
	switch {
	case s.Running != nil:
		return "runs since " + s.Running.StartedAt.Local().Format("15:04:05")
	case s.Terminated != nil:
		return endText(s.Terminated)
	case s.Waiting != nil:
		return oneLine(strings.TrimSuffix("waits: "+s.Waiting.Reason+": "+s.Waiting.Message, ": "))
	}
	return "waits"
}

func endText(end *corev1.ContainerStateTerminated) string {
	return oneLine(diagnosis.EndText(end)) + " at " + end.FinishedAt.Local().Format("15:04:05")
}

func recordOf(report *node.ProbeReport, container string, t lifecycle.ProbeType) *node.ProbeRecord {
	if report == nil {
		return nil
	}
	i := slices.IndexFunc(report.Probes, func(r node.ProbeRecord) bool { return r.Container == container && r.Type == t })
	if i < 0 {
		return nil
	}
	return &report.Probes[i]
}

// probeText is what a probe asks and how often, and what it found last.
func probeText(c *corev1.Container, p *corev1.Probe, last *node.ProbeRecord) string {
	text := fmt.Sprintf("%s every %d s, timeout %d s, fails after %d", diagnosis.Asked(c, p, true), p.PeriodSeconds, p.TimeoutSeconds, p.FailureThreshold)
	if p.InitialDelaySeconds > 0 {
		text += fmt.Sprintf(", first after %d s", p.InitialDelaySeconds)
	}
	if last == nil {
		return text
	}
	text += fmt.Sprintf("; last %s in %s", last.Outcome, diagnosis.Latency(last.Latency))
	if last.Outcome != "success" {
		text += fmt.Sprintf(" (%d/%d): %s", min(last.Run, last.Threshold), last.Threshold, oneLine(printable.Fit(last.Output, maxProgram)))
	}
	return text
}
