package rollout

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/workload"
)

// holdTime is for how long a rollout has to be up that no probe has asked, or that had restarts: a
// container that crashes is ready for as long as it lives.
const holdTime = 10 * time.Second

// settle decides whether it is up.
func (s *scene) settle(r *Result) {
	restarts := 0
	for _, p := range s.fresh {
		for _, st := range statuses(p) {
			restarts += int(max(st.RestartCount-s.next.pods[p.UID].restarts[st.Name], 0))
		}
	}
	if !s.isUp(r) {
		s.next.complete = time.Time{}
		return
	}
	if s.m.complete.IsZero() || s.m.restarts < restarts {
		s.next.complete = s.Now
	}
	s.next.restarts = restarts
	if due := s.next.complete.Add(s.hold(r, restarts)); s.Now.Before(due) {
		r.Settles, s.again = due, workload.Sooner(s.again, due)
		return
	}
	r.Up = true
	if _, is := s.Workload.(*appsv1.Deployment); is && s.measured { // its status may know Pods of which nothing was told yet
		r.Updated, r.Ready, r.Available = r.Desired, r.Desired, r.Desired
	}
}

// hold is for how long a rollout has to be up, with so many restarts, until that is believed.
func (s *scene) hold(r *Result, restarts int) (hold time.Duration) {
	if s.isOver() {
		return 0
	}
	if !s.isEstablished() {
		hold = max(s.threat(), s.unproven())
		if restarts > 0 || s.unasked() != "" {
			hold = max(hold, holdTime)
		}
	}
	if r.Desired > 0 && slices.ContainsFunc(r.Services, func(row Service) bool { return row.Ready == 0 }) {
		hold = max(hold, endpointTime)
	}
	return hold
}

// endpointTime is how much later than its Pods a Service may know that they are ready: until then
// that nobody is behind it is no news.
const endpointTime = 3 * time.Second

// threat is how long it takes until a liveness probe kills that has failed since its container
// runs; 0 if none has. Until then nobody knows whether what is ready stays so.
func (s *scene) threat() (longest time.Duration) {
	for _, p := range s.active() {
		for _, st := range p.Status.ContainerStatuses {
			spec, _ := containerOf(p, st.Name)
			if spec == nil || spec.LivenessProbe == nil || st.State.Running == nil {
				continue
			}
			if f := s.failing(p, &st, spec, lifecycle.Liveness, st.State.Running.StartedAt.Time); f.known() {
				longest = max(longest, min(max(killTime(spec.LivenessProbe), holdTime), maxThreat))
			}
		}
	}
	return longest
}

// killTime is how long it takes from a failure of a liveness probe until it is known whether it
// kills.
func killTime(p *corev1.Probe) time.Duration {
	return time.Duration(max(p.FailureThreshold, 1))*seconds(max(p.PeriodSeconds, 1)) + 2*time.Second
}

// threatened is a container that has been killed by its liveness probe never yet, but will be soon
// if that goes on failing.
func (s *scene) threatened(p *corev1.Pod, st *corev1.ContainerStatus, spec *corev1.Container) *candidate {
	r, probe := st.State.Running, spec.LivenessProbe
	if r == nil || probe == nil {
		return nil
	}
	f := s.failing(p, st, spec, lifecycle.Liveness, r.StartedAt.Time)
	over := f.last.Add(killTime(probe))
	if !f.known() || !s.Now.Before(over) {
		return nil
	}
	s.again = workload.Sooner(s.again, over)
	c := of(p, Liveness, Suspect)
	c.Container = clean(st.Name)
	c.counted(f.tally)
	c.Text = fmt.Sprintf("container %s runs, and its liveness probe fails: %d failures in a row kill it", c.Container, max(probe.FailureThreshold, 1))
	c.Short, c.alike = f.short(), f.short()
	c.Details = []string{f.line(false)}
	f.describe(c)
	c.Next = f.next(lifecycle.Liveness, probe)
	c.Logs = s.logs(p, st, false)
	return c
}

// unproven is how long it takes from when all Pods are seen to be up until each liveness probe has
// been asked once, which may be after the readiness probe has passed: it kills what it finds wrong.
// What takes longer than holdTime is not waited for. When a Pod says that it became ready does not
// count: on a busy node what it tells is late, and so is what becomes of its probe.
func (s *scene) unproven() (longest time.Duration) {
	for _, p := range s.active() {
		for _, st := range p.Status.ContainerStatuses {
			spec, _ := containerOf(p, st.Name)
			if spec == nil || spec.LivenessProbe == nil || st.State.Running == nil {
				continue
			}
			l := spec.LivenessProbe
			delayed := st.State.Running.StartedAt.Add(seconds(l.InitialDelaySeconds)).Sub(s.next.complete)
			longest = max(longest, max(delayed, 0)+seconds(max(l.PeriodSeconds, 1))+seconds(max(l.TimeoutSeconds, 1))+eventTime)
		}
	}
	return min(longest, holdTime)
}

// eventTime is how much later than what it tells an Event may come.
const eventTime = time.Second

// maxThreat is for how long a rollout is not up at most because a liveness probe might kill.
const maxThreat = 2 * time.Minute
