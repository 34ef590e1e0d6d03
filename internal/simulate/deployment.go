package simulate

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/workload"
)

// deployment rolls ReplicaSets by the rules of workload.Rollout.
type deployment struct {
	object   *appsv1.Deployment
	kind     string
	size     int
	revision int
	created  int           // Pods, so far
	sets     []*replicaSet // the newest last
	overdue  bool          // its status says ProgressDeadlineExceeded
}

// replicaSet is the Pods of one revision.
type replicaSet struct {
	name     string
	template *corev1.PodTemplateSpec
	size     int
	noted    workload.DeploymentSize
	pods     []*pod
	revision int
}

func newDeployment(object *appsv1.Deployment, kind string, size int) *deployment {
	return &deployment{object: object.DeepCopy(), kind: kind, size: size, revision: 1}
}

// sync implements controller.
func (d *deployment) sync(c *cluster) {
	for {
		for _, set := range d.sets {
			set.pods = notGone(set.pods)
			d.fill(c, set)
		}
		state := d.state(c)
		step := state.Next()
		if !step.Create && !slices.ContainsFunc(step.Scale, func(s workload.Scaling) bool { return s.From != s.To }) {
			d.report(c, &workload.RolloutObservation{Rollout: state})
			return
		}
		if step.Create {
			set := &replicaSet{
				name: fmt.Sprintf("%s-rev%d", d.object.Name, d.revision), template: &d.object.Spec.Template, size: step.Size, revision: d.revision, noted: state.Size(),
			}
			d.sets = append(d.sets, set)
			if c.client != nil {
				name := types.NamespacedName{Namespace: d.object.Namespace, Name: set.name}
				c.client.ReplicaSetAdded(c.now, name, ownedBy(d.kind, d.object.Name))
			}
			if step.Size > 0 {
				d.scaled(c, set.name, 0, step.Size)
			}
			created := d.state(c)
			d.report(c, &workload.RolloutObservation{Rollout: created, Created: true})
		}
		for _, s := range step.Scale {
			set := d.set(s.Name)
			set.size, set.noted = s.To, state.Size()
			d.scaled(c, s.Name, s.From, s.To)
		}
	}
}

// fill makes or deletes Pods of a set until it has its size.
func (d *deployment) fill(c *cluster, set *replicaSet) {
	now := c.time(c.now)
	count, again := workload.CountReplicas(objects(set.pods), d.object.Spec.MinReadySeconds, now)
	c.syncAt(again)
	create, remove := workload.ReplicaStep(set.size, count, d.stopFirst())
	for _, replica := range d.freeReplicas(create) {
		set.pods = append(set.pods, c.createPod(d.workload(), d.pod(set), replica))
	}
	if remove == 0 {
		return
	}
	active := slices.DeleteFunc(objects(set.pods), func(p *corev1.Pod) bool { return !workload.IsActive(p) })
	for _, victim := range workload.PodsToDelete(active, remove, nil, now) {
		i := slices.IndexFunc(set.pods, func(p *pod) bool { return p.object.UID == victim.UID })
		set.pods[i].delete()
	}
}

// freeReplicas are the lowest indices that no Pods have that shall stay.
func (d *deployment) freeReplicas(n int) (free []int) {
	if n == 0 {
		return nil
	}
	used := map[int]bool{}
	for _, set := range d.sets {
		for _, p := range set.pods {
			used[p.replica] = used[p.replica] || set.revision == d.revision && workload.IsActive(p.object)
		}
	}
	for i := 0; len(free) < n; i++ {
		if !used[i] {
			free = append(free, i)
		}
	}
	return free
}

func (d *deployment) pod(set *replicaSet) *corev1.Pod {
	d.created++
	pod := podOf(d.object, set.template, fmt.Sprintf("%s-%d", d.object.Name, d.created))
	pod.Spec.NodeName = "simulated"
	pod.OwnerReferences = []metav1.OwnerReference{ownedBy("ReplicaSet", set.name)}
	return pod
}

// state is what the rollout's rules decide by.
func (d *deployment) state(c *cluster) workload.Rollout {
	r := workload.Rollout{Desired: d.size, Strategy: workload.Recreate, Paused: d.object.Spec.Paused}
	if strategy := d.object.Spec.Strategy; strategy.Type != appsv1.RecreateDeploymentStrategyType {
		limits := valueOr(strategy.RollingUpdate, appsv1.RollingUpdateDeployment{})
		r.Strategy = workload.Rolling
		// validation has seen them
		r.Surge, r.Unavailable, _ = workload.RollingUpdateLimits(limits.MaxSurge, limits.MaxUnavailable, d.size)
	}
	if d.stopFirst() {
		r.Strategy = workload.StopFirst
	}
	for _, set := range d.sets {
		count, _ := workload.CountReplicas(objects(set.pods), d.object.Spec.MinReadySeconds, c.time(c.now))
		state := workload.ReplicaSetState{
			Name: set.name, Size: set.size, Replicas: count.Replicas, Ready: count.Ready, Available: count.Available, Terminating: count.Terminating,
			Revision: int64(set.revision), Noted: new(set.noted),
		}
		if set.revision == d.revision {
			r.New = &state
			continue
		}
		r.Old = append(r.Old, state)
		r.OldPods += count.Replicas + count.Terminating
	}
	return r
}

// stopFirst is for programs that hold a fixed port: two copies cannot be alive at once, except
// those of a DaemonSet, which are on different nodes.
func (d *deployment) stopFirst() bool {
	return d.kind != "DaemonSet" && manifest.FixedPorts(&d.object.Spec.Template.ObjectMeta, &d.object.Spec.Template.Spec)
}

// report brings the Deployment's status up to date, and notes when it is overdue.
func (d *deployment) report(c *cluster, seen *workload.RolloutObservation) {
	status, again := seen.Status(d.object, c.time(c.now))
	d.object.Status = status
	if c.client != nil {
		c.client.DeploymentChanged(c.now, d.object)
	}
	if !again.IsZero() && c.since(again) > c.now {
		c.syncAt(again)
	}
	for _, condition := range status.Conditions {
		if condition.Type == appsv1.DeploymentProgressing {
			overdue := condition.Reason == "ProgressDeadlineExceeded"
			if overdue && !d.overdue {
				c.measures.overdue(d.title(), c.now)
				c.note(EntryRollout, condition.Reason+": "+condition.Message)
			}
			d.overdue = overdue
		}
	}
}

func (d *deployment) scaled(c *cluster, name string, from, to int) {
	direction := "up"
	if to < from {
		direction = "down"
	}
	text := fmt.Sprintf("Scaled %s replica set %s from %d to %d", direction, name, from, to)
	c.eventAdded(corev1.ObjectReference{Kind: d.kind, Name: d.object.Name}, corev1.EventTypeNormal, "ScalingReplicaSet", text)
	c.note(EntryRollout, text)
}

func (d *deployment) set(name string) *replicaSet {
	return d.sets[slices.IndexFunc(d.sets, func(s *replicaSet) bool { return s.name == name })]
}

// mayDeletePods implements controller.
func (d *deployment) mayDeletePods() bool {
	return slices.ContainsFunc(d.sets, func(s *replicaSet) bool { return s.revision != d.revision && len(s.pods) > 0 })
}

// rollout implements controller.
func (d *deployment) rollout(c *cluster) {
	if d.kind == "ReplicaSet" || d.kind == "ReplicationController" {
		return // it does not touch Pods that it has
	}
	d.revision++
	c.syncDue = true
}

// replicas implements controller.
func (d *deployment) replicas() int { return d.size }

// workload implements controller.
func (d *deployment) workload() script.Workload {
	return workloadOf(d.kind, d.object.Name, &d.object.Spec.Template.Spec)
}

// title implements controller.
func (d *deployment) title() string { return titled(d.kind, d.object.Name, d.size) }

// template implements controller.
func (d *deployment) template() *corev1.Pod {
	return podOf(d.object, &d.object.Spec.Template, d.object.Name)
}

func ownedBy(kind, name string) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: "apps/v1", Kind: kind, Name: name, Controller: new(true)}
}
