package simulate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// played lists what somebody who watches saw of one kind of object.
func played(t *testing.T, text string, steps []Step, horizon time.Duration, say func(runtime.Object) string) (seen []string) {
	t.Helper()
	p := Play{
		Steps:   steps,
		Service: func(*corev1.Pod, func() time.Duration) Service { return &Replies{Stopped: Ending{After: time.Second}} },
		See: func(at time.Duration, change watch.EventType, object runtime.Object) {
			if what := say(object); what != "" {
				seen = append(seen, fmt.Sprintf("%v %s %s", at, change, what))
			}
		},
	}
	if _, err := p.Run(parsed(t, text), Options{Horizon: horizon}); err != nil {
		t.Fatal(err)
	}
	return seen
}

// R162: a second deletion can only shorten the first one's grace. The Pod's last status comes
// before it is gone.
func TestPlayDelete(t *testing.T) {
	steps := []Step{{At: 3 * time.Second, Delete: "web"}, {At: 4 * time.Second, Delete: "nobody"}}
	got := played(t, podWith("livenessProbe: {tcpSocket: {port: http}}"), steps, 20*time.Second, func(object runtime.Object) string {
		if pod, ok := object.(*corev1.Pod); ok {
			return fmt.Sprint(pod.Status.Phase, " ", pod.DeletionTimestamp != nil)
		}
		return ""
	})
	want := []string{
		"0s ADDED Pending false", "0s MODIFIED Pending false", "0s MODIFIED Running false", "3s MODIFIED Running true", "3s MODIFIED Running true",
		"4s MODIFIED Succeeded true", "4s DELETED Succeeded true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPlayCondition(t *testing.T) { // R107
	gated := strings.Replace(podWith("readinessProbe: {tcpSocket: {port: http}}"), "spec:", "spec:\n  readinessGates: [{conditionType: example.com/x}]", 1)
	set := corev1.PodCondition{Type: "example.com/x", Status: corev1.ConditionTrue}
	ready := ""
	played(t, gated, []Step{{At: 5 * time.Second, Pod: "web", Condition: set}}, 10*time.Second, func(object runtime.Object) string {
		if pod, ok := object.(*corev1.Pod); ok && ready == "" {
			if since, is := lifecycle.ReadySince(pod); is {
				ready = since.Sub(epoch()).String()
			}
		}
		return ""
	})
	if ready != "5s" {
		t.Errorf("ready after %q, want 5s", ready)
	}
}

// A Deployment that is applied rolls if its template differs, and never speaks of a ReplicaSet that
// was scaled from 0 to 0.
func TestPlayApply(t *testing.T) {
	next := parsed(t, strings.Replace(deployed, "image: web", "image: web2", 1))[0].Resource
	wider := next.DeepCopyObject().(*appsv1.Deployment)
	wider.Spec.Replicas = new(int32(4))
	next.(*appsv1.Deployment).Spec.Strategy.RollingUpdate.MaxSurge = new(intstr.FromInt32(0))
	next.(*appsv1.Deployment).Spec.Strategy.RollingUpdate.MaxUnavailable = new(intstr.FromInt32(3))
	steps := []Step{{At: 10 * time.Second, Apply: next}, {At: 30 * time.Second, Apply: wider}}
	got := played(t, deployed, steps, time.Minute, func(object runtime.Object) string {
		switch o := object.(type) {
		case *corev1.Event:
			if o.InvolvedObject.Kind == "Deployment" {
				return o.Message
			}
		case *appsv1.ReplicaSet:
			return o.Name + " of " + o.OwnerReferences[0].Name
		}
		return ""
	})
	want := []string{
		"0s ADDED web-rev1 of web", "0s ADDED Scaled up replica set web-rev1 from 0 to 3",
		"10s ADDED web-rev2 of web", "10s ADDED Scaled down replica set web-rev1 from 3 to 0", "10s ADDED Scaled up replica set web-rev2 from 0 to 3",
		"30s ADDED Scaled up replica set web-rev2 from 3 to 4",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPlayEndpoints(t *testing.T) { // R193–R196
	got := played(t, deployed, nil, 10*time.Second, func(object runtime.Object) string {
		slice, ok := object.(*discoveryv1.EndpointSlice)
		if !ok {
			return ""
		}
		ready := 0
		for _, e := range slice.Endpoints {
			if *e.Conditions.Ready {
				ready++
			}
		}
		return fmt.Sprintf("%s %d/%d", slice.Labels[discoveryv1.LabelServiceName], ready, len(slice.Endpoints))
	})
	if first, last := got[0], got[len(got)-1]; !strings.HasSuffix(first, "web 0/0") && !strings.HasSuffix(first, "web 0/3") || !strings.HasSuffix(last, "web 3/3") {
		t.Errorf("the endpoints are %q", got)
	}
}

// R47, R76, R95: what cannot be evaluated counts for nothing, in one of two wordings; to gRPC it is
// a failure.
func TestSays(t *testing.T) {
	web := &corev1.Container{Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}}
	http := func(port intstr.IntOrString) *corev1.Probe {
		return &corev1.Probe{TimeoutSeconds: 1, ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: port, Scheme: "HTTP"}}}
	}
	exec := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"/no"}}}}
	grpc := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: 9}}}
	for _, c := range []struct {
		probe   *corev1.Probe
		reply   script.Reply
		outcome lifecycle.Outcome
		text    string
	}{
		{http(intstr.FromString("http")), script.Reply{}, lifecycle.OutcomeSuccess, ""},
		{http(intstr.FromString("8081")), script.Reply{Kind: script.ReplyRefused}, lifecycle.OutcomeFailure, "127.0.0.1:8081: connect: connection refused"},
		{http(intstr.FromString("nope")), script.Reply{}, lifecycle.OutcomeErrorUnknown, `strconv.Atoi: parsing "nope": invalid syntax`},
		{http(intstr.FromInt32(8080)), script.Reply{Kind: script.ReplyError}, lifecycle.OutcomeErrorFailure, "unexpected EOF"},
		{exec, script.Reply{Kind: script.ReplyError}, lifecycle.OutcomeErrorUnknown, "cannot start"},
		{grpc, script.Reply{Kind: script.ReplyError}, lifecycle.OutcomeFailure, "health rpc probe failed"},
	} {
		if outcome, text := Says(web, c.probe, c.reply); outcome != c.outcome || !strings.Contains(text, c.text) {
			t.Errorf("%+v: %v %q, want %v %q", c.reply, outcome, text, c.outcome, c.text)
		}
	}
}

// E06: a port that nobody declared never kills and never makes ready, and skipping over calm times
// does not pass over it.
func TestPortThatNobodyDeclared(t *testing.T) {
	text := podWith("livenessProbe: {tcpSocket: {port: nope}, periodSeconds: 1, failureThreshold: 1}\nreadinessProbe: {httpGet: {port: nope}, periodSeconds: 1}")
	r := simulated(t, text, &script.Script{}, Options{Horizon: time.Minute})
	if r.Summary.Restarts != 0 || r.Summary.AllReady != nil {
		t.Errorf("%d restarts, ready %v, want none and never", r.Summary.Restarts, r.Summary.AllReady)
	}
	if got := r.Summary.Loops[0].Verdict; got != LoopSafe {
		t.Errorf("the restart loop is %s, want %s", got, LoopSafe)
	}
	errors := 0
	for _, e := range r.Timeline.Entries() {
		if e.Probe != nil && e.Probe.Outcome == "error" {
			errors++
		}
	}
	if errors < 2*55*3 { // two probes, a second apart, tried three times each (R26)
		t.Errorf("%d attempts were errors", errors)
	}
}
