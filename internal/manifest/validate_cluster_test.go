package manifest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// TestValidateClusterKinds has the API server's words for the kinds that no manifest holds.
func TestValidateClusterKinds(t *testing.T) {
	named := metav1.ObjectMeta{Name: "a"}
	in := func(namespace string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: "a", Namespace: namespace} }
	about := func(namespace string) corev1.ObjectReference {
		return corev1.ObjectReference{Kind: "Pod", Namespace: namespace}
	}
	at := metav1.NewMicroTime(time.Unix(1, 0))
	full := func(change func(*corev1.Event)) *corev1.Event {
		e := &corev1.Event{ObjectMeta: in("x"), InvolvedObject: about("y"), EventTime: at, ReportingController: "a.b/c", ReportingInstance: "i", Action: "Act", Reason: "Why"}
		change(e)
		return e
	}
	slice := func(change func(*discoveryv1.EndpointSlice)) *discoveryv1.EndpointSlice {
		s := &discoveryv1.EndpointSlice{
			ObjectMeta: named, AddressType: discoveryv1.AddressTypeIPv4, Ports: []discoveryv1.EndpointPort{{}, {Name: new("http")}},
			Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"127.0.0.1"}}},
		}
		change(s)
		return s
	}
	revision := func(data string) *appsv1.ControllerRevision {
		r := &appsv1.ControllerRevision{ObjectMeta: named}
		if data != "" {
			r.Data = runtime.RawExtension{Raw: []byte(data)}
		}
		return r
	}
	const mismatch = `involvedObject.namespace: Invalid value: "%s": does not match event.namespace`
	for name, tt := range map[string]struct {
		object Resource
		want   []string
	}{
		"Namespace":                {&corev1.Namespace{ObjectMeta: named, Spec: corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{"kubernetes", "a.b/c"}}}, nil},
		"Namespace in a namespace": {&corev1.Namespace{ObjectMeta: in("b")}, []string{"metadata.namespace: Forbidden: not allowed on this type"}},
		"Namespace with dots": {&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "a.b"}}, []string{
			`metadata.name: Invalid value: "a.b": must not contain dots`,
		}},
		"Namespace with a finalizer of its own": {&corev1.Namespace{ObjectMeta: named, Spec: corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{"mine"}}}, []string{
			`spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified`,
		}},
		"Node":                            {&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "a.b"}}, nil},
		"Node in a namespace":             {&corev1.Node{ObjectMeta: in("b")}, []string{"metadata.namespace: Forbidden: not allowed on this type"}},
		"Event":                           {&corev1.Event{ObjectMeta: in("x"), InvolvedObject: about("x")}, nil},
		"Event about a Node":              {&corev1.Event{ObjectMeta: in("default")}, nil},
		"Event with a name of its object": {&corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: "Web_1.17", Namespace: "x"}, InvolvedObject: about("x")}, nil},
		"Event elsewhere":                 {&corev1.Event{ObjectMeta: in("x"), InvolvedObject: about("y")}, []string{strings.Replace(mismatch, "%s", "y", 1)}},
		"Event about a Node, elsewhere":   {&corev1.Event{ObjectMeta: in("x")}, []string{strings.Replace(mismatch, "%s", "", 1)}},
		"new Event":                       {full(func(*corev1.Event) {}), nil},
		"new Event about a Node":          {full(func(e *corev1.Event) { e.InvolvedObject.Namespace = "" }), []string{strings.Replace(mismatch, "%s", "", 1)}},
		"new Event without a word": {full(func(e *corev1.Event) { e.ReportingController, e.ReportingInstance, e.Action, e.Reason = "", "", "", "" }), []string{
			"reportingComponent: Required value",
			`reportingComponent: Invalid value: "": name part must be non-empty`,
			`reportingComponent: Invalid value: "": name part must consist of`,
			"reportingInstance: Required value", "action: Required value", "reason: Required value",
		}},
		"new Event with too many": {full(func(e *corev1.Event) { e.Action, e.Message = strings.Repeat("a", 129), strings.Repeat("a", 1025) }), []string{
			`action: Invalid value: "": can have at most 128 characters`, `message: Invalid value: "": can have at most 1024 characters`,
		}},
		"EndpointSlice": {slice(func(*discoveryv1.EndpointSlice) {}), nil},
		"EndpointSlice, bad": {slice(func(s *discoveryv1.EndpointSlice) {
			s.AddressType, s.Ports[0].Name, s.Ports[0].Protocol, s.Endpoints[0].Addresses = "IPX", new("http"), new(corev1.Protocol("IPX")), nil
		}), []string{
			`addressType: Unsupported value: "IPX": supported values: "FQDN", "IPv4", "IPv6"`,
			`ports[0].protocol: Unsupported value: "IPX": supported values: "SCTP", "TCP", "UDP"`,
			`ports[1].name: Duplicate value: "http"`,
			"endpoints[0].addresses: Required value: must contain at least 1 address",
		}},
		"EndpointSlice without a type": {slice(func(s *discoveryv1.EndpointSlice) { s.AddressType, s.Ports[0].Name = "", new("A b") }), []string{
			"addressType: Required value", `ports[0].name: Invalid value: "A b": a lowercase RFC 1123 label must consist of`,
		}},
		"EndpointSlice, too many": {slice(func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Addresses = make([]string, 101) }), []string{
			"endpoints[0].addresses: Too many: 101: must have at most 100 items",
		}},
		"EndpointSlice, odd names": {slice(func(s *discoveryv1.EndpointSlice) {
			s.Ports[1].AppProtocol, s.Endpoints[0].NodeName, s.Endpoints[0].Hostname = new("a b"), new("A"), new("a.b")
		}), []string{
			`ports[1].appProtocol: Invalid value: "a b": name part must consist of`, `endpoints[0].nodeName: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of`,
			`endpoints[0].hostname: Invalid value: "a.b": must not contain dots`,
		}},
		"EndpointSlice, far too many": {slice(func(s *discoveryv1.EndpointSlice) { s.Endpoints = make([]discoveryv1.Endpoint, 1001) }), []string{
			"endpoints: Too many: 1001: must have at most 1000 items",
		}},
		"ControllerRevision":                {revision(`{"a":1}`), nil},
		"ControllerRevision without data":   {revision(""), []string{"data: Required value: data is mandatory"}},
		"ControllerRevision of null":        {revision("null"), []string{"data: Required value: data is mandatory"}},
		"ControllerRevision of a list":      {revision("[]"), []string{"data: Required value: data must be a valid JSON object"}},
		"ControllerRevision of broken data": {revision("{"), []string{`data: Invalid value: "<value omitted>": error parsing data: unexpected end of JSON input`}},
		"ControllerRevision -1": {&appsv1.ControllerRevision{ObjectMeta: named, Revision: -1, Data: revision("{}").Data}, []string{
			"revision: Invalid value: -1: must be greater than or equal to 0",
		}},
		"Lease": {&coordinationv1.Lease{ObjectMeta: named, Spec: coordinationv1.LeaseSpec{LeaseDurationSeconds: new(int32(15)), LeaseTransitions: new(int32(0))}}, nil},
		"Lease, bad": {&coordinationv1.Lease{ObjectMeta: named, Spec: coordinationv1.LeaseSpec{LeaseDurationSeconds: new(int32(0)), LeaseTransitions: new(int32(-1))}}, []string{
			"spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0", "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
		}},
		"Lease of a strategy": {&coordinationv1.Lease{ObjectMeta: named, Spec: coordinationv1.LeaseSpec{
			Strategy: new(coordinationv1.OldestEmulationVersion), PreferredHolder: new("me"),
		}}, nil},
		"Lease of another's strategy": {&coordinationv1.Lease{ObjectMeta: named, Spec: coordinationv1.LeaseSpec{Strategy: new(coordinationv1.CoordinatedLeaseStrategy("a.b/c"))}}, nil},
		"Lease of an unknown strategy": {&coordinationv1.Lease{ObjectMeta: named, Spec: coordinationv1.LeaseSpec{Strategy: new(coordinationv1.CoordinatedLeaseStrategy("Mine"))}}, []string{
			`spec.strategy.strategy: Unsupported value: "Mine": supported values: "OldestEmulationVersion"`,
		}},
		"Lease of a bad strategy": {&coordinationv1.Lease{ObjectMeta: named, Spec: coordinationv1.LeaseSpec{Strategy: new(coordinationv1.CoordinatedLeaseStrategy("/c"))}}, []string{
			`spec.strategy.strategy: Invalid value: "/c": prefix part must be non-empty`,
		}},
		"Lease with a wish and no strategy": {&coordinationv1.Lease{ObjectMeta: named, Spec: coordinationv1.LeaseSpec{PreferredHolder: new("me")}}, []string{
			"spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			Default(tt.object)
			var got []string
			for i, err := range Validate(tt.object) {
				line := err.Error()
				if i < len(tt.want) && strings.HasPrefix(line, tt.want[i]) {
					line = tt.want[i] // the rest is of the library that the API server has as well
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

// TestClusterKindsOnCreate: what the API server gives a new one.
func TestClusterKindsOnCreate(t *testing.T) {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Status: corev1.NamespaceStatus{Phase: corev1.NamespaceTerminating}}
	PrepareForCreate(namespace)
	Default(namespace)
	want := &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{"kubernetes.io/metadata.name": "a"}},
		Spec:       corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{"kubernetes"}}, Status: corev1.NamespaceStatus{Phase: "Active"},
	}
	if diff := cmp.Diff(want, namespace); diff != "" {
		t.Errorf("Namespace (-want +got):\n%s", diff)
	}
	PrepareForCreate(namespace)
	if len(namespace.Spec.Finalizers) != 1 {
		t.Errorf("finalizers = %v, want one", namespace.Spec.Finalizers)
	}
	changed := namespace.DeepCopy()
	changed.Spec.Finalizers = nil
	if PrepareForUpdate(namespace, changed); len(changed.Spec.Finalizers) != 1 {
		t.Error("an update takes the finalizer away")
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Status: corev1.NodeStatus{Capacity: corev1.ResourceList{"cpu": resource.MustParse("2")}}}
	PrepareForCreate(node)
	Default(node)
	if got := node.Status.Allocatable["cpu"]; node.Namespace != "" || got.String() != "2" {
		t.Errorf("Node = %+v, want no namespace and all of it allocatable", node)
	}
}

// TestPrepareServiceForUpdate: what a Service was given stays as long as its type has it.
func TestPrepareServiceForUpdate(t *testing.T) {
	old := &corev1.Service{Spec: corev1.ServiceSpec{
		Type: corev1.ServiceTypeNodePort, ClusterIP: "127.0.0.5", ClusterIPs: []string{"127.0.0.5"}, HealthCheckNodePort: 30002,
		Ports: []corev1.ServicePort{{Port: 80, Protocol: "TCP", NodePort: 30000}, {Port: 80, Protocol: "UDP", NodePort: 30001}},
	}}
	for name, tt := range map[string]struct {
		change func(*corev1.ServiceSpec)
		want   func(*corev1.ServiceSpec)
	}{
		"says nothing": {func(*corev1.ServiceSpec) {}, func(s *corev1.ServiceSpec) { *s = *old.Spec.DeepCopy() }},
		"the ports swapped, and a new one": {
			func(s *corev1.ServiceSpec) {
				s.Ports = []corev1.ServicePort{{Port: 80, Protocol: "UDP"}, {Port: 81, Protocol: "TCP"}, {Port: 80, Protocol: "TCP"}}
			},
			func(s *corev1.ServiceSpec) {
				s.Ports = []corev1.ServicePort{{Port: 80, Protocol: "UDP", NodePort: 30001}, {Port: 81, Protocol: "TCP"}, {Port: 80, Protocol: "TCP", NodePort: 30000}}
			},
		},
		"another address": {
			func(s *corev1.ServiceSpec) { s.ClusterIP = "127.0.0.6" },
			func(s *corev1.ServiceSpec) { s.ClusterIP, s.ClusterIPs = "127.0.0.6", nil },
		},
		"no node ports any more": {
			func(s *corev1.ServiceSpec) { s.Type = corev1.ServiceTypeClusterIP },
			func(s *corev1.ServiceSpec) {
				s.Type, s.HealthCheckNodePort = corev1.ServiceTypeClusterIP, 0
				s.Ports = []corev1.ServicePort{{Port: 80, Protocol: "TCP"}, {Port: 80, Protocol: "UDP"}}
			},
		},
		"no address any more": {
			func(s *corev1.ServiceSpec) {
				*s = corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "a"}
			},
			func(s *corev1.ServiceSpec) {
				*s = corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "a"}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := &corev1.Service{Spec: corev1.ServiceSpec{
				Type: corev1.ServiceTypeNodePort, Ports: []corev1.ServicePort{{Port: 80, Protocol: "TCP"}, {Port: 80, Protocol: "UDP"}},
			}}
			tt.change(&got.Spec)
			want := old.DeepCopy()
			tt.want(&want.Spec)
			PrepareForUpdate(old, got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Service (-want +got):\n%s", diff)
			}
		})
	}
}
