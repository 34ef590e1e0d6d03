package view

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/node"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func meta(name string, owner ...metav1.OwnerReference) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: "default", Name: name, UID: types.UID(name), OwnerReferences: owner, CreationTimestamp: metav1.NewTime(noon.Add(-90 * time.Second)),
		Labels: map[string]string{"app": strings.SplitN(name, "-", 2)[0]}, Generation: 1,
	}
}

// running is a Pod with a readiness probe and one container, which runs.
func running(name string, ready bool, owner ...metav1.OwnerReference) corev1.Pod {
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	return corev1.Pod{
		ObjectMeta: meta(name, owner...),
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "app", Command: []string{"./web", "\x1b[2J"}, Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
			ReadinessProbe: &corev1.Probe{
				ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/readyz", Port: intstr.FromString("http")}},
				PeriodSeconds: 1, TimeoutSeconds: 1, FailureThreshold: 3, SuccessThreshold: 1,
			},
		}}},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: "127.84.0.1",
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: status, LastTransitionTime: metav1.NewTime(noon.Add(-20 * time.Second))}},
			ContainerStatuses: []corev1.ContainerStatus{{
				Name: "app", Ready: ready, Started: new(true),
				State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(noon.Add(-90 * time.Second))}},
			}},
		},
	}
}

// shop is a Deployment of two Pods, one of which is not ready any more, and a Pod that crashes.
func shop() *kube.Snapshot {
	ofSet := metav1.OwnerReference{Kind: "ReplicaSet", Name: "web-1", UID: "web-1", Controller: new(true)}
	crashed := corev1.ContainerStateTerminated{ExitCode: 7, StartedAt: metav1.NewTime(noon.Add(-5 * time.Second)), FinishedAt: metav1.NewTime(noon.Add(-4 * time.Second))}
	crash := running("crash", false)
	crash.Status.ContainerStatuses[0] = corev1.ContainerStatus{
		Name: "app", RestartCount: 2, LastTerminationState: corev1.ContainerState{Terminated: &crashed},
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 20s restarting failed container=app"}},
	}
	service := corev1.Service{ObjectMeta: meta("web"), Spec: corev1.ServiceSpec{
		Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromString("http")}, {Port: 9000}},
	}}
	service.Annotations = map[string]string{"probity.run/address.80": "127.64.0.1:80", "probity.run/address.9000": "127.64.0.1:9000"}
	return &kube.Snapshot{
		Services: []corev1.Service{service, {ObjectMeta: meta("lost")}},
		Deployments: []appsv1.Deployment{{
			ObjectMeta: meta("web"), Spec: appsv1.DeploymentSpec{Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}},
			Status: appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 2, UpdatedReplicas: 2, AvailableReplicas: 1},
		}},
		ReplicaSets: []appsv1.ReplicaSet{{ObjectMeta: meta("web-1", metav1.OwnerReference{Kind: "Deployment", Name: "web", UID: "web", Controller: new(true)})}},
		Pods:        []corev1.Pod{running("web-1-b", false, ofSet), running("web-1-a", true, ofSet), crash},
		Reports: []node.ProbeReport{{ObjectMeta: meta("web-1-b"), Probes: []node.ProbeRecord{{
			Container: "app", Type: lifecycle.Readiness, Outcome: "failure", Output: "HTTP probe failed with statuscode: 503",
			Latency: 2 * time.Millisecond, Time: metav1.NewMicroTime(noon), Result: lifecycle.ResultFailure, Run: 20, Threshold: 3,
		}}}},
	}
}

func words() LastWords { return LastWords{{"default/crash", "app"}: "cannot reach \x1b[31mpostgres"} }

func TestOverview(t *testing.T) {
	rows := Overview(shop(), words(), noon)
	want := `NAME            STATE      READY  RESTARTS  AGE    ADDRESS
service/lost    Not ready  0/0              1m30s  it has no selector, so it has no Pods
service/web     Ready      1/2              1m30s  http://127.64.0.1:80, 127.64.0.1:9000
deployment/web  Not ready  1/2    0         1m30s
  pod/web-1-a   Ready      1/1    0         1m30s
  pod/web-1-b   Not ready  0/1    0         1m30s  HTTP 503 · GET /readyz · out of rotation for 20 s
pod/crash       Back-off   0/1    2         1m30s  exit 7 after 1 s · starts again in 0:16 · “cannot reach postgres”
`
	if diff := cmp.Diff(want, Text(rows, noon, 0)); diff != "" {
		t.Errorf("overview (-want +got):\n%s", diff)
	}
	if got, want := Summary(rows), "1 of 3 Pods ready"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
}

// TestNarrow: on a terminal that is too narrow, the last cell of a row has a line of its own.
func TestNarrow(t *testing.T) {
	got := Table([][]string{{"NAME", "WHY"}, {"pod/a", "short"}, {"pod/日本", "longer than it may be"}}, 24)
	want := "NAME      WHY\npod/a     short\npod/日本\n    longer than it may be\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

// TestDescribe: what is said of a Pod, a workload and a Service; nothing that a terminal obeys.
func TestDescribe(t *testing.T) {
	s := shop()
	event := corev1.Event{
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: "crash"}, Type: "Warning", Reason: "BackOff", Message: "Back-off\nrestarting", Count: 3,
		FirstTimestamp: metav1.NewTime(noon.Add(-time.Minute)), LastTimestamp: metav1.NewTime(noon.Add(-4 * time.Second)),
	}
	for name, parts := range map[string][]string{
		"pod/crash": {
			"Name:           pod/crash\n", "State:          Back-off\n", "Why:            exit 7 after 1 s, twice in a row. Last words: “cannot reach postgres”\n",
			"So:             Starts again in 0:16; after the next crash it waits 40 s.\n", "probity logs crash shows all it wrote.\n",
			"    Program:    ./web \\u001b[2J\n", "    Before:     exit 7 at ", "    Readiness:  GET :8080/readyz every 1 s, timeout 1 s, fails after 3\n",
			"Events:\n  LAST SEEN", "  4s (x3 over 1m00s)  Warning  BackOff  pod/crash  Back-off restarting\n",
		},
		"pod/web-1-b": {
			"State:          Not ready\n", "Workload:       deployment/web\n", "Services:       web\n",
			"; last failure in 2.0 ms (3/3): HTTP probe failed with statuscode: 503\n", "    Now:        runs since ",
		},
		"deployment/web": {"State:          Not ready\nReplicas:       2 desired, 2 updated, 1 available\n", "Pods:\n  NAME", "  pod/web-1-b  Not ready"},
		"service/web":    {"Address:        http://127.64.0.1:80, 127.64.0.1:9000\n", "Port:           http 80/TCP to http of its Pods\n", "Selector:       app=web\n"},
	} {
		o, err := s.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		d := Description{Snapshot: s, Object: o, Words: words(), Now: noon}
		if name == "pod/crash" {
			d.Events = []*corev1.Event{&event}
		}
		text := d.Text()
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("%s does not say %q:\n%s", name, part, text)
			}
		}
		if strings.Contains(text, "\x1b") {
			t.Errorf("%s has an escape sequence: %q", name, text)
		}
	}
}

func TestRolloutStatus(t *testing.T) {
	deployment := func(generation int64, status appsv1.DeploymentStatus) *appsv1.Deployment {
		return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web", Generation: generation}, Spec: appsv1.DeploymentSpec{Replicas: new(int32(3))}, Status: status}
	}
	set := func(status appsv1.StatefulSetStatus, partition int32) *appsv1.StatefulSet {
		return &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "db", Generation: 1}, Status: status, Spec: appsv1.StatefulSetSpec{
			Replicas: new(int32(2)), UpdateStrategy: appsv1.StatefulSetUpdateStrategy{RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: &partition}},
		}}
	}
	daemons := func(status appsv1.DaemonSetStatus) *appsv1.DaemonSet {
		status.ObservedGeneration, status.DesiredNumberScheduled = 1, 3
		return &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Name: "agent", Generation: 1}, Status: status}
	}
	unseen, byHand := daemons(appsv1.DaemonSetStatus{}), daemons(appsv1.DaemonSetStatus{})
	unseen.Generation, byHand.Spec.UpdateStrategy.Type = 2, appsv1.OnDeleteDaemonSetStrategyType
	stuck := appsv1.DeploymentStatus{ObservedGeneration: 1, Conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Reason: "ProgressDeadlineExceeded"}}}
	for name, test := range map[string]struct {
		object metav1.Object
		want   string // the text, or that of the error
		done   bool
	}{
		"not seen yet":    {deployment(2, appsv1.DeploymentStatus{ObservedGeneration: 1}), "Waiting for deployment spec update to be observed...", false},
		"new Pods":        {deployment(1, appsv1.DeploymentStatus{ObservedGeneration: 1, UpdatedReplicas: 1}), `Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated...`, false},
		"old Pods":        {deployment(1, appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 4, UpdatedReplicas: 3}), `Waiting for deployment "web" rollout to finish: 1 old replicas are pending termination...`, false},
		"not available":   {deployment(1, appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 3, UpdatedReplicas: 3, AvailableReplicas: 1}), `Waiting for deployment "web" rollout to finish: 1 of 3 updated replicas are available...`, false},
		"done":            {deployment(1, appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 3, UpdatedReplicas: 3, AvailableReplicas: 3}), `deployment "web" successfully rolled out`, true},
		"stuck":           {deployment(1, stuck), `deployment "web" exceeded its progress deadline`, false},
		"a set":           {set(appsv1.StatefulSetStatus{ObservedGeneration: 1, ReadyReplicas: 1}, 0), "Waiting for 1 pods to be ready...", false},
		"a set that roll": {set(appsv1.StatefulSetStatus{ObservedGeneration: 1, ReadyReplicas: 2, UpdatedReplicas: 1, CurrentRevision: "a", UpdateRevision: "b"}, 0), "waiting for statefulset rolling update to complete 1 pods at revision b...", false},
		"a set done":      {set(appsv1.StatefulSetStatus{ObservedGeneration: 1, ReadyReplicas: 2, CurrentReplicas: 2, CurrentRevision: "b", UpdateRevision: "b"}, 0), "statefulset rolling update complete 2 pods at revision b...", true},
		"a partition":     {set(appsv1.StatefulSetStatus{ObservedGeneration: 1, ReadyReplicas: 2, UpdatedReplicas: 1}, 1), "partitioned roll out complete: 1 new pods have been updated...", true},
		"daemons unseen":  {unseen, "Waiting for daemon set spec update to be observed...", false},
		"daemons roll":    {daemons(appsv1.DaemonSetStatus{UpdatedNumberScheduled: 1}), `Waiting for daemon set "agent" rollout to finish: 1 out of 3 new pods have been updated...`, false},
		"daemons start":   {daemons(appsv1.DaemonSetStatus{UpdatedNumberScheduled: 3, NumberAvailable: 2}), `Waiting for daemon set "agent" rollout to finish: 2 of 3 updated pods are available...`, false},
		"daemons done":    {daemons(appsv1.DaemonSetStatus{UpdatedNumberScheduled: 3, NumberAvailable: 3}), `daemon set "agent" successfully rolled out`, true},
		"daemons by hand": {byHand, `rollout status is only available for RollingUpdate strategy type, and daemonset "agent" has OnDelete`, false},
		"a Pod":           {&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web"}}, "web has no rollouts: that takes a Deployment, a StatefulSet or a DaemonSet", false},
	} {
		text, done, err := RolloutStatus(test.object)
		if err != nil {
			text = err.Error()
		}
		if text != test.want || done != test.done {
			t.Errorf("%s: %q, done %v; want %q", name, text, done, test.want)
		}
	}
}

func TestWrapped(t *testing.T) {
	for text, want := range map[string]string{
		"short":                             "short",
		"one two three four five six seven": "one two three four|five six seven",
		"a-word-that-is-longer-than-the-width and": "a-word-that-is-longer-than-the-width|and",
		"日本語日本語 日本語日本語 日本語":                        "日本語日本語|日本語日本語 日本語",
	} {
		if got := strings.Join(wrapped(text, 20), "|"); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if got := wrapped("not wrapped, as nobody knows how wide it is", -16); len(got) != 1 {
		t.Errorf("without a width: %q", got)
	}
}

// TestSilence: where a server tells nothing of what probes found, a sign stands for it.
func TestSilence(t *testing.T) {
	s := shop()
	s.Reports, s.Silent = nil, true
	pod := &s.Pods[0]
	text := (&Description{Snapshot: s, Object: pod, Now: noon}).Text()
	if !strings.Contains(text, "fails after 3; last –\n") {
		t.Errorf("described as\n%s", text)
	}
}
