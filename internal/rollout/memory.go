package rollout

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/workload"
)

// Memory is what [Explain] has to know of its past to judge the next facts. The zero value
// remembers nothing. It is never changed: Explain returns a new one.
type Memory struct {
	pods   map[types.UID]podMemory
	causes map[causeKey]causeMemory
	// complete is since when every Pod is up, zero if one is not; restarts are how many they had.
	complete time.Time
	restarts int
	// progress is when there was progress last, counts how far it was (R213).
	progress time.Time
	counts   counts
}

// podMemory is what is remembered of a Pod: the restarts of its containers that do not count, as
// they were before this rollout, or before the Pod was well for a long time.
type podMemory struct{ restarts map[string]int32 }

// causeKey tells causes apart.
type causeKey struct {
	kind      Kind
	pod       types.UID
	container string
}

// causeMemory is since when a cause holds, how often it had been seen, and when that grew last.
type causeMemory struct {
	since, grown time.Time
	count        int
}

// counts are what progress is measured by.
type counts struct{ updated, ready, available, old int }

// forget is a memory for the next time, of which the causes and Pods have to be remembered again.
func (m Memory) forget() Memory {
	m.pods, m.causes = map[types.UID]podMemory{}, map[causeKey]causeMemory{}
	return m
}

// wellTime is how long a Pod has to be ready until its troubles are forgotten.
const wellTime = time.Minute

// isWell reports whether a Pod is ready for so long that its troubles are forgotten.
func (s *scene) isWell(p *corev1.Pod) bool {
	since, ready := workload.ReadySince(p)
	return ready && s.Now.Sub(since) >= wellTime
}

// rememberPods decides which restarts of Pods do not count.
func (s *scene) rememberPods() {
	for _, p := range s.fresh {
		before, known := s.m.pods[p.UID]
		switch {
		case s.isWell(p), !known && p.CreationTimestamp.Time.Before(s.Begun.Truncate(time.Second)) && !s.Begun.IsZero():
			before = podMemory{map[string]int32{}}
			for _, st := range statuses(p) {
				before.restarts[st.Name] = st.RestartCount - inARow(&st)
			}
		}
		s.next.pods[p.UID] = before
	}
}

// inARow is how many crashes in a row the kubelet has told of by the length of its back-off: that
// doubles from 10 s (R146).
func inARow(st *corev1.ContainerStatus) (n int32) {
	if st.State.Waiting == nil {
		return 0
	}
	delay, _ := diagnosis.BackOffDelay(st.State.Waiting.Message) // 0 if it says none
	for ; delay >= 10*time.Second && n < 6; delay /= 2 {
		n++
	}
	return min(n, max(st.RestartCount, 0))
}

// ended is how many instances of a container have ended in this rollout.
func (s *scene) ended(p *corev1.Pod, st *corev1.ContainerStatus) int {
	n := int(st.RestartCount)
	if st.State.Terminated != nil || st.State.Waiting != nil && st.LastTerminationState.Terminated != nil {
		n++
	}
	return max(n-int(s.next.pods[p.UID].restarts[st.Name]), 0)
}

// remember notes that a cause was seen, and how often.
func (s *scene) remember(key causeKey, count int) causeMemory {
	c, known := s.m.causes[key]
	if !known {
		c = causeMemory{since: s.Now}
	}
	if !known || count > c.count {
		c.count, c.grown = count, s.Now
	}
	s.next.causes[key] = c
	return c
}

// keep remembers what restarts have caused, while a Pod runs or is even ready in between.
func (s *scene) keep() {
	alive := map[types.UID]bool{}
	for _, p := range s.fresh {
		alive[p.UID] = !s.isWell(p)
	}
	for key, c := range s.m.causes {
		if _, again := s.next.causes[key]; !again && alive[key.pod] && isOfRestarts(key.kind) {
			s.next.causes[key] = c
		}
	}
}

// isOfRestarts reports whether a cause is about instances that end, others of which run in between.
func isOfRestarts(k Kind) bool {
	return k == Init || k == Crash || k == Startup || k == Liveness || k == Command
}
