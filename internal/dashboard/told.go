package dashboard

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
)

// noSuccesses is what people are told where a run would show an attempt that has succeeded.
const noSuccesses = "the kubelet does not report successes"

// toldProbes are probes of which only failures are known, with what the status of the Pod says of
// them beside: Failed is then whether the last failure is one that still counts.
func toldProbes(pod *corev1.Pod, probes []diagnosis.Probe, now time.Time) []diagnosis.Probe {
	all := slices.Clone(probes)
	for i := range all {
		p := &all[i]
		_, spec := lifecycle.ProbeOf(&pod.Spec, p.Container, p.Type)
		status := statusOf(pod, p.Container)
		if spec == nil || status == nil {
			continue
		}
		switch p.Type {
		case lifecycle.Readiness:
			p.Known, p.Passing, p.EverPassed = true, status.Ready, status.Ready || wasReady(pod, status)
			p.Failed = p.Failed && !status.Ready
			if p.Failed && p.EverPassed {
				p.FailingSince = readyChanged(pod)
			}
		case lifecycle.Startup:
			p.Failed = p.Failed && !p.Over
		default:
			p.Failed = p.Failed && now.Sub(p.At) <= seconds(2*spec.PeriodSeconds+spec.TimeoutSeconds)
		}
	}
	return all
}

func statusOf(pod *corev1.Pod, container string) *corev1.ContainerStatus {
	for s := range lifecycle.Statuses(pod) {
		if s.Name == container {
			return s
		}
	}
	return nil
}

// runs reports whether a container does.
func runs(pod *corev1.Pod, container string) bool {
	s := statusOf(pod, container)
	return s != nil && s.State.Running != nil
}

// wasReady reports whether a Pod that is not ready was so since a container started.
func wasReady(pod *corev1.Pod, status *corev1.ContainerStatus) bool {
	return status.State.Running != nil && readyChanged(pod).After(status.State.Running.StartedAt.Time)
}

func readyChanged(pod *corev1.Pod) time.Time {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.LastTransitionTime.Time
		}
	}
	return time.Time{}
}

// tell makes a view of a probe tell only what is known of one of a cluster; runs says whether its
// container does.
func (v *probeView) tell(now time.Time, runs bool) {
	v.Told = true
	v.Failed = v.Failed && runs
	v.Counter, v.Latency = counter{Text: "–"}, "–"
	switch {
	case v.Over:
		v.Counter = counter{Text: "passed", Class: "ok"}
	case v.Type == lifecycle.Readiness && v.Passing:
		v.Counter = counter{Text: "ready", Class: "ok"}
	case v.Type == lifecycle.Readiness && v.Failed:
		v.Counter = counter{Text: "not ready", Class: "bad"}
		if !v.EverPassed {
			v.Counter.Class = "wait"
		}
	case v.Failed:
		v.Counter = counter{Text: "failing", Class: "bad"}
	}
	switch {
	case !v.Asked:
		v.Message, v.Bad = noSuccesses, false
	case !v.Failed:
		v.Message, v.Bad = "failed "+diagnosis.Age(now.Sub(v.At))+" ago: "+v.Message, false
	}
}

// toldSentence says what the strip of a probe of a cluster shows.
func (s *strip) toldSentence(probe string, window time.Duration) string {
	what := probe + ", last " + windowText(window) + ": "
	c := s.counts
	if c.failures == 0 {
		return what + "no failure was told; " + noSuccesses
	}
	return what + "at least " + plural(c.failures, "failure") + ", the first at " + c.since.Local().Format(time.TimeOnly) + "; the last said " + c.last.Message + "; " + noSuccesses
}

// toldPane is a probe of a cluster in full: what it asks and how often, and what Events tell of it.
func (s *Server) toldPane(p *podView, v *probeView) item {
	return list{s.toldFailures(p, v), s.counted(p, v)}
}

// counted is how often a kubelet says that it has asked; nothing if it does not.
func (s *Server) counted(p *podView, v *probeView) item {
	count, ok := s.opts.Cluster.Counted(p.Pod)[v.Key]
	if !ok {
		return nil
	}
	return e("p.small", text(fmt.Sprintf("Counted by its kubelet until %s, since the Pod or the kubelet began: %s, %s.",
		count.At.Local().Format(time.TimeOnly), plural(count.Failed, "failure"), successes(count.Succeeded))))
}

func successes(n int) string {
	if n == 1 {
		return "1 success"
	}
	return strconv.Itoa(n) + " successes"
}

// toldFailures is what Events tell of a probe.
func (s *Server) toldFailures(p *podView, v *probeView) item {
	attempts := s.opts.History.Attempts(p.UID, v.Key, 0)
	if len(attempts) == 0 {
		said := "No Event tells of a failure; " + noSuccesses + "."
		if !s.sees("events") {
			said = "Events may not be read: whether it has failed is not known."
		}
		return e("p.small.muted", text(said))
	}
	last := attempts[len(attempts)-1]
	line, bad := message(v.Type, v.Spec, last, history.Detail{})
	said := "p.small"
	if bad && v.Failed {
		said = "p.small.bad"
	}
	return list{
		e(said, text("failed last at "+last.Time.Local().Format(time.TimeOnly)+": "+line)),
		e("p.small.muted", text(fmt.Sprintf("At least %s since %s: Events do not tell each one, and %s.", plural(len(attempts), "failure"), attempts[0].Time.Local().Format(time.TimeOnly), noSuccesses))),
	}
}

// noAttempts says why no attempt of a Pod's probes is listed.
func (s *Server) noAttempts() string {
	switch {
	case !s.isCluster():
		return "No probe was asked yet."
	case !s.sees("events"):
		return "Events may not be read: failures of probes are not seen, and " + noSuccesses + "."
	}
	return "No Event tells of a probe that failed; " + noSuccesses + "."
}

// whichAttempts says which attempts are listed.
func (s *Server) whichAttempts() string {
	if s.isCluster() {
		return "failures that Events tell of, not each one; " + noSuccesses
	}
	return "the last 20"
}

// toldPorts are where the containers of a Pod of a cluster say that they listen.
func toldPorts(pod *corev1.Pod) (all []string) {
	for _, c := range lifecycle.Containers(&pod.Spec) {
		for _, port := range c.Ports {
			said := strconv.Itoa(int(port.ContainerPort))
			if pod.Status.PodIP != "" {
				said = pod.Status.PodIP + ":" + said
			}
			all = append(all, said)
		}
	}
	return all
}
