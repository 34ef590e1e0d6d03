package lines

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/proxy"
)

// stage plays changes to a Reporter in virtual time and collects what it says.
type stage struct {
	t        *testing.T
	reporter *Reporter
	now      time.Time
	begin    time.Time
	said     []string
	version  int
	words    string // what containers printed last
}

func newStage(t *testing.T, plain bool) *stage {
	s := &stage{t: t, begin: time.Date(2026, 1, 1, 12, 0, 0, 0, time.Local)}
	s.now = s.begin
	s.reporter = New(Options{
		Plain: plain,
		Line: func(l Line) {
			s.said = append(s.said, fmt.Sprintf("%.1f %s %s: %s", l.Time.Sub(s.begin).Seconds(), l.Word, l.Object, l.Text))
		},
		Note:       func(text string) { s.said = append(s.said, "note "+text) },
		LastOutput: func(*corev1.Pod, string, int) (string, error) { return s.words, nil },
	})
	return s
}

// at moves the clock, through every deadline on the way.
func (s *stage) at(seconds float64) {
	to := s.begin.Add(time.Duration(seconds * float64(time.Second)))
	for {
		next := s.reporter.Deadline()
		if next.IsZero() || next.After(to) {
			break
		}
		s.now = next
		s.reporter.Tick(s.now)
		if again := s.reporter.Deadline(); !again.IsZero() && !again.After(s.now) {
			s.t.Fatalf("after a Tick at %v the deadline is %v", s.now, again)
		}
	}
	s.now = to
}

func (s *stage) show(change watch.EventType, o runtime.Object) {
	s.t.Helper()
	if err := s.reporter.Object(change, o, s.now); err != nil {
		s.t.Fatal(err)
	}
}

// pod shows the example Pod after a change.
func (s *stage) pod(pod *corev1.Pod, change func(*corev1.Pod)) {
	change(pod)
	s.show(watch.Modified, pod.DeepCopy())
}

func (s *stage) event(pod *corev1.Pod, container, eventType, reason, message string) {
	s.version++
	s.show(watch.Added, &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: "e", ResourceVersion: fmt.Sprint(s.version)},
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, FieldPath: "spec.containers{" + container + "}"},
		Type:           eventType, Reason: reason, Message: message, EventTime: metav1.NewMicroTime(s.now), Source: corev1.EventSource{Component: "kubelet"},
	})
}

func (s *stage) fails(pod *corev1.Pod, t lifecycle.ProbeType, output string) {
	s.reporter.Attempt(Attempt{Pod: pod.UID, Container: "app", Probe: t, Time: s.now, Outcome: Failed, Output: output}, s.now)
}

func (s *stage) passes(pod *corev1.Pod, t lifecycle.ProbeType) {
	s.reporter.Attempt(Attempt{Pod: pod.UID, Container: "app", Probe: t, Time: s.now, Outcome: Succeeded}, s.now)
}

func (s *stage) want(lines ...string) {
	s.t.Helper()
	if diff := cmp.Diff(strings.Join(lines, "\n"), strings.Join(s.said, "\n")); diff != "" {
		s.t.Errorf("(-want +said)\n%s", diff)
	}
}

func examplePod(name string) *corev1.Pod {
	get := func(path string) corev1.ProbeHandler {
		return corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromString("http")}}
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(name), Labels: map[string]string{"app": "web"}, Annotations: map[string]string{
			node.AnnotationPID + "app": "48122", "probity.run/private-ports.app": "8080:37121",
		}},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyAlways,
			Containers: []corev1.Container{{
				Name: "app", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
				ReadinessProbe: &corev1.Probe{ProbeHandler: get("/readyz"), TimeoutSeconds: 1, FailureThreshold: 1},
				LivenessProbe:  &corev1.Probe{ProbeHandler: get("/livez"), TimeoutSeconds: 1, FailureThreshold: 3},
			}},
		},
		Status: corev1.PodStatus{PodIP: "127.0.0.1", Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{{
			Name: "app", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}},
		}}},
	}
}

func running(instance string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		c := &p.Status.ContainerStatuses[0]
		p.Status.Phase, c.ContainerID, c.Ready = corev1.PodRunning, instance, false
		c.LastTerminationState = corev1.ContainerState{Terminated: c.State.Terminated}
		c.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
		setReady(p, false)
	}
}

func ready(is bool) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Status.ContainerStatuses[0].Ready = is; setReady(p, is) }
}

func setReady(p *corev1.Pod, is bool) {
	status := corev1.ConditionFalse
	if is {
		status = corev1.ConditionTrue
	}
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}
}

func ended(instance string, code int32, phase corev1.PodPhase) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		c := &p.Status.ContainerStatuses[0]
		p.Status.Phase, c.Ready = phase, false
		c.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ContainerID: instance, ExitCode: code, Reason: "Error"}}
		setReady(p, false)
	}
}

const (
	refused = `Get "http://127.0.0.1:37121/readyz": dial tcp 127.0.0.1:37121: connect: connection refused`
	slow    = `Get "http://127.0.0.1:37121/livez": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`
)

// TestHealthyStart: refusals before the first success are no failures, and are told as a wait at 5,
// 15 and 60 s and then each minute.
func TestHealthyStart(t *testing.T) {
	s, p := newStage(t, false), examplePod("web-1")
	s.pod(p, func(*corev1.Pod) {})
	s.at(0.1)
	s.pod(p, running("a"))
	for i := range 127 {
		s.at(float64(i + 1))
		s.fails(p, lifecycle.Readiness, refused)
		s.fails(p, lifecycle.Liveness, refused)
	}
	s.at(128)
	s.passes(p, lifecycle.Readiness)
	s.pod(p, ready(true))
	s.at(1000)
	s.want(
		"0.1 Started pod/web-1: pid 48122, http 8080 at 127.0.0.1:37121",
		"5.1 Waiting pod/web-1: not ready after 5 s: connection refused · GET :8080/readyz · 5 attempts",
		"15.1 Waiting pod/web-1: not ready after 15 s: connection refused · GET :8080/readyz · 15 attempts",
		"60.1 Waiting pod/web-1: not ready after 60 s: connection refused · GET :8080/readyz · 60 attempts",
		"120.1 Waiting pod/web-1: not ready after 120 s: connection refused · GET :8080/readyz · 120 attempts",
		"128.0 Ready pod/web-1: 2m07s after its start",
	)
}

// TestHang: what the specification shows of a Pod that hangs, is restarted and comes back.
func TestHang(t *testing.T) {
	s, p, other := newStage(t, false), examplePod("web-1"), examplePod("web-2")
	s.show(watch.Added, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"}}})
	for _, p := range []*corev1.Pod{p, other} {
		s.pod(p, running("a-"+p.Name))
		s.passes(p, lifecycle.Liveness)
		s.passes(p, lifecycle.Readiness)
		s.pod(p, ready(true))
	}
	s.said = nil
	s.at(10)
	s.fails(p, lifecycle.Readiness, slow)
	s.pod(p, ready(false))
	for i := range 2 {
		s.at(11 + float64(i))
		s.fails(p, lifecycle.Liveness, slow)
		s.fails(p, lifecycle.Readiness, slow)
	}
	s.at(12.5)
	s.passes(p, lifecycle.Liveness)
	for i := range 3 {
		s.at(13 + float64(i))
		s.fails(p, lifecycle.Liveness, slow)
	}
	s.event(p, "app", "Normal", "Killing", "Container app failed liveness probe, will be restarted")
	s.at(16)
	s.words = "SIGQUIT: quit\n\n"
	s.pod(p, ended("a-web-1", 137, corev1.PodRunning))
	s.pod(p, running("b-web-1"))
	s.at(17)
	s.passes(p, lifecycle.Readiness)
	s.pod(p, ready(true))
	s.want(
		"10.0 NotReady pod/web-1: timeout 1 s · GET /readyz · 1/1; out of service/web, 1 of 2 left",
		"11.0 Failing pod/web-1: timeout 1 s · GET /livez · 1/3",
		"13.0 Failing pod/web-1: timeout 1 s · GET /livez · 1/3",
		"15.0 Restart pod/web-1: timeout 1 s · GET /livez · 3/3; SIGTERM, up to 30 s",
		`16.0 Exited pod/web-1: exit 137 after 16 s: "SIGQUIT: quit"`,
		"16.0 Started pod/web-1: pid 48122, http 8080 at 127.0.0.1:37121",
		"17.0 Ready pod/web-1: again, after 7.0 s",
	)
}

// TestCrashLoop: each end with its last words, and when the next start is.
func TestCrashLoop(t *testing.T) {
	s, p := newStage(t, false), examplePod("worker-0")
	s.pod(p, running("a"))
	s.at(0.2)
	s.words = "FATAL cannot reach postgres\x1b[0m"
	s.pod(p, ended("a", 7, corev1.PodRunning))
	p.Status.ContainerStatuses[0].RestartCount = 6
	s.pod(p, func(p *corev1.Pod) {
		c := &p.Status.ContainerStatuses[0]
		c.LastTerminationState = c.State
		c.LastTerminationState.Terminated.FinishedAt = metav1.NewTime(s.now)
		c.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
			Reason: "CrashLoopBackOff", Message: "back-off 40s restarting failed container=app pod=worker-0_default(x)",
		}}
	})
	s.pod(p, func(*corev1.Pod) {}) // nothing is told twice
	s.at(6)
	s.want(
		"0.0 Started pod/worker-0: pid 48122, http 8080 at 127.0.0.1:37121",
		`0.2 Exited pod/worker-0: exit 7 after 0.2 s: "FATAL cannot reach postgres\x1b[0m"`,
		"0.2 BackOff pod/worker-0: starts again in 40 s (8th start)",
		`5.0 Waiting pod/worker-0: not ready after 5 s: exit 7 after 0.2 s · starts again in 0:35 · "FATAL cannot reach postgres\x1b[0m"`,
	)
}

// TestEnds: Pods that end by themselves, and by deletion.
func TestEnds(t *testing.T) {
	for name, test := range map[string]struct {
		plain  bool
		change []func(*corev1.Pod)
		want   []string
	}{
		"it succeeds": {false, []func(*corev1.Pod){ended("a", 0, corev1.PodSucceeded)}, []string{"1.0 Complete pod/job: exit 0 after 1.0 s"}},
		"it fails":    {false, []func(*corev1.Pod){ended("a", 3, corev1.PodFailed)}, []string{"1.0 Exited pod/job: exit 3 after 1.0 s; it printed nothing; it is not started again"}},
		"it is deleted": {false, []func(*corev1.Pod){func(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.Now()) }, ended("a", 143, corev1.PodRunning), ended("a", 143, corev1.PodFailed)},
			nil},
		"it is deleted, plain": {true, []func(*corev1.Pod){func(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.Now()) }, ended("a", 0, corev1.PodSucceeded)},
			[]string{"1.0 Stopping pod/job: up to 30 s"}},
		"it has to be killed": {false, []func(*corev1.Pod){func(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.Now()) }, ended("a", 137, corev1.PodRunning)},
			[]string{"1.0 Exited pod/job: exit 137 after 1.0 s; it printed nothing"}},
		"it cannot be started": {false, []func(*corev1.Pod){ended("a", 128, corev1.PodRunning), func(p *corev1.Pod) {
			end := p.Status.ContainerStatuses[0].State.Terminated
			end.ContainerID, end.Reason, end.Message = "b", "StartError", "no such\nfile"
		}}, []string{"1.0 Exited pod/job: exit 128 after 1.0 s; it printed nothing", "1.0 Exited pod/job: cannot be started: no such file"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := newStage(t, test.plain), examplePod("job")
			s.pod(p, running("a"))
			s.said = nil
			s.at(1)
			for _, change := range test.change {
				s.pod(p, change)
			}
			s.show(watch.Deleted, p)
			s.at(1000)
			s.want(test.want...)
		})
	}
}

// TestWorkloads: a line when a workload is complete, and one when it is not any more.
func TestWorkloads(t *testing.T) {
	s := newStage(t, false)
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "d"}, Spec: appsv1.DeploymentSpec{Replicas: new(int32(3))}}
	for i, counts := range [][3]int32{{0, 0, 0}, {3, 3, 2}, {3, 3, 3}, {3, 3, 3}, {3, 3, 2}, {3, 3, 3}, {4, 1, 3}} {
		s.at(float64(i))
		d.Status = appsv1.DeploymentStatus{Replicas: counts[0], UpdatedReplicas: counts[1], AvailableReplicas: counts[2]}
		s.show(watch.Modified, d.DeepCopy())
	}
	d.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Message: `ReplicaSet "web-1" has timed out progressing.`}}
	s.show(watch.Modified, d.DeepCopy())
	owned := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-1", UID: "r", OwnerReferences: []metav1.OwnerReference{{Controller: new(true)}}}}
	s.show(watch.Added, owned)
	s.want(
		"2.0 Ready shop/deployment/web: 3/3",
		"4.0 NotReady shop/deployment/web: 2/3",
		"5.0 Ready shop/deployment/web: 3/3",
		"6.0 NotReady shop/deployment/web: 3/3, 1 of 3 updated",
		`6.0 Failing shop/deployment/web: 3/3, 1 of 3 updated: ReplicaSet "web-1" has timed out progressing.`,
	)
}

// TestLost: what got no answer, once in ten seconds, and all of it at the end.
func TestLost(t *testing.T) {
	s := newStage(t, false)
	s.show(watch.Added, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}})
	counted := func(failed, lost, aborted uint64, ready bool) {
		port := proxy.PortState{Service: types.NamespacedName{Namespace: "default", Name: "web"}, Port: 80, Failed: failed}
		if ready {
			port.Endpoints = []proxy.EndpointState{{Pod: types.NamespacedName{Name: "web-1"}, UID: "u", Lost: lost, Failures: map[string]uint64{"aborted": aborted}}}
		}
		s.reporter.Traffic(proxy.State{Ports: []proxy.PortState{port}}, s.now)
	}
	counted(0, 0, 0, true)
	s.at(1)
	counted(1, 2, 1, true) // one broke before its answer, one during it
	s.at(2)
	counted(2, 0, 0, false) // nobody was there
	s.at(3)
	counted(4, 0, 0, false)
	s.at(20)
	counted(5, 0, 0, false)
	s.at(21)
	s.reporter.Stopped(s.now)
	s.want(
		"1.0 Lost service/web: 2 requests: 2 reset by web-1",
		"11.0 Lost service/web: 3 requests: 3 no ready Pod",
		"21.0 Lost service/web: 1 request: 1 no ready Pod",
		"21.0 Stopped : 0 Pods in 0 ms, 6 requests lost",
	)
}

// TestNotes: Warnings that no line tells are passed on once for each Pod; what others wrote in them
// is shown, not obeyed.
func TestNotes(t *testing.T) {
	s, p := newStage(t, false), examplePod("web-1")
	s.pod(p, running("a"))
	s.said = nil
	for range 2 {
		s.event(p, "app", "Warning", "ProbeWarning", "Liveness probe warning: \x1b[2Jmoved")
		s.event(p, "app", "Warning", "ProbeWarning", "Liveness probe warning: moved to elsewhere") // told already
		s.event(p, "app", "Warning", "ProbeWarning", "Readiness probe warning: moved")
		s.event(p, "app", "Warning", "BackOff", "x")
		s.event(p, "app", "Normal", "Pulled", "x")
	}
	s.event(p, "app", "Warning", "PortMismatch", "The readiness probe asks port 8080, where nothing of the Pod listens; it listens on 9000: let them name one port")
	s.at(5)
	s.reporter.Unready(s.now)
	s.want(
		`note pod/web-1: ProbeWarning: Liveness probe warning: \u001b[2Jmoved`,
		`note pod/web-1: ProbeWarning: Readiness probe warning: moved`,
		"note pod/web-1: PortMismatch: The readiness probe asks port 8080, where nothing of the Pod listens; it listens on 9000: let them name one port",
		"5.0 Waiting pod/web-1: not ready after 5 s: no readiness attempt yet · GET /readyz",
		"5.0 Waiting pod/web-1: not ready after 5 s: no readiness attempt yet · GET /readyz",
	)
}

// TestMissed: what comes once more is told once, and what does not come is not waited for.
func TestMissed(t *testing.T) {
	s, p, lost := newStage(t, false), examplePod("web-1"), examplePod("lost")
	s.pod(p, running("a"))
	s.pod(lost, running("b"))
	s.said = nil
	s.reporter.Missed()
	s.show(watch.Added, p)
	s.at(6)
	s.reporter.Stopped(s.now)
	s.want(
		"5.0 Waiting pod/web-1: not ready after 5 s: no readiness attempt yet · GET /readyz",
		"6.0 Stopped : 1 Pod in 0 ms, 0 requests lost",
	)
}
