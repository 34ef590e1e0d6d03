package probitytest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Fault is what is done to a replica. Make it with [Hang], [Kill], [Slow], [Refuse] or [Unready].
//
// Slow, Refuse and Unready are put between a replica and who connects to it: probes over the
// network and requests through Services. A replica has one of these at a time: the last. The
// program knows nothing of them, so they last until they are undone, whatever restarts; and what
// Probity does not connect, such as an exec probe or a program that dials another Pod, is not
// touched.
type Fault struct {
	name string
	// begin does it, end undoes it.
	begin func(s *System, pod *corev1.Pod) (end func() error, err error)
}

// String is the fault's name.
func (f Fault) String() string { return f.name }

// Hang stops the processes of a replica, as by SIGSTOP: connections are accepted by the kernel and
// nothing answers. A restart cures it; Undo continues them.
func Hang() Fault {
	return Fault{"hang", func(s *System, pod *corev1.Pod) (func() error, error) {
		return func() error { return s.signal(pod, syscall.SIGCONT) }, s.signal(pod, syscall.SIGSTOP)
	}}
}

// Kill kills the processes of a replica, as by SIGKILL. There is nothing to undo.
func Kill() Fault {
	return Fault{"kill", func(s *System, pod *corev1.Pod) (func() error, error) {
		return nil, s.signal(pod, syscall.SIGKILL)
	}}
}

// Slow makes what a replica says come later by a time. A long answer, which is read in pieces, is
// late for each of them.
func Slow(by time.Duration) Fault {
	return Fault{"slow " + by.String(), func(s *System, pod *corev1.Pod) (func() error, error) {
		return s.diversions.put(pod.UID, newSlowness(by)), nil
	}}
}

// Refuse makes a replica refuse connections, as if nobody listened. Those that are open stay.
func Refuse() Fault {
	return Fault{"refuse", func(s *System, pod *corev1.Pod) (func() error, error) {
		r, err := newRefusal()
		if err != nil {
			return nil, err
		}
		return s.diversions.put(pod.UID, r), nil
	}}
}

// Unready makes the readiness probe of a replica fail: HTTP is answered with 503, for TCP and gRPC
// nobody listens. Requests and the other probes pass. The replica needs a readiness probe over the
// network.
func Unready() Fault {
	return Fault{"unready", func(s *System, pod *corev1.Pod) (func() error, error) {
		by, err := unreadinessOf(pod)
		if err != nil {
			return nil, err
		}
		return s.diversions.put(pod.UID, by), nil
	}}
}

// unreadinessOf is what the readiness probes of a Pod meet instead of it.
func unreadinessOf(pod *corev1.Pod) (by diversion, err error) {
	var http, others bool
	for _, c := range pod.Spec.Containers {
		if p := c.ReadinessProbe; p != nil && p.Exec == nil {
			http = http || p.HTTPGet != nil
			others = others || p.HTTPGet == nil
		}
	}
	switch {
	case others:
		by, err = newRefusal()
	case http:
		by, err = newUnavailable()
	default:
		err = errors.New("it has no readiness probe over the network")
	}
	return unreadiness{by}, err
}

// signal sends a signal to every container of a Pod that runs.
func (s *System) signal(pod *corev1.Pod, sig syscall.Signal) error {
	for _, status := range pod.Status.ContainerStatuses {
		if status.State.Running == nil {
			continue
		}
		if err := s.system.Signal(pod.Namespace, pod.Name, status.Name, sig); err != nil {
			return err
		}
	}
	return nil
}

// Injection is a fault in a replica. Its methods are for the goroutine of the test.
type Injection struct {
	// Pod is the replica as it was before.
	Pod *corev1.Pod
	// At is when the fault began.
	At     time.Time
	system *System
	fault  Fault
	undo   func() error
}

// Inject does something to the first replica of a workload that is Ready. It is undone with the end
// of the test at the latest.
func (s *System) Inject(workload string, fault Fault) *Injection {
	s.t.Helper()
	for _, pod := range s.Pods(workload) {
		if isReady(pod) && pod.DeletionTimestamp == nil {
			return s.InjectPod(pod, fault)
		}
	}
	s.t.Fatalf("cannot inject %v: no Pod of %s is Ready", fault, workload)
	return nil
}

// InjectPod does something to one Pod, which [System.Pods] has returned.
func (s *System) InjectPod(pod *corev1.Pod, fault Fault) *Injection {
	s.t.Helper()
	i := &Injection{Pod: pod, At: time.Now(), system: s, fault: fault}
	end, err := fault.begin(s, pod)
	if err != nil {
		s.t.Fatalf("cannot inject %v into Pod %s: %v", fault, pod.Name, err)
	}
	if end != nil {
		i.undo = sync.OnceValue(end)
		s.undo = append(s.undo, i.undo)
	}
	return i
}

// Undo ends the fault. It can be called again. For a fault that has nothing to undo, or a replica
// that is gone, it does nothing.
func (i *Injection) Undo() {
	i.system.t.Helper()
	if i.undo == nil {
		return
	}
	if err := i.undo(); err != nil && i.current() != nil {
		i.system.t.Errorf("cannot undo %v of Pod %s: %v", i.fault, i.Pod.Name, err)
	}
}

// Detected waits until the fault has a consequence and returns how long that took: the Pod is not
// Ready any more and gets no requests, or one of its containers was restarted, or the Pod is gone.
func (i *Injection) Detected() time.Duration {
	i.system.t.Helper()
	i.system.Wait(fmt.Sprintf("%v of Pod %s is detected", i.fault, i.Pod.Name), func() bool {
		pod := i.current()
		return pod == nil || restartsOf(pod) > restartsOf(i.Pod) || !isReady(pod) && !i.system.isRouted(pod)
	})
	return time.Since(i.At)
}

// Restarted waits until a container of the Pod was restarted, or the Pod is gone, and returns how
// long that took.
func (i *Injection) Restarted() time.Duration {
	i.system.t.Helper()
	i.system.Wait(fmt.Sprintf("Pod %s is restarted for %v", i.Pod.Name, i.fault), func() bool {
		pod := i.current()
		return pod == nil || restartsOf(pod) > restartsOf(i.Pod)
	})
	return time.Since(i.At)
}

// current is the Pod as it is, nil if it is gone.
func (i *Injection) current() *corev1.Pod {
	for _, pod := range i.system.Pods(i.Pod.Namespace + "/" + i.Pod.Name) {
		if pod.UID == i.Pod.UID {
			return pod
		}
	}
	return nil
}

func isReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}
