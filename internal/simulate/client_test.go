package simulate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/simulate/simulatetest"
	"github.com/probity-run/probity/internal/workload"
)

// testClient notes what it is told of objects.
type testClient struct {
	requests []Request
	seen     []string
	say      func(object any) string // "" for what is of no interest
}

func (c *testClient) note(at time.Duration, change watch.EventType, object any) {
	if what := c.say(object); what != "" {
		c.seen = append(c.seen, fmt.Sprintf("%v %s %s", at, change, what))
	}
}

func (c *testClient) Requests() []Request { return c.requests }

func (c *testClient) PodChanged(at time.Duration, change watch.EventType, pod *corev1.Pod) {
	c.note(at, change, pod)
}

func (c *testClient) DeploymentChanged(at time.Duration, d *appsv1.Deployment) {
	c.note(at, watch.Modified, d)
}

func (c *testClient) ReplicaSetAdded(at time.Duration, name types.NamespacedName, owner metav1.OwnerReference) {
	c.note(at, watch.Added, name.Name+" of "+owner.Name)
}

func (c *testClient) EventAdded(at time.Duration, about corev1.ObjectReference, _, _, message string) {
	c.note(at, watch.Added, &corev1.Event{InvolvedObject: about, Message: message})
}

func (c *testClient) EndpointsChanged(at time.Duration, service types.NamespacedName, publishNotReady bool, pods []*corev1.Pod) {
	ready := 0
	for _, p := range pods {
		if *workload.EndpointConditions(p, publishNotReady).Ready {
			ready++
		}
	}
	c.note(at, watch.Modified, service.Name+fmt.Sprintf(" %d/%d", ready, len(pods)))
}

// watched lists what a client is told of the objects that say has words for.
func watched(t *testing.T, text string, requests []Request, horizon time.Duration, say func(object any) string) []string {
	t.Helper()
	c := &testClient{requests: requests, say: say}
	simulated(t, text, &script.Script{}, Options{
		Horizon: horizon, Client: c, Programs: func(*corev1.Pod, func() time.Duration) Programs { return failing{} },
	})
	return c.seen
}

// R162: a second deletion can only shorten the first one's grace. The Pod's last status comes
// before it is gone.
func TestClientDelete(t *testing.T) {
	requests := []Request{{At: 3 * time.Second, Pod: "web", Delete: &metav1.DeleteOptions{}}, {At: 4 * time.Second, Pod: "nobody", Delete: &metav1.DeleteOptions{}}}
	got := watched(t, simulatetest.PodWith("livenessProbe: {tcpSocket: {port: http}}"), requests, 20*time.Second, func(object any) string {
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

func TestClientCondition(t *testing.T) { // R107
	gated := strings.Replace(simulatetest.PodWith("readinessProbe: {tcpSocket: {port: http}}"), "spec:", "spec:\n  readinessGates: [{conditionType: example.com/x}]", 1)
	set := corev1.PodCondition{Type: "example.com/x", Status: corev1.ConditionTrue}
	ready := ""
	watched(t, gated, []Request{{At: 5 * time.Second, Pod: "web", Condition: &set}}, 10*time.Second, func(object any) string {
		if pod, ok := object.(*corev1.Pod); ok && ready == "" {
			if since, is := workload.ReadySince(pod); is {
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
func TestClientApply(t *testing.T) {
	next := simulatetest.Objects(t, strings.Replace(simulatetest.Deployment, "image: web", "image: web2", 1))[0].Resource.(*appsv1.Deployment)
	wider := next.DeepCopy()
	wider.Spec.Replicas = new(int32(4))
	next.Spec.Strategy.RollingUpdate.MaxSurge = new(intstr.FromInt32(0))
	next.Spec.Strategy.RollingUpdate.MaxUnavailable = new(intstr.FromInt32(3))
	requests := []Request{{At: 10 * time.Second, Apply: next}, {At: 30 * time.Second, Apply: wider}}
	got := watched(t, simulatetest.Deployment, requests, time.Minute, func(object any) string {
		switch o := object.(type) {
		case *corev1.Event:
			if o.InvolvedObject.Kind == "Deployment" {
				return o.Message
			}
		case string:
			if strings.Contains(o, " of ") {
				return o
			}
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

func TestClientEndpoints(t *testing.T) { // R193–R196
	got := watched(t, simulatetest.Deployment, nil, 10*time.Second, func(object any) string {
		if text, ok := object.(string); ok && strings.Contains(text, "/") {
			return text
		}
		return ""
	})
	if first, last := got[0], got[len(got)-1]; !strings.HasSuffix(first, "web 0/0") && !strings.HasSuffix(first, "web 0/3") || !strings.HasSuffix(last, "web 3/3") {
		t.Errorf("the endpoints are %q", got)
	}
}
