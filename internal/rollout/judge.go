package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/workload"
)

// judge ends the rollout, if it is worth while to wait no longer.
func (s *scene) judge(r *Result, causes []*candidate) {
	v := &Verdict{}
	switch what := s.unfollowed(); {
	case r.Up:
		v.Outcome, v.Warnings = IsUp, s.warnings(r)
	case what != "":
		v.Outcome, v.Text = NotFollowed, what
	case s.isPaused() && s.observed:
		v.Outcome, v.Exit, v.Cause = NotFollowed, 1, causeOf(causes, Paused)
		if s.PausedByFile {
			v.Exit = 0
		}
	default:
		if v = s.failure(causes); v == nil {
			v = s.overdue(r, causes)
		}
	}
	if v == nil {
		return
	}
	if old := s.oldServe(r); v.Outcome == Failed && old != "" {
		v.Details = append(v.Details[:len(v.Details):len(v.Details)], old)
	}
	r.Verdict = v
}

func causeOf(causes []*candidate, k Kind) Cause {
	for _, c := range causes {
		if c.Kind == k {
			return c.Cause
		}
	}
	return Cause{Kind: k}
}

// unfollowed is why there is nothing to wait for in a workload of this kind; "" if there is.
func (s *scene) unfollowed() string {
	switch o := s.Workload.(type) {
	case *batchv1.CronJob:
		return "is applied; its Jobs are made when their time comes"
	case *batchv1.Job:
		if o.Spec.Suspend != nil && *o.Spec.Suspend {
			return "is suspended: it is applied, nothing runs"
		}
	case *appsv1.StatefulSet:
		if o.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType && s.observed && s.progress.Available >= s.progress.Desired {
			return "is applied; its Pods are replaced when somebody deletes them (OnDelete)"
		}
	case *appsv1.DaemonSet:
		if o.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType && s.observed {
			return "is applied; its Pods are replaced when somebody deletes them (OnDelete)"
		}
	}
	return ""
}

// failure is a verdict on what is certain, or doomed and held; nil if nothing is. Causes come with
// the worst first.
func (s *scene) failure(causes []*candidate) *Verdict {
	for i, c := range causes {
		if c.ripe && c.Degree >= Doomed {
			return failed(causes, i)
		}
	}
	return nil
}

func failed(causes []*candidate, i int) *Verdict {
	v := &Verdict{Outcome: Failed, Exit: 1, Cause: causes[i].Cause}
	for j, c := range causes {
		isOfJob := v.Kind == Job && c.Kind == Crash // which its verdict has said
		if j != i && c.Degree >= Suspect && !isOfJob {
			v.Also = append(v.Also, c.Cause)
		}
	}
	return v
}

// overdue is a verdict on a rollout that has taken too long; nil if it may go on.
func (s *scene) overdue(r *Result, causes []*candidate) *Verdict {
	limit, why := s.deadline(r)
	timeout := s.Begun.Add(s.Timeout)
	late := !s.Begun.IsZero() && !s.Now.Before(timeout)
	if !limit && !late {
		if !s.Begun.IsZero() {
			s.again = workload.Sooner(s.again, timeout)
		}
		return nil
	}
	if len(causes) > 0 && causes[0].Degree >= Suspect {
		v := failed(causes, 0)
		if late && !limit {
			why = fmt.Sprintf("it was given %s (--timeout)", span(s.Timeout))
		}
		v.Details = append(v.Details[:len(v.Details):len(v.Details)], why)
		return v
	}
	if limit {
		c := Cause{Kind: Deadline, Degree: Suspect, Short: why, Text: s.waiting(r), Details: []string{why}}
		s.predict(&c)
		return &Verdict{Outcome: Failed, Exit: 1, Cause: c}
	}
	text := fmt.Sprintf("after %s %s, and nothing is wrong with the rest", span(s.Timeout), s.waiting(r))
	if left := s.rest(); left != "" {
		text += ": " + left
	}
	return &Verdict{Outcome: NotKnown, Exit: 3, Cause: Cause{Kind: Deadline, Text: text}}
}

// waiting says how far it is.
func (s *scene) waiting(r *Result) string {
	if !s.observed {
		return "the cluster's controller has not taken up what was applied"
	}
	return fmt.Sprintf("%d of %d Pods are up", r.Available, r.Desired)
}

// rest says what the Pods do that are not up.
func (s *scene) rest() string {
	pulling, others := 0, 0
	var since time.Time
	for _, p := range s.active() {
		switch t := s.tally(p.UID, "Pulling", nil); {
		case t.count > 0 && !hasBegun(p):
			pulling++
			since = workload.Sooner(since, t.last)
		case !s.row(p).Up:
			others++
		}
	}
	var parts []string
	if pulling > 0 {
		parts = append(parts, fmt.Sprintf("%d %s pulling %s image%s", pulling, verb(pulling, "is", "are"), verb(pulling, "its", "their"), s.since(since)))
	}
	if others > 0 {
		parts = append(parts, fmt.Sprintf("%d %s not come so far", others, verb(others, "has", "have")))
	}
	return strings.Join(parts, ", ")
}

// deadline reports whether there was no progress for too long (R213), and says so.
func (s *scene) deadline(r *Result) (bool, string) {
	now := counts{r.Updated, r.Ready, r.Available, r.Old}
	last := s.m.counts
	if s.m.progress.IsZero() || now.updated > last.updated || now.ready > last.ready || now.available > last.available || now.old < last.old {
		s.next.progress = s.Now
	}
	s.next.counts = now
	limit, name := s.Deadline, span(s.Deadline)+" passed without progress"
	if d, ok := s.Workload.(*appsv1.Deployment); ok && d.Spec.ProgressDeadlineSeconds != nil {
		n := *d.Spec.ProgressDeadlineSeconds
		if n == 1<<31-1 {
			return false, ""
		}
		limit, name = seconds(n), fmt.Sprintf("the deadline (progressDeadlineSeconds: %d) passed without progress", n)
	}
	if s.exceeded() {
		return true, name
	}
	if s.Begun.IsZero() {
		return false, ""
	}
	if _, isJob := s.Workload.(*batchv1.Job); isJob {
		return false, "" // activeDeadlineSeconds is its own
	}
	due := s.next.progress.Add(limit + clockSlack)
	s.again = workload.Sooner(s.again, s.future(due))
	return !s.Now.Before(due), name
}

// clockSlack is how much later than a Deployment itself a rollout counts as too late, because it is
// the Deployment's word that counts.
const clockSlack = 5 * time.Second

// exceeded reports whether a Deployment says itself that it makes no progress, of what was applied.
func (s *scene) exceeded() bool {
	d, ok := s.Workload.(*appsv1.Deployment)
	if !ok || !s.observed {
		return false
	}
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentProgressing && c.Status == corev1.ConditionFalse && c.Reason == "ProgressDeadlineExceeded" {
			return s.Begun.IsZero() || !c.LastUpdateTime.Time.Before(s.Begun.Truncate(time.Second))
		}
	}
	return false
}

// oldServe says which Pods serve although the rollout failed; "" if none do.
func (s *scene) oldServe(r *Result) string {
	n := 0
	for _, p := range s.old {
		if s.row(p).Ready {
			n++
		}
	}
	if n == 0 || r.Revision == 0 {
		return ""
	}
	return fmt.Sprintf("%s of %s still %s", plural(n, "Pod"), "an older revision", verb(n, "serves", "serve"))
}

// warnings are what should be known of a rollout that is up.
func (s *scene) warnings(r *Result) (all []Cause) {
	if name := s.unasked(); name != "" && r.Desired > 0 {
		all = append(all, Cause{Kind: Readiness, Degree: Warning, Container: clean(name), Short: "nothing asked it",
			Text: fmt.Sprintf("up, but nothing asked it: container %s has no readinessProbe", clean(name))})
	}
	for _, row := range r.Services {
		if row.Ready == 0 && r.Desired > 0 {
			for _, service := range s.Services {
				if service != nil && clean(service.Name) == row.Name && service.Namespace == s.Workload.GetNamespace() {
					c := nobodyBehind(service)
					s.predict(&c)
					c.Predicted = slices.DeleteFunc(c.Predicted, func(f advisor.Finding) bool { return f.Object.Name != service.Name })
					all = append(all, c)
					break
				}
			}
		}
	}
	return all
}

// Unserved are the Services that have a selector and no ready endpoint, each as a warning, in their
// order. It is for the end, when all that they may select is up.
func Unserved(f Facts) (all []Cause) {
	for _, service := range f.Services {
		if service != nil && len(service.Spec.Selector) > 0 && readyEndpoints(service, f.Slices) == 0 {
			all = append(all, nobodyBehind(service))
		}
	}
	return all
}

func nobodyBehind(service *corev1.Service) Cause {
	var labels []string
	for key, value := range service.Spec.Selector {
		labels = append(labels, key+"="+value)
	}
	text := clean(fmt.Sprintf("nobody is behind service %s: selector %s", service.Name, strings.Join(sorted(labels), ",")))
	return Cause{Kind: Endpoints, Degree: Warning, Short: text, Text: text, Next: "do the labels of the Pods match, and has the container the targetPort?"}
}
