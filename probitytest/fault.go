package probitytest

import (
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// Fault is what is done to a replica. Make it with [Hang], [Kill], [Slow], [Refuse] or [Unready].
//
// Slow, Refuse and Unready are put between a replica and who connects to it: probes over the
// network and requests through Services. They are the annotation probity.run/fault of the Pod, so
// kubectl can begin and end them as well, and Events FaultInjected and FaultEnded tell of them. A
// replica has one of these at a time: the last. The program knows nothing of them, so they last
// until they are undone, whatever restarts; and what Probity does not connect, such as an exec
// probe or a program that dials another Pod, is not touched.
type Fault struct {
	name string
	// value is that of the annotation, of a fault that is one.
	value string
	// signal is sent to the processes, and undoing ends what it does; 0 if nothing does.
	signal, undoing syscall.Signal
}

// String is the fault's name.
func (f Fault) String() string { return f.name }

// Hang stops the processes of a replica, as by SIGSTOP: connections are accepted by the kernel and
// nothing answers. A restart cures it; Undo continues them.
func Hang() Fault { return Fault{name: "hang", signal: syscall.SIGSTOP, undoing: syscall.SIGCONT} }

// Kill kills the processes of a replica, as by SIGKILL. There is nothing to undo.
func Kill() Fault { return Fault{name: "kill", signal: syscall.SIGKILL} }

// Slow makes everything that a replica says come later by a time, which is above 0 and at most ten
// minutes. A TCP probe does not notice it: it waits for no answer.
func Slow(by time.Duration) Fault {
	fault := manifest.Fault{Kind: manifest.FaultSlow, Delay: by}
	return Fault{name: "slow " + by.String(), value: fault.String()}
}

// Refuse makes a replica refuse connections, as if nobody listened. Those that are open stay.
func Refuse() Fault { return annotated(manifest.FaultRefuse) }

// Unready makes the readiness probe of a replica fail: HTTP is answered with 503, for TCP and gRPC
// nobody listens. Requests and the other probes pass. The replica needs a readiness probe over the
// network.
func Unready() Fault { return annotated(manifest.FaultUnready) }

func annotated(kind manifest.FaultKind) Fault { return Fault{name: string(kind), value: string(kind)} }

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
	if err := i.begin(); err != nil {
		s.t.Fatalf("cannot inject %v into Pod %s: %v", fault, pod.Name, err)
	}
	return i
}

// begin does it and notes what undoes it.
func (i *Injection) begin() error {
	s := i.system
	if i.fault.value == "" {
		if i.fault.undoing != 0 {
			i.undoBy(func() error { return s.signal(i.Pod, i.fault.undoing) })
		}
		return s.signal(i.Pod, i.fault.signal)
	}
	err := s.system.SetFault(i.Pod, i.fault.value)
	if err == nil {
		s.last[i.Pod.UID] = i
		i.undoBy(i.removeAnnotation)
	}
	return err
}

func (i *Injection) undoBy(undo func() error) {
	i.undo = sync.OnceValue(undo)
	i.system.undo = append(i.system.undo, i.undo)
}

// removeAnnotation ends the fault unless another one has taken its place.
func (i *Injection) removeAnnotation() error {
	if i.system.last[i.Pod.UID] != i {
		return nil
	}
	return i.system.system.SetFault(i.Pod, "")
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
