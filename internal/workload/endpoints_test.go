package workload

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestEndpointConditions(t *testing.T) { // O01 O07 R194–R196
	for _, tt := range []struct{ isReady, isDeleted, publish, ready, serving, terminating bool }{
		{true, false, false, true, true, false},
		{false, false, false, false, false, false},
		{true, true, false, false, true, true},
		{false, true, false, false, false, true},
		{false, false, true, true, false, false},
		{false, true, true, true, false, true},
		{true, true, true, true, true, true},
	} {
		pod := replica("a", -1)
		if tt.isReady {
			pod = replica("a", 0)
		}
		if tt.isDeleted {
			deleted(pod)
		}
		c := EndpointConditions(pod, tt.publish)
		if *c.Ready != tt.ready || *c.Serving != tt.serving || *c.Terminating != tt.terminating {
			t.Errorf("Ready %v, deleted %v, publish %v: %v/%v/%v, want %v/%v/%v", tt.isReady, tt.isDeleted, tt.publish, *c.Ready, *c.Serving, *c.Terminating, tt.ready, tt.serving, tt.terminating)
		}
	}
}

func TestIsEndpoint(t *testing.T) { // O02 O11 R193
	for name, tt := range map[string]struct {
		pod  *corev1.Pod
		want bool
	}{
		"ready":       {replica("a", 0), true},
		"not ready":   {replica("a", -1), true},
		"terminating": {replica("a", 0, deleted), true},
		"failed":      {replica("a", -1, inPhase(corev1.PodFailed)), false},
		"succeeded":   {replica("a", -1, inPhase(corev1.PodSucceeded)), false},
		"no address":  {replica("a", 0, func(p *corev1.Pod) { p.Status.PodIP = "" }), false},
	} {
		if got := IsEndpoint(tt.pod); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestEndpointPorts(t *testing.T) { // O12 R203
	exposing := func(name string, port int32, protocol corev1.Protocol) corev1.Container {
		return corev1.Container{Name: fmt.Sprint("c", port), Ports: []corev1.ContainerPort{{Name: name, ContainerPort: port, Protocol: protocol}}}
	}
	pod := replica("a", 0)
	pod.Spec.Containers = []corev1.Container{exposing("dns", 53, corev1.ProtocolUDP), exposing("http", 8080, "")}
	pod.Spec.InitContainers = []corev1.Container{exposing("plain", 1, ""), exposing("admin", 9000, "")}
	pod.Spec.InitContainers[1].RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
	private := map[int32]int32{8080: 41013, 9000: 41014}
	for name, tt := range map[string]struct {
		target   intstr.IntOrString
		protocol corev1.Protocol
		want     int32 // 0: missing
	}{
		"number":              {intstr.FromInt32(8080), "TCP", 41013},
		"undeclared number":   {intstr.FromInt32(7777), "TCP", 7777},
		"name":                {intstr.FromString("http"), "TCP", 41013},
		"name of a sidecar's": {intstr.FromString("admin"), "", 41014},
		"of a plain init":     {intstr.FromString("plain"), "TCP", 0},
		"unknown name":        {intstr.FromString("grpc"), "TCP", 0},
		"another protocol":    {intstr.FromString("dns"), "TCP", 0},
		"that protocol":       {intstr.FromString("dns"), "UDP", 53},
		"absent":              {intstr.IntOrString{}, "TCP", 80},
		"empty":               {intstr.FromString(""), "TCP", 80},
	} {
		ports, missing := EndpointPorts([]corev1.ServicePort{{Name: "web", Port: 80, TargetPort: tt.target, Protocol: tt.protocol}}, pod, private)
		if tt.want == 0 && (len(ports) != 0 || len(missing) != 1) || tt.want != 0 && (len(missing) != 0 || len(ports) != 1 || *ports[0].Port != tt.want || *ports[0].Name != "web") {
			t.Errorf("%s: %+v, missing %v, want %d", name, ports, missing, tt.want)
		}
	}
	other := replica("b", 0)
	other.Spec.Containers = []corev1.Container{exposing("http", 3000, "")}
	ports, _ := EndpointPorts([]corev1.ServicePort{{Port: 80, TargetPort: intstr.FromString("http")}}, other, nil)
	if *ports[0].Port != 3000 {
		t.Errorf("the name in another Pod: %d, want 3000", *ports[0].Port)
	}
}

// endpoint reads "a:ready", "a:serving", "a:serving,terminating", "a:terminating", "a" (neither) or
// "a:nil" (no conditions).
func endpoint(text string) discoveryv1.Endpoint {
	name, conditions, _ := strings.Cut(text, ":")
	e := discoveryv1.Endpoint{Addresses: []string{"127.0.0.1"}, TargetRef: &corev1.ObjectReference{Name: name, UID: types.UID(name)}}
	if conditions != "nil" {
		has := func(c string) *bool { return new(slices.Contains(strings.Split(conditions, ","), c)) }
		e.Conditions = discoveryv1.EndpointConditions{Ready: has("ready"), Serving: new(*has("ready") || *has("serving")), Terminating: has("terminating")}
	}
	return e
}

// sliced makes a slice per endpoint, as private ports do; "a@8080:ready" has a port of its own.
func sliced(text string) (all []*discoveryv1.EndpointSlice) {
	for i, word := range strings.Fields(text) {
		port := int32(40000 + i)
		name, rest, _ := strings.Cut(word, ":")
		if n, at, ok := strings.Cut(name, "@"); ok {
			name = n
			fmt.Sscan(at, &port)
		}
		all = append(all, &discoveryv1.EndpointSlice{Endpoints: []discoveryv1.Endpoint{endpoint(name + ":" + rest)}, Ports: []discoveryv1.EndpointPort{{Name: new("web"), Port: &port}}})
	}
	return all
}

func TestTiers(t *testing.T) {
	for name, tt := range map[string]struct{ endpoints, want string }{
		"O02 R197: only the ready ones":           {"a:ready b c:ready", "a c"},
		"O03 R198: none that terminates":          {"a:ready b:ready c:ready d:serving,terminating", "a b c"},
		"R198: the last resort":                   {"a:serving,terminating b c:terminating d:serving,terminating", "a d"},
		"R199: all or nothing":                    {"a:serving,terminating b:ready", "b"},
		"R198: serving, but neither":              {"a:serving", ""},
		"O06 R200: all not ready":                 {"a b", ""},
		"O07 R195: published":                     {"a:ready b:ready,terminating", "a b"},
		"O13 R197: without conditions":            {"a:nil b", "a"},
		"R203: listed twice":                      {"a@1:serving,terminating b@1:ready", "b"},
		"R203: listed twice, the other way round": {"b@1:ready a@1:serving,terminating", "b"},
		"R203: listed twice, the first of equals": {"a@1:ready b@1:ready", "a"},
		"another port is another endpoint":        {"a@1:ready b@2:ready", "a b"},
		"R200: none":                              {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			usable, terminating := Tiers(EndpointsOf(sliced(tt.endpoints), "web"))
			if len(usable) == 0 {
				usable = terminating
			}
			for _, e := range usable {
				got = append(got, e.Name)
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%s: %v, want %s", tt.endpoints, got, tt.want)
			}
		})
	}
	if all := EndpointsOf(sliced("a:ready"), "metrics"); len(all) != 0 {
		t.Errorf("of a port that nobody has: %v", all)
	}
}
