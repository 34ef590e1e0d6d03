package rollout

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/workload"
)

// podCauses are those of a Pod of the newest revision.
func (s *scene) podCauses(p *corev1.Pod) (all []*candidate) {
	if p.Status.Phase == corev1.PodSucceeded {
		return nil
	}
	for _, early := range []func(*corev1.Pod) *candidate{s.evicted, s.unplaced, s.lost, s.sandbox, s.volume} {
		if c := early(p); c != nil {
			return []*candidate{c}
		}
	}
	for _, st := range statuses(p) {
		spec, init := containerOf(p, st.Name)
		if spec == nil || st.State.Terminated != nil && st.State.Terminated.ExitCode == 0 && init {
			continue
		}
		c := s.containerCause(p, &st, spec, init)
		if c == nil {
			continue
		}
		all = append(all, c)
		if init {
			return all // the others wait for it
		}
	}
	if len(all) == 0 {
		if c := s.gate(p); c != nil {
			all = append(all, c)
		}
	}
	return all
}

// containerCause is what is wrong with a container; nil if nothing is.
func (s *scene) containerCause(p *corev1.Pod, st *corev1.ContainerStatus, spec *corev1.Container, init bool) *candidate {
	if c := s.unstarted(p, st); c != nil {
		return c
	}
	if c := s.exits(p, st, spec, init); c != nil {
		return c
	}
	if c := s.probing(p, st, spec, init); c != nil {
		return c
	}
	return s.threatened(p, st, spec)
}

// evicted is a Pod that its node has sent away.
func (s *scene) evicted(p *corev1.Pod) *candidate {
	if p.Status.Phase != corev1.PodFailed || p.Status.Reason == "" {
		return nil
	}
	c := of(p, Node, Suspect)
	c.Short = fmt.Sprintf("was stopped by its node: %s: %s", clean(p.Status.Reason), clean(p.Status.Message))
	c.Text, c.alike = clean(p.Name)+" "+c.Short, "evicted "+p.Status.Reason
	c.Evidence = []Evidence{{From: "status", Reason: clean(p.Status.Reason), Message: clean(p.Status.Message)}}
	return c
}

// unplaced is a Pod that no node has yet.
func (s *scene) unplaced(p *corev1.Pod) *candidate {
	cond := condition(p, corev1.PodScheduled)
	if cond == nil || cond.Status != corev1.ConditionFalse || p.Spec.NodeName != "" {
		return nil
	}
	if strings.Contains(strings.ToLower(cond.Message), "persistentvolumeclaim") {
		return s.unclaimed(p, cond)
	}
	c := of(p, Unschedulable, Suspect)
	c.Since = cond.LastTransitionTime.Time
	c.Evidence = []Evidence{{From: "condition", Reason: clean(cond.Reason), Message: clean(cond.Message)}}
	if cond.Reason == corev1.PodReasonSchedulingGated {
		var gates []string
		for _, g := range p.Spec.SchedulingGates {
			gates = append(gates, clean(g.Name))
		}
		c.Short = "waits for its scheduling gate " + strings.Join(gates, ", ")
		c.alike, c.Next = c.Short, "whoever set the gate must take it away"
		c.head = func(n int) string {
			return fmt.Sprintf("%s %s scheduling gate %s%s", plural(n, "Pod"), verb(n, "waits for its", "wait for their"), strings.Join(gates, ", "), s.since(c.Since))
		}
		return c
	}
	words := schedulerWords(cond.Message)
	c.Short = "fits on no node: " + words
	c.alike = "unschedulable"
	c.head = func(n int) string {
		return fmt.Sprintf("%s %s on no node%s", plural(n, "Pod"), verb(n, "fits", "fit"), s.since(c.Since))
	}
	c.Details = []string{strings.TrimSuffix(words, ".") + "." + s.room(p)}
	c.Next = "ask for less (resources.requests), or add a node"
	if !strings.Contains(cond.Message, "Insufficient") {
		c.Next = "change what the Pod wants of its node (nodeSelector, affinity, tolerations), or add a node that has it"
	}
	return c
}

// schedulerWords are why no node takes a Pod, without why to send others away would be of no use.
func schedulerWords(message string) string {
	for _, rest := range []string{" no new claims to deallocate", " preemption: "} {
		message, _, _ = strings.Cut(message, rest)
	}
	return clean(message)
}

// room says what a Pod asks for, and what the largest node has, of what is short.
func (s *scene) room(p *corev1.Pod) string {
	cond, text := condition(p, corev1.PodScheduled), ""
	for _, what := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		if !strings.Contains(cond.Message, "Insufficient "+string(what)) {
			continue
		}
		var asked, largest resource.Quantity
		for _, c := range p.Spec.Containers {
			asked.Add(c.Resources.Requests[what])
		}
		text += fmt.Sprintf(" It asks for %s %s", what, asked.String())
		for _, n := range s.Nodes {
			if n == nil {
				continue
			}
			if has := n.Status.Allocatable[what]; has.Cmp(largest) > 0 {
				largest = has
			}
		}
		if !largest.IsZero() {
			text += fmt.Sprintf("; the largest node has %s", largest.String())
			if largest.Cmp(asked) >= 0 {
				text += ", of which others have taken their part"
			}
		}
		text += "."
	}
	return printable.Line(text)
}

// unclaimed is a Pod that no node takes because of its volumes.
func (s *scene) unclaimed(p *corev1.Pod, cond *corev1.PodCondition) *candidate {
	c := of(p, Volume, Suspect)
	c.Since = cond.LastTransitionTime.Time
	c.Evidence = []Evidence{{From: "condition", Reason: clean(cond.Reason), Message: clean(cond.Message)}}
	c.Short, c.alike = "waits for its volumes: "+clean(cond.Message), "claims"
	c.head = func(n int) string {
		return fmt.Sprintf("%s %s for %s volumes: %s", plural(n, "Pod"), verb(n, "waits", "wait"), verb(n, "its", "their"), clean(cond.Message))
	}
	for _, v := range p.Spec.Volumes {
		if v.PersistentVolumeClaim == nil {
			continue
		}
		name := v.PersistentVolumeClaim.ClaimName
		i := slices.IndexFunc(s.Claims, func(o *corev1.PersistentVolumeClaim) bool {
			return o != nil && o.Name == name && o.Namespace == p.Namespace
		})
		switch {
		case i < 0 && strings.Contains(cond.Message, `"`+name+`" not found`):
			c.Next = s.create("PersistentVolumeClaim", name, "")
		case i >= 0 && s.Claims[i].Status.Phase == corev1.ClaimPending:
			c.Details = append(c.Details, clean(fmt.Sprintf("PersistentVolumeClaim %s is Pending: no volume is bound to it%s", name, s.claimEvent(s.Claims[i]))))
			c.Next = "is there a StorageClass that makes it? kubectl describe pvc " + clean(name)
		}
	}
	s.doom(c, 0, 0)
	return c
}

func (s *scene) claimEvent(o *corev1.PersistentVolumeClaim) string {
	for _, reason := range []string{"ProvisioningFailed", "FailedBinding"} {
		if t := s.tally(o.UID, reason, nil); t.count > 0 {
			return ": " + clean(t.message)
		}
	}
	return ""
}

// lost is a Pod on a node that is not ready: what its status says is old.
func (s *scene) lost(p *corev1.Pod) *candidate {
	i := slices.IndexFunc(s.Nodes, func(n *corev1.Node) bool { return n != nil && n.Name == p.Spec.NodeName && n.Name != "" })
	if i < 0 {
		return nil
	}
	for _, cond := range s.Nodes[i].Status.Conditions {
		if cond.Type != corev1.NodeReady || cond.Status == corev1.ConditionTrue {
			continue
		}
		c := of(p, Node, Suspect)
		c.Since = cond.LastTransitionTime.Time
		c.Short = fmt.Sprintf("node %s is not ready%s: %s", clean(p.Spec.NodeName), s.since(c.Since), clean(cond.Message))
		if cond.Status == corev1.ConditionUnknown {
			c.Since = cond.LastHeartbeatTime.Time
			c.Short = fmt.Sprintf("node %s has not reported%s", clean(p.Spec.NodeName), s.since(c.Since))
		}
		c.Text, c.alike = c.Short, "node "+p.Spec.NodeName
		c.Evidence = []Evidence{{From: "condition", Reason: clean(cond.Reason), Message: clean(cond.Message)}}
		c.Next = "look after the node: kubectl describe node " + clean(p.Spec.NodeName)
		return c
	}
	return nil
}

// gate is a Pod whose containers are ready and which is not, or not for long enough.
func (s *scene) gate(p *corev1.Pod) *candidate {
	at, ready := workload.AvailableAt(p, s.minReady)
	if ready {
		if left := at.Sub(s.Now); left > 0 {
			c := of(p, MinReady, Note)
			c.Short, c.alike, c.due = "ready; counts in "+span(left+999e6)+" (minReadySeconds)", "minReady", at
			c.Text = c.Short
			return c
		}
		return nil
	}
	if cond := condition(p, corev1.ContainersReady); cond == nil || cond.Status != corev1.ConditionTrue {
		return nil
	}
	var missing, closed []string
	for _, g := range p.Spec.ReadinessGates {
		switch cond := condition(p, g.ConditionType); {
		case cond == nil:
			missing = append(missing, clean(string(g.ConditionType)))
		case cond.Status != corev1.ConditionTrue:
			closed = append(closed, clean(string(g.ConditionType)))
		}
	}
	c := of(p, Gate, Suspect)
	switch {
	case len(missing) > 0:
		names := strings.Join(missing, ", ")
		c.Short = "waits for " + names + ", which nobody set"
		c.Text = "all containers are ready, the Pod is not: readiness gate " + names + " has no condition"
	case len(closed) > 0:
		names := strings.Join(closed, ", ")
		c.Short = "waits for " + names + ", which is not True"
		c.Text = "all containers are ready, the Pod is not: readiness gate " + names + " is not True"
	default:
		return nil
	}
	c.alike, c.Next = c.Short, "its controller (a load balancer's?) must set it"
	if cond := condition(p, corev1.PodReady); cond != nil {
		c.Since = cond.LastTransitionTime.Time
		c.Evidence = []Evidence{{From: "condition", Reason: clean(cond.Reason), Message: clean(cond.Message)}}
	}
	return c
}
