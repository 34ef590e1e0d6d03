package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/workload"
)

// workloadCauses are those that are no Pod's.
func (s *scene) workloadCauses() (all []*candidate) {
	add := func(c *candidate) {
		if c != nil {
			all = append(all, c)
		}
	}
	if !s.observed {
		return nil
	}
	add(s.paused())
	add(s.refused())
	add(s.jobFailed())
	add(s.waitsForOld())
	for _, p := range s.old {
		add(s.stuck(p))
	}
	return all
}

// paused is a Deployment that nobody rolls out.
func (s *scene) paused() *candidate {
	d, ok := s.Workload.(*appsv1.Deployment)
	if !ok || !d.Spec.Paused {
		return nil
	}
	c := &candidate{ripe: true, Cause: Cause{Kind: Paused, Degree: Certain, Short: "is paused", Text: "is paused: it is applied, nothing rolls out"}}
	for _, cond := range d.Status.Conditions {
		if cond.Type == appsv1.DeploymentProgressing && cond.Reason == "DeploymentPaused" {
			c.Since = cond.LastUpdateTime.Time
			c.Evidence = []Evidence{{From: "condition", Reason: cond.Reason, Message: clean(cond.Message)}}
		}
	}
	c.Next = s.kubectl("rollout resume deployment/" + d.Name)
	return c
}

// refused is a workload whose Pods the API server does not let be.
func (s *scene) refused() *candidate {
	message, evidence, since, stale := s.refusal()
	if message == "" {
		return nil
	}
	words := message
	if _, rest, ok := strings.Cut(message, " is forbidden: "); ok {
		words = rest
	}
	c := &candidate{Cause: Cause{Kind: Refused, Since: since, Evidence: []Evidence{evidence}, Count: evidence.Count, AtLeast: evidence.Count > 0}}
	c.Short = "no Pod can be made: " + clean(words)
	c.Text = fmt.Sprintf("no Pod can be made (%d of %d exist)", len(s.active())+len(s.old), s.desired())
	c.Details, c.alike = []string{"the API server refuses: " + clean(words)}, "refused"
	s.judgeRefusal(c, message)
	if stale { // what it was refused for may be mended: that is seen when the cluster tries again
		c.Degree, c.ripe, c.due = Suspect, false, time.Time{}
		delete(s.next.causes, causeKey{kind: Refused}) // the patience begins when it is said anew
	}
	return c
}

// judgeRefusal decides what it means that no Pod can be made.
func (s *scene) judgeRefusal(c *candidate, message string) {
	switch {
	case strings.Contains(message, "exceeded quota"):
		c.Next = "raise the quota, ask for less, or give the rollout no surge (maxSurge: 0)"
		s.doom(c, 0, 0)
	case strings.Contains(message, "failed calling webhook"), strings.Contains(message, "error looking up service account"),
		!strings.Contains(message, "forbidden") && !strings.Contains(message, "denied") && !strings.Contains(message, "is invalid"):
		if strings.Contains(message, "failed calling webhook") {
			c.Next = "the webhook does not answer: look after the Pods behind it, or delete its configuration"
		}
		s.doom(c, 0, 0)
	default:
		c.Degree, c.ripe = Certain, true
		switch {
		case strings.Contains(message, "violates PodSecurity"):
			c.Next = "set what it names in spec.template.spec; it will refuse every Pod until then"
		case strings.Contains(message, "must specify"):
			c.Next = "the quota wants every container to say it: set resources in the template"
		default:
			c.Next = "it will refuse every Pod until the template is as it wants it"
		}
	}
}

// refusal is what the API server has said last to whoever wanted to make a Pod, if one is missing.
// stale reports that nothing tells that it has said so since the deployment began: a condition
// keeps the time at which it began to hold, and its message.
func (s *scene) refusal() (message string, e Evidence, since time.Time, stale bool) {
	before := func(t time.Time) bool { return !s.Begun.IsZero() && t.Before(s.Begun.Truncate(time.Second)) }
	if s.set != nil {
		for _, c := range s.set.Status.Conditions {
			if c.Type != appsv1.ReplicaSetReplicaFailure || c.Status != corev1.ConditionTrue || c.Reason != "FailedCreate" {
				continue
			}
			stale = before(c.LastTransitionTime.Time)
			if t := s.tally(s.set.UID, "FailedCreate", nil); stale && t.count > 0 && !before(t.last) {
				return t.message, t.evidence(), t.first, false
			}
			return c.Message, Evidence{From: "condition", Reason: c.Reason, Message: clean(c.Message)}, c.LastTransitionTime.Time, stale
		}
		return "", e, since, false
	}
	if len(s.active()) >= s.desired() {
		return "", e, since, false
	}
	t := s.tally(s.Workload.GetUID(), "FailedCreate", nil)
	if t.count == 0 || before(t.last) {
		return "", e, since, false
	}
	for _, p := range s.active() { // one was made since
		if !p.CreationTimestamp.Time.Before(t.last) {
			return "", e, since, false
		}
	}
	return t.message, t.evidence(), t.first, false
}

// desired is how many Pods there shall be.
func (s *scene) desired() int {
	switch o := s.Workload.(type) {
	case *batchv1.Job:
		completions, parallel := int32(1), int32(1)
		if o.Spec.Parallelism != nil {
			parallel = *o.Spec.Parallelism
		}
		if o.Spec.Completions != nil {
			completions = *o.Spec.Completions
		}
		return int(max(min(parallel, completions-o.Status.Succeeded), 0))
	case *corev1.Pod:
		return 1
	}
	return int(s.progress.Desired)
}

// jobFailed is a Job that has given up. FailureTarget comes before Failed.
func (s *scene) jobFailed() *candidate {
	job, ok := s.Workload.(*batchv1.Job)
	if !ok {
		return nil
	}
	for _, cond := range job.Status.Conditions {
		if cond.Status != corev1.ConditionTrue || cond.Type != batchv1.JobFailed && cond.Type != batchv1.JobFailureTarget {
			continue
		}
		c := &candidate{ripe: true, Cause: Cause{Kind: Job, Degree: Certain, Since: cond.LastTransitionTime.Time}}
		reason := cmp.Or(clean(cond.Reason), "Failed")
		c.Evidence = []Evidence{{From: "condition", Reason: reason, Message: clean(cond.Message)}}
		failed := int(job.Status.Failed)
		for _, p := range s.fresh {
			if p.Status.Phase == corev1.PodFailed {
				c.Pods = append(c.Pods, clean(p.Name))
			}
		}
		failed = max(failed, len(c.Pods))
		c.Short = fmt.Sprintf("%s after %s", reason, plural(failed, "Pod"))
		c.Text = fmt.Sprintf("%s: %s failed", reason, plural(failed, "Pod"))
		if job.Spec.BackoffLimit != nil && reason == batchv1.JobReasonBackoffLimitExceeded {
			c.Text += fmt.Sprintf(" (backoffLimit %d)", *job.Spec.BackoffLimit)
		}
		s.addLastEnd(c)
		if len(c.Evidence) == 1 && cond.Message != "" {
			c.Details = []string{clean(cond.Message)}
		}
		return c
	}
	return nil
}

// addLastEnd says how the container ended that ended last in a Pod that failed.
func (s *scene) addLastEnd(c *candidate) {
	var last *corev1.ContainerStatus
	for _, p := range s.fresh {
		for _, st := range statuses(p) {
			end := st.State.Terminated
			if end != nil && end.ExitCode != 0 && (last == nil || end.FinishedAt.After(last.State.Terminated.FinishedAt.Time)) {
				last, c.pod, c.Container = &st, p, clean(st.Name)
			}
		}
	}
	if last == nil {
		return
	}
	end := last.State.Terminated
	c.Text += fmt.Sprintf(", container %s %s", c.Container, endText(end))
	c.Evidence = append(c.Evidence, Evidence{From: "status", Reason: clean(end.Reason), RestartCount: int(last.RestartCount)})
	c.Logs = s.logs(c.pod, last, true)
}

// waitsForOld is a workload of which only Pods are left that are being deleted.
func (s *scene) waitsForOld() *candidate {
	if len(s.ends) == 0 || len(s.active()) >= s.desired() || len(s.old) > 0 {
		return nil
	}
	grace := int64(0)
	for _, p := range s.ends {
		if g := p.DeletionGracePeriodSeconds; g != nil {
			grace = max(grace, *g)
		}
	}
	c := &candidate{Cause: Cause{Kind: OldPods, Degree: Note}}
	for _, p := range s.ends {
		c.Pods = append(c.Pods, clean(p.Name))
		c.Since = workload.Sooner(c.Since, p.DeletionTimestamp.Add(-time.Duration(min(max(grace, 0), 1<<30))*time.Second))
	}
	c.Short = fmt.Sprintf("waits for %s (grace %d s)", plural(len(s.ends), "old Pod"), grace)
	c.Text = c.Short
	return c
}

// stuck is a Pod of another revision for which a StatefulSet waits in vain: with OrderedReady
// nothing goes on until each Pod is ready, and it does not replace the one that is not.
func (s *scene) stuck(p *corev1.Pod) *candidate {
	set, ok := s.Workload.(*appsv1.StatefulSet)
	if !ok || set.Spec.PodManagementPolicy == appsv1.ParallelPodManagement || set.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType || s.hash == "" {
		return nil
	}
	if _, ready := workload.ReadySince(p); ready {
		return nil
	}
	if !isReplacedIn(set, p) {
		return nil
	}
	c := of(p, StuckSet, Suspect)
	c.Short = "is of the old revision and blocks"
	c.Text = clean(p.Name) + " is of an older revision, never gets ready, and is in the way (podManagementPolicy OrderedReady)"
	c.Next = s.kubectl("delete pod " + p.Name)
	c.alike = "stuck"
	if cond := condition(p, corev1.PodReady); cond != nil {
		c.Since = cond.LastTransitionTime.Time
	}
	if set.Status.CurrentRevision == set.Status.UpdateRevision {
		c.Details = []string{"status.currentRevision and updateRevision agree; the Pod does not"}
	}
	if hasTrouble(p) { // else it may merely be starting: once it is ready it is replaced
		s.doom(c, 0, 0)
	}
	return c
}

// hasTrouble reports whether a container of a Pod waits for more than being made, or has ended that
// should run.
func hasTrouble(p *corev1.Pod) bool {
	return slices.ContainsFunc(statuses(p), func(st corev1.ContainerStatus) bool {
		_, init := containerOf(p, st.Name)
		end, w := st.State.Terminated, st.State.Waiting
		return w != nil && w.Reason != "" && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing" || end != nil && (!init || end.ExitCode != 0) ||
			st.LastTerminationState.Terminated != nil
	})
}
