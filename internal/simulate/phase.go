package simulate

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// phase says where the ticks of a Pod's probes fall. A kubelet makes the workers of all its probes
// at one moment before it starts a container, and the ticks of each count from then on (R3, R7).
// How long before, is a matter of sandboxes, volumes and images, so that the first probe after the
// start, or after the initial delay, comes at some moment within a period (R8).
type phase struct {
	offset *time.Duration // where in the cycle the containers start; nil leaves that to chance
	early  bool           // see [Options.EarlyProbes]
	late   bool           // Pods are synced as late as a kubelet may
}

// podOptions are those of a Pod that is created now.
func (c *cluster) podOptions(pod *corev1.Pod) lifecycle.Options {
	options := c.options
	if c.phase.early {
		return options
	}
	var offset time.Duration
	if c.phase.offset != nil {
		offset = *c.phase.offset
	} else {
		offset = part(uniformAt(c.seed^nameHash("phase"), uint64(c.created)), &pod.Spec)
	}
	options.ProbesSince = c.time(c.now).Add(-offset)
	options.Resync = c.resync()
	return options
}

// A kubelet syncs a quiet Pod again after 60 s × a random factor in [1, 1.5) (R18).
const (
	soonestSync = 60 * time.Second
	latestSync  = 90 * time.Second
)

// resync is after how long the Pod that is created now is synced again and again. A kubelet draws
// the factor anew for each sync; here a Pod keeps its own. What is promised for any phase is
// promised for the latest.
func (c *cluster) resync() time.Duration {
	if c.phase.late {
		return latestSync
	}
	return soonestSync + time.Duration(uniformAt(c.seed^nameHash("sync"), uint64(c.created))*float64(latestSync-soonestSync)).Truncate(time.Millisecond)
}

// part is a part of the cycle, in whole milliseconds.
func part(share float64, spec *corev1.PodSpec) time.Duration {
	return time.Duration(share * float64(cycle(spec))).Truncate(time.Millisecond)
}

// cycle is after how long the ticks of a Pod's probes fall together again: the least common
// multiple of their periods, or thirty days if it is longer.
func cycle(spec *corev1.PodSpec) time.Duration {
	all, limit := int64(1), int64(30*script.Day/time.Second)
	for _, c := range lifecycle.Containers(spec) {
		for _, p := range probesOf(c) {
			period := int64(p.PeriodSeconds)
			limit = max(limit, period)
			all = min(all/greatestDivisor(all, period)*period, limit)
		}
	}
	return time.Duration(all) * time.Second
}

func greatestDivisor(a, b int64) int64 {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}
