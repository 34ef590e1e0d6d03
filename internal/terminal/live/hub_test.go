package live

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/terminal/screen"
)

var noon = time.Date(2026, 11, 4, 12, 8, 31, 0, time.Local)

// webPod is a Pod of the Deployment web that runs for a minute and is not ready.
func webPod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: "web-5d8f-x2k9p", UID: "u1", Labels: map[string]string{"app": "web"}, CreationTimestamp: metav1.NewTime(noon.Add(-time.Minute)),
			Annotations:     map[string]string{node.AnnotationPID + "app": "4711", "probity.run/private-ports.app": "8080:41001"},
			OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "web-5d8f", Controller: new(true)}},
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "app", Image: "web", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
			Env: []corev1.EnvVar{{Name: "MODE", Value: "fast\x1b[2J"}, {Name: "KEY", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Key: "k"}}}},
			ReadinessProbe: &corev1.Probe{
				ProbeHandler:   corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/readyz", Port: intstr.FromInt32(8081)}},
				TimeoutSeconds: 1, PeriodSeconds: 2, FailureThreshold: 3, SuccessThreshold: 1,
			},
		}}},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: "127.0.0.1", Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "app", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(noon.Add(-time.Minute))}}}},
		},
	}
}

const refusal = `Get "http://127.0.0.1:8081/readyz": dial tcp 127.0.0.1:8081: connect: connection refused`

// filled is a hub that knows a Deployment with a Pod whose readiness probe finds nobody, its
// Service, and an Event.
func filled(t *testing.T) *hub {
	t.Helper()
	var recorder history.Recorder
	recorded := recorder.Add("u1")
	recorded.Started(history.Instance{Container: "app", Started: noon.Add(-time.Minute)})
	probe := recorded.Probe(history.Key{Container: "app", Type: "Readiness"}, history.Probing{Asks: "GET http://:8081/readyz", SuccessThreshold: 1, FailureThreshold: 3})
	for i := range 20 {
		recorded.Attempt(probe, history.Attempt{
			Time: noon.Add(time.Duration(i-20) * 2 * time.Second), Took: 100 * time.Microsecond, Outcome: history.Failed, Message: refusal, Run: i + 1, Failing: true, Result: history.Failing,
		}, history.Detail{Message: refusal, Total: 100 * time.Microsecond})
	}
	h := newHub(Run{
		Title: "app.yaml", History: recorder.Reader(),
		Listeners: func(context.Context, types.UID) (map[string][]netip.AddrPort, error) {
			return map[string][]netip.AddrPort{"app": {netip.MustParseAddrPort("127.0.0.1:41001")}}, nil
		},
		Place: func(_ *corev1.Pod, field string) string { return "app.yaml:17" },
		Traffic: func() proxy.State {
			return proxy.State{Ports: []proxy.PortState{{Service: types.NamespacedName{Namespace: "default", Name: "web"}, Port: 80, Requests: 12, InFlight: 1,
				Endpoints: []proxy.EndpointState{{Pod: types.NamespacedName{Namespace: "default", Name: "web-5d8f-x2k9p"}, UID: "u1", InFlight: 1, Address: "127.0.0.1:41001", Lost: 2}}}}}
		},
	})
	h.show(watch.Added, webPod())
	h.show(watch.Added, &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web-5d8f", OwnerReferences: []metav1.OwnerReference{{Kind: "Deployment", Name: "web", Controller: new(true)}}}})
	h.show(watch.Added, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web", Annotations: map[string]string{revisionAnnotation: "4"}}, Spec: appsv1.DeploymentSpec{Replicas: new(int32(3)), ProgressDeadlineSeconds: new(int32(600))},
		Status: appsv1.DeploymentStatus{UpdatedReplicas: 1, Replicas: 3, Conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Reason: "ReplicaSetUpdated", LastUpdateTime: metav1.NewTime(noon.Add(-time.Minute))}}},
	})
	h.show(watch.Added, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web", Annotations: map[string]string{manifest.AnnotationAddress + "80": "127.0.0.1:8080"}},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromString("http")}}},
	})
	h.show(watch.Added, &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web-1", Labels: map[string]string{discoveryv1.LabelServiceName: "web"}}, Ports: []discoveryv1.EndpointPort{{Name: new("http")}},
		Endpoints: []discoveryv1.Endpoint{{Conditions: discoveryv1.EndpointConditions{Ready: new(false)}}},
	})
	for i := range 3 {
		h.show(watch.Added, &corev1.Event{
			ObjectMeta: metav1.ObjectMeta{UID: types.UID(itoa(i))}, Type: "Warning", Reason: "Unhealthy", Message: "Readiness probe failed:\x1b[2J no", EventTime: metav1.NewMicroTime(noon.Add(time.Duration(i) * time.Second)),
			InvolvedObject: corev1.ObjectReference{Name: "web-5d8f-x2k9p", UID: "u1"},
		})
	}
	return h
}

func TestGather(t *testing.T) {
	h := filled(t)
	h.gather(noon) // what was recorded is known from here on
	h.look(t.Context(), noon)
	s := h.gather(noon)
	if len(s.Pods) != 1 {
		t.Fatalf("%d Pods", len(s.Pods))
	}
	p := s.Pods[0]
	d := p.Diagnosis
	for name, got := range map[string][2]string{
		"state":    {string(d.State), string(diagnosis.NotReady)},
		"check":    {d.Check, "never"},
		"reason":   {d.Reason, "connection refused · GET :8081/readyz · 20 attempts"},
		"so":       {d.So, "No request reaches it. Rollout 4 waits for it; it is given up in 9 min (progressDeadlineSeconds)."},
		"next":     {d.Next, "set readinessProbe.httpGet.port to http (app.yaml:17): the program listens on 8080 (here 41001), nothing on 8081."},
		"workload": {p.Workload, "Deployment/default/web"},
		"took":     {p.Took, "0.1 ms"},
		"port":     {p.Port, ":41001"},
		"at":       {p.At, "http 8080 at 127.0.0.1:41001 · pid 4711 · started 12:07:31"},
		"rollout":  {s.Workloads[0].Rollout, "rollout 4: 1 of 3 updated, waits for x2k9p"},
		"address":  {s.Services[0].Address, "127.0.0.1:8080"},
		"lost":     {s.Services[0].Lost, "2 lost"},
		"event":    {s.Events[0].Message, `Readiness probe failed:\u001b[2J no`},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %q, want %q", name, got[0], got[1])
		}
	}
	if len(s.Events) != 1 || s.Events[0].Count != 3 {
		t.Errorf("events %+v, want one of three", s.Events)
	}
	if svc := s.Services[0]; svc.Ready != 0 || svc.Total != 1 || svc.InFlight != 1 || len(svc.Endpoints) != 1 {
		t.Errorf("service %+v", svc)
	}
	h.show(watch.Deleted, webPod())
	if s := h.gather(noon); len(s.Pods) != 0 {
		t.Errorf("a Pod that is gone is shown: %+v", s.Pods)
	}
}

// TestDetails: a secret's value is marked as one, and nothing that a terminal obeys comes through.
func TestDetails(t *testing.T) {
	h := filled(t)
	h.gather(noon)
	d := h.details("u1", noon)
	if len(d.Attempts) != 20 || d.Attempts[0].Outcome != "refused" || d.Attempts[0].Counter != "20/3" && d.Attempts[0].Counter != "3/3" {
		t.Errorf("attempts %+v", d.Attempts[:1])
	}
	if len(d.Probes) != 1 || d.Probes[0].Asks != "GET /readyz · every 2 s · timeout 1 s · out after 3 · back after 1" {
		t.Errorf("probes %+v", d.Probes)
	}
	want := map[string]screen.Variable{"PORT": {Name: "PORT", Value: "41001"}, "MODE": {Name: "MODE", Value: `fast\u001b[2J`}, "KEY": {Name: "KEY", Secret: true, From: "Secret s, key k"}}
	for _, v := range d.Environment {
		if v != want[v.Name] {
			t.Errorf("variable %+v, want %+v", v, want[v.Name])
		}
	}
	if title, lines := h.exchange(webPod()); title != "last readiness attempt" || !strings.Contains(strings.Join(lines, "\n"), "> GET /readyz HTTP/1.1") {
		t.Errorf("exchange %q %q", title, lines)
	}
	if h.details("gone", noon) != nil {
		t.Error("details of a Pod that is gone")
	}
}

// TestRefusal: each refusal is another notice, and none is left when the file is right.
func TestRefusal(t *testing.T) {
	h := newHub(Run{})
	h.refuse("app.yaml:14 not applied: must be 1", "app.yaml:14 not applied", noon)
	first := h.allNotices()
	h.refuse("app.yaml:14 not applied: must be 1", "app.yaml:14 not applied", noon)
	second := h.allNotices()
	h.refuse("", "", noon)
	if len(first) != 1 || first[0].ID == second[0].ID || first[0].Role != screen.Bad || !strings.HasSuffix(first[0].Text, "save the file again.") {
		t.Errorf("notices %+v, %+v", first, second)
	}
	if left := h.allNotices(); len(left) != 0 {
		t.Errorf("left %+v", left)
	}
}

func TestSummary(t *testing.T) {
	h := filled(t)
	stopping := false
	h.run.Stopping, h.run.LogDir = func() bool { return stopping }, "/state/pods"
	h.started = noon.Add(-42 * time.Minute)
	pod := webPod()
	pod.Status.ContainerStatuses[0].RestartCount = 2
	pod.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 7, FinishedAt: metav1.NewTime(noon)}
	h.show(watch.Modified, pod)
	h.gather(noon)
	stopping = true
	h.gather(noon)
	h.show(watch.Deleted, pod)
	got := h.summary(noon.Add(1200*time.Millisecond), 80, Settings{Environ: func(string) (string, bool) { return "", false }})
	want := "probity: stopped after 42m, 1 Pod in 1.2 s, 2 requests lost\n  web            1 Pod  2 restarts, last 12:08:31 exit 7\n  logs: /state/pods\n"
	if got != want {
		t.Errorf("summary\n%swant\n%s", got, want)
	}
}
