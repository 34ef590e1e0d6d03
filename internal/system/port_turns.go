package system

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/workload"
)

// startedPod is a Pod whose programs have been started, and whose turn it is to have its ports.
type startedPod struct {
	origin  workload.Origin
	program string // programKey, as it was at the first start
	ports   map[string][]int32
	turns   map[string]*workload.PortTurn // by container, as ports
	shown   []int32                       // the ports whose program was seen
	existed bool                          // the proxy has heard of it
}

// starting begins the turn of a container's program. It reports whether Services have to make room
// for it.
func (c *portClaims) starting(pod *corev1.Pod, container string) bool {
	st := c.startedPod(pod)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started[pod.UID] = st
	if len(st.ports[container]) == 0 {
		return false
	}
	if st.turns[container] == nil {
		st.turns[container] = &workload.PortTurn{Patience: c.patience}
	}
	st.turns[container].Start(time.Now())
	return c.isUnsureLocked(st, container)
}

// startedPod finds a Pod, or describes it, for which it looks at files.
func (c *portClaims) startedPod(pod *corev1.Pod) *startedPod {
	c.mu.Lock()
	st := c.started[pod.UID]
	c.mu.Unlock()
	if st != nil {
		return st
	}
	st = &startedPod{origin: c.originOf(pod), program: programKey(pod), ports: map[string][]int32{}, turns: map[string]*workload.PortTurn{}}
	for _, container := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		for _, p := range container.Ports {
			if isTCP(p) {
				st.ports[container.Name] = append(st.ports[container.Name], p.ContainerPort)
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if other := c.started[pod.UID]; other != nil {
		return other // another container of it was faster
	}
	c.started[pod.UID] = st
	return st
}

// notStarted takes a start back: the program had no turn.
func (c *portClaims) notStarted(pod *corev1.Pod, container string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if st := c.started[pod.UID]; st != nil {
		delete(st.turns, container)
	}
}

// ended ends the turn of a container's program. If it failed while Probity had a number that it was
// not seen on, it may have needed that at every address, whatever was noted of it before. It
// reports whether Services have to look at the claims again.
func (c *portClaims) ended(pod *corev1.Pod, container string, failed bool, held func(port int32) bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	st := c.started[pod.UID]
	if st == nil || st.turns[container] == nil {
		return false
	}
	unsure, refused, forgot := c.isUnsureLocked(st, container), false, false
	for _, port := range st.ports[container] {
		if failed && !slices.Contains(st.shown, port) && held(port) {
			refused = true
			forgot = c.forgetLocked(st.program, port) || forgot
		}
	}
	st.turns[container].End(refused)
	if forgot {
		c.writeLocked()
	}
	return unsure || forgot
}

// isUnsureLocked reports whether it is not known where a container's program listens.
func (c *portClaims) isUnsureLocked(st *startedPod, container string) bool {
	return slices.ContainsFunc(st.ports[container], func(port int32) bool {
		return !slices.Contains(st.shown, port) && !c.heedsLocked(st.origin, st.program, port)
	})
}

// hasTurnLocked reports whether a program that declares a port was started, of the version that is
// asked for.
func (c *portClaims) hasTurnLocked(d declaredPorts, port int32) bool {
	for _, st := range c.started {
		if st.origin != d.origin || st.program != d.program {
			continue
		}
		for container := range st.turns {
			if slices.Contains(st.ports[container], port) {
				return true
			}
		}
	}
	return false
}

// unseenLocked are a Pod's ports of which that is not known, and whether it is their turn.
func (c *portClaims) unseenLocked(st *startedPod, next *expiry) map[int32]bool {
	unseen := map[int32]bool{}
	for container, turn := range st.turns {
		for _, port := range st.ports[container] {
			if !slices.Contains(st.shown, port) && !c.heedsLocked(st.origin, st.program, port) {
				unseen[port] = next.isBefore(turn.Until()) || unseen[port]
			}
		}
	}
	return unseen
}

// expiry is until when claims are true: until the first of the times it was asked about.
type expiry struct {
	now  time.Time
	wait time.Duration // 0 for ever
}

// isBefore reports whether a time is still to come.
func (e *expiry) isBefore(t time.Time) bool {
	left := t.Sub(e.now)
	if left <= 0 {
		return false
	}
	if e.wait == 0 || left < e.wait {
		e.wait = left
	}
	return true
}

func isTCP(p corev1.ContainerPort) bool {
	return p.Protocol == corev1.ProtocolTCP || p.Protocol == ""
}

// podTraffic is the proxy as the node knows it, with the turns of the programs that it starts.
type podTraffic struct {
	*proxy.Proxy
	claims *portClaims
}

func (t podTraffic) Starting(pod *corev1.Pod, container string) {
	if t.claims.starting(pod, container) {
		t.MakeRoom()
	}
}

func (t podTraffic) NotStarted(pod *corev1.Pod, container string) {
	t.claims.notStarted(pod, container)
	t.ClaimsChanged()
}

func (t podTraffic) Ended(pod *corev1.Pod, container string, failed bool) {
	if t.claims.ended(pod, container, failed, t.HoldsPort) {
		t.ClaimsChanged()
	}
}
