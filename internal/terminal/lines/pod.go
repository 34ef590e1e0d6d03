package lines

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/lifecycle"
)

// pod is what was told about a Pod.
type pod struct {
	object     *corev1.Pod // as it was last
	began      time.Time   // when it was made, then when its newest container started
	ready      bool
	readyOnce  bool      // since began
	lostReady  time.Time // when it stopped being Ready
	waits      int       // Waiting lines since began
	over       bool      // it Succeeded, or Failed for good
	deleting   bool
	gone       bool // perhaps: changes were missed
	containers map[string]*container
	notes      map[string]bool // that were given
}

// container is what was told about a container of a Pod.
type container struct {
	started string // the instance whose start was told
	ended   string // the instance whose end was told
	began   time.Time
	ran     time.Duration // of the instance whose end was told
	backOff string        // the message that was told
	rows    map[lifecycle.ProbeType]*row

	restarts int                            // instances before the one that runs
	seen     map[lifecycle.ProbeType]uint64 // the newest recorded attempt that was looked at
}

func (c *container) row(t lifecycle.ProbeType) *row {
	if c.rows[t] == nil {
		c.rows[t] = &row{}
	}
	return c.rows[t]
}

func (p *pod) container(name string) *container {
	if p.containers[name] == nil {
		p.containers[name] = &container{rows: map[lifecycle.ProbeType]*row{}, seen: map[lifecycle.ProbeType]uint64{}}
	}
	return p.containers[name]
}

func (p *pod) ref() string { return ref("pod", p.object.Namespace, p.object.Name) }

// prefix names a container where the Pod has several.
func (p *pod) prefix(container string) string {
	if len(p.object.Spec.Containers)+len(p.object.Spec.InitContainers) == 1 {
		return ""
	}
	return container + ": "
}

// leaving reports whether nothing of a Pod is news any more but how it ends.
func (p *pod) leaving() bool { return p.deleting || p.over || p.gone }

// inOrder lists the Pods by name, so that lines of one instant have an order.
func (r *Reporter) inOrder() []*pod {
	return slices.SortedFunc(maps.Values(r.pods), func(a, b *pod) int {
		return cmp.Or(strings.Compare(a.object.Namespace, b.object.Namespace), strings.Compare(a.object.Name, b.object.Name))
	})
}

func (r *Reporter) onPod(change watch.EventType, object *corev1.Pod, now time.Time) {
	p := r.pods[object.UID]
	if p == nil {
		if change == watch.Deleted {
			return
		}
		p = &pod{object: object, began: now, containers: map[string]*container{}, notes: map[string]bool{}}
		r.pods[object.UID] = p
		if r.opts.Plain {
			r.say(now, Starting, p.ref(), "its containers are being started")
		}
	}
	p.object, p.gone = object, false
	if object.DeletionTimestamp != nil && !p.deleting {
		p.deleting = true
		if r.opts.Plain {
			r.say(now, Stopping, p.ref(), "up to "+seconds(gracePeriod(object)))
		}
	}
	statuses := slices.Concat(object.Status.InitContainerStatuses, object.Status.ContainerStatuses)
	for _, status := range statuses {
		r.onContainer(p, status, now)
	}
	r.onReadiness(p, now)
	for _, status := range statuses {
		r.onBackOff(p, status, now)
	}
	r.onEnd(p, now)
	if change == watch.Deleted {
		delete(r.pods, object.UID)
	}
}

// onReadiness tells when a Pod became Ready, and when it is not any more.
func (r *Reporter) onReadiness(p *pod, now time.Time) {
	ready := isReady(p.object)
	if ready == p.ready {
		return
	}
	p.ready = ready
	switch {
	case p.deleting || finished(p.object):
	case ready && p.lostReady.IsZero():
		r.say(now, Ready, p.ref(), diagnosis.Duration(now.Sub(p.began))+" after its start"+unasked(p.object))
	case ready:
		r.say(now, Ready, p.ref(), "again, after "+diagnosis.Duration(now.Sub(p.lostReady)))
	default:
		r.say(now, NotReady, p.ref(), r.whyLost(p, now)+r.outOf(p))
	}
	if ready {
		p.readyOnce, p.lostReady = true, time.Time{}
	} else {
		p.lostReady = now
	}
}

// unasked says of a Pod that is Ready because it runs, perhaps not for long, that nothing has asked
// it.
func unasked(pod *corev1.Pod) string {
	asked := slices.ContainsFunc(lifecycle.Containers(&pod.Spec), func(c *corev1.Container) bool { return c.ReadinessProbe != nil || c.StartupProbe != nil })
	if asked || len(pod.Spec.ReadinessGates) > 0 {
		return ""
	}
	return ", without a readiness probe"
}

// onEnd tells that a Pod ended for good and well. How it failed is told of its containers.
func (r *Reporter) onEnd(p *pod, now time.Time) {
	if p.over || !finished(p.object) {
		return
	}
	p.over = true
	if p.deleting || p.object.Status.Phase != corev1.PodSucceeded {
		return
	}
	if len(p.object.Spec.Containers) == 1 {
		if end := p.object.Status.ContainerStatuses[0].State.Terminated; end != nil {
			r.say(now, Complete, p.ref(), fmt.Sprintf("exit 0 after %s", diagnosis.Duration(p.container(p.object.Spec.Containers[0].Name).ran)))
			return
		}
	}
	r.say(now, Complete, p.ref(), "every container ended with exit 0")
}

// gracePeriod is how long the deletion of a Pod may take.
func gracePeriod(pod *corev1.Pod) time.Duration {
	seconds := int64(corev1.DefaultTerminationGracePeriodSeconds)
	if pod.Spec.TerminationGracePeriodSeconds != nil {
		seconds = *pod.Spec.TerminationGracePeriodSeconds
	}
	if pod.DeletionGracePeriodSeconds != nil {
		seconds = *pod.DeletionGracePeriodSeconds
	}
	return time.Duration(seconds) * time.Second
}

func finished(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

func isReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}
