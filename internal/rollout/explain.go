package rollout

import (
	"cmp"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/workload"
)

// Explain says how a rollout is by what is known now, and what to remember for the next time.
func Explain(f Facts, m Memory) (Result, Memory) {
	s := newScene(f, m)
	r := Result{Object: objectOf(f.Workload), At: f.Now, Revision: s.revision, Hash: printable.Line(s.hash)}
	if f.Workload == nil {
		return r, m
	}
	s.rememberPods()
	s.count(&r)
	causes := s.workloadCauses()
	for _, p := range s.fresh {
		causes = append(causes, s.podCauses(p)...)
	}
	causes = merge(causes)
	s.keep()
	for _, c := range causes {
		s.predict(&c.Cause)
		r.Causes = append(r.Causes, c.Cause)
		s.again = workload.Sooner(s.again, s.future(c.due))
	}
	r.Services = s.services()
	s.settle(&r)
	r.Over = r.Up && s.isOver()
	s.judge(&r, causes)
	r.Logs, r.Shown = inOrder(s.requests), inOrder(s.shown)
	if r.Verdict == nil {
		r.Again = s.again
	}
	return r, s.next
}

// hasEnded reports whether an instance of a container ended with an error, or has to run on.
func hasEnded(st corev1.ContainerStatus) bool {
	return st.LastTerminationState.Terminated != nil || st.State.Terminated != nil && st.State.Terminated.ExitCode != 0
}

// future is an instant, if it is to come.
func (s *scene) future(t time.Time) time.Time {
	if t.After(s.Now) {
		return t
	}
	return time.Time{}
}

// count fills in how many Pods there are, and the rows of Pods.
func (s *scene) count(r *Result) {
	r.Desired, r.Old = s.desired(), 0
	for _, p := range s.old {
		if workload.IsActive(p) {
			r.Old++
		}
	}
	for _, p := range s.fresh {
		row := s.row(p)
		r.Pods = append(r.Pods, row)
		if workload.IsFinished(p) {
			continue
		}
		r.Updated++
		if row.Ready {
			r.Ready++
		}
		if row.Up {
			r.Available++
		}
	}
}

func (s *scene) row(p *corev1.Pod) Pod {
	row := Pod{Name: clean(p.Name), Node: clean(p.Spec.NodeName), Created: p.CreationTimestamp.Time, Phase: "pending"}
	since, ready := workload.ReadySince(p)
	row.Ready, row.Up = ready, workload.Available(p, s.minReady, s.Now)
	started := true
	for _, st := range p.Status.ContainerStatuses {
		started = started && (st.Started == nil || *st.Started)
		if run := st.State.Running; run != nil && run.StartedAt.After(row.Running) {
			row.Running = run.StartedAt.Time
		}
	}
	for _, st := range statuses(p) {
		row.Restarts += int(max(st.RestartCount, 0))
	}
	switch {
	case workload.IsFinished(p):
		row.Phase = strings.ToLower(string(p.Status.Phase))
	case row.Up:
		row.Phase = "up"
	case ready:
		row.Phase = "ready"
	case !row.Running.IsZero() && started:
		row.Phase = "started"
	case !row.Running.IsZero():
		row.Phase = "starting"
	case row.Restarts > 0 || slices.ContainsFunc(statuses(p), hasEnded):
		row.Phase = "not running"
	case p.Spec.NodeName != "":
		row.Phase = "scheduled"
	}
	if ready && row.Restarts == 0 && !row.Running.IsZero() {
		row.Took = max(since.Sub(row.Running), 0)
	}
	return row
}

// isUp reports whether all Pods are as they are wanted now, by the rule of kubectl rollout status,
// and by the Pods themselves, which may know it before their workload does.
func (s *scene) isUp(r *Result) bool {
	if !s.observed || s.isPaused() || s.unfollowed() != "" {
		return false
	}
	switch o := s.Workload.(type) {
	case *batchv1.Job:
		return slices.ContainsFunc(o.Status.Conditions, func(c batchv1.JobCondition) bool {
			return c.Type == batchv1.JobComplete && c.Status == corev1.ConditionTrue
		})
	case *corev1.Pod:
		return o.Status.Phase == corev1.PodSucceeded || o.DeletionTimestamp == nil && r.Available == 1 && !workload.IsFinished(o)
	case *appsv1.StatefulSet:
		if !s.isReplaced(o) {
			return false
		}
	}
	return (!s.measured || s.progress.Complete) && r.Available == r.Updated
}

// isOver reports whether the workload has done what it was made for: it cannot come to grief any
// more.
func (s *scene) isOver() bool {
	switch o := s.Workload.(type) {
	case *batchv1.Job:
		return true // it is complete, or it would not be asked
	case *corev1.Pod:
		return o.Status.Phase == corev1.PodSucceeded
	}
	return false
}

func (s *scene) isPaused() bool {
	d, ok := s.Workload.(*appsv1.Deployment)
	return ok && d.Spec.Paused
}

// isEstablished reports whether all Pods were ready for long before the deployment began, which has
// changed nothing of them then.
func (s *scene) isEstablished() bool {
	return len(s.fresh) > 0 && !slices.ContainsFunc(s.fresh, func(p *corev1.Pod) bool {
		since, ready := workload.ReadySince(p)
		return !ready || since.Add(holdTime).After(s.Begun) && !s.Begun.IsZero() || s.Now.Sub(since) < holdTime
	})
}

// unasked is a container that nobody asks whether it is ready; "" if each is.
func (s *scene) unasked() string {
	if _, isJob := s.Workload.(*batchv1.Job); s.template == nil || isJob {
		return ""
	}
	for _, c := range s.template.Spec.Containers {
		if c.ReadinessProbe == nil {
			return c.Name
		}
	}
	return ""
}

// services are those that select the Pods of the workload.
func (s *scene) services() (rows []Service) {
	if s.template == nil {
		return nil
	}
	for _, service := range s.Services {
		if service != nil && service.Namespace == s.Workload.GetNamespace() && selects(service, s.template.Labels) {
			rows = append(rows, Service{clean(service.Name), readyEndpoints(service, s.Slices)})
		}
	}
	slices.SortFunc(rows, func(a, b Service) int { return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.Ready, b.Ready)) })
	return slices.Compact(rows)
}

func selects(service *corev1.Service, labels map[string]string) bool {
	for key, value := range service.Spec.Selector {
		if has, ok := labels[key]; !ok || has != value {
			return false
		}
	}
	return len(service.Spec.Selector) > 0
}

// readyEndpoints counts the Pods behind a Service that get requests: an address counts once,
// however many ports it has.
func readyEndpoints(service *corev1.Service, slices []*discoveryv1.EndpointSlice) int {
	seen := map[string]bool{}
	for _, slice := range slices {
		if slice == nil || slice.Namespace != service.Namespace || slice.Labels[discoveryv1.LabelServiceName] != service.Name {
			continue
		}
		for _, e := range slice.Endpoints {
			if len(e.Addresses) > 0 && (e.Conditions.Ready == nil || *e.Conditions.Ready) {
				key := e.Addresses[0]
				if e.TargetRef != nil && e.TargetRef.UID != "" {
					key = string(e.TargetRef.UID) // once for both families
				}
				seen[key] = true
			}
		}
	}
	return len(seen)
}

// inOrder are requests for logs, each once.
func inOrder(all []LogRequest) []LogRequest {
	slices.SortFunc(all, func(a, b LogRequest) int {
		return cmp.Or(strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name), strings.Compare(string(a.Pod), string(b.Pod)),
			strings.Compare(a.Container, b.Container), cmp.Compare(a.Number, b.Number), compareBool(a.Previous, b.Previous), compareBool(a.Running, b.Running))
	})
	return slices.Compact(all)
}
