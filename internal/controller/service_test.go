package controller

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// service selects app=web and leads to the port named http.
func service(change ...func(*corev1.Service)) *corev1.Service {
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", Labels: map[string]string{"team": "shop"}}}
	s.Spec.Selector = map[string]string{"app": "web"}
	s.Spec.Ports = []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromString("http")}}
	for _, c := range change {
		c(s)
	}
	return s
}

// exposing gives the Pods a port named http.
func exposing(d *appsv1.Deployment) {
	d.Spec.Template.Spec.Containers[0].Ports = []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}
}

func TestEndpointSlices(t *testing.T) { // O01 O02 R193–R197
	inCluster(t, func(w *cluster) {
		w.behave("v1", behaviour{readyAfter: 2 * time.Second, stopsAfter: 5 * time.Second})
		created := create(w, service())
		create(w, deployment(2, exposing))
		w.wait(time.Second)
		w.want("not ready yet", w.endpoints("web"), "40001, 40002")
		w.wait(2 * time.Second)
		w.want("ready", w.endpoints("web"), "40001 ready serving, 40002 ready serving")
		for _, slice := range w.slices("web") {
			pod := slice.Endpoints[0].TargetRef
			want := &discoveryv1.EndpointSlice{
				TypeMeta: metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"},
				ObjectMeta: metav1.ObjectMeta{
					Namespace: "default", Labels: map[string]string{
						"kubernetes.io/service-name": "web", "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io", "team": "shop",
					},
					GenerateName: "web-", OwnerReferences: []metav1.OwnerReference{{
						APIVersion: "v1", Kind: "Service", Name: "web", UID: created.UID, Controller: new(true), BlockOwnerDeletion: new(true),
					}},
				},
				AddressType: discoveryv1.AddressTypeIPv4,
				Endpoints: []discoveryv1.Endpoint{{
					Addresses: []string{"127.0.0.1"}, NodeName: new(nodeName), Conditions: slice.Endpoints[0].Conditions,
					TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: "default", Name: pod.Name, UID: get[*corev1.Pod](w, pod.Name).UID},
				}},
				Ports: []discoveryv1.EndpointPort{{Name: new("http"), Protocol: new(corev1.ProtocolTCP), Port: slice.Ports[0].Port}},
			}
			got := slice.DeepCopy()
			got.Name, got.UID, got.ResourceVersion, got.Generation, got.CreationTimestamp = "", "", "", 0, metav1.Time{}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		}
		modify(w, "web", func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(1)) })
		w.wait(time.Second)
		if got := w.endpoints("web"); got != "40001 ready serving, 40002 serving terminating" && got != "40001 serving terminating, 40002 ready serving" {
			t.Errorf("one terminating: %s", got)
		}
		w.wait(5 * time.Second)
		if n := len(w.slices("web")); n != 1 {
			t.Errorf("%d slices for one Pod", n)
		}
		modify(w, "web", func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(0)) })
		w.wait(time.Minute)
		if all := w.slices("web"); len(all) != 1 || len(all[0].Endpoints)+len(all[0].Ports) != 0 {
			t.Errorf("of no Pod: %+v, want one empty slice", all)
		}
		if warnings := slices.Concat(w.events("SelectorMatchesNothing"), w.events("UnknownTargetPort")); len(warnings) != 0 {
			t.Errorf("warnings: %v", warnings)
		}
		if err := store.Delete[*corev1.Service](w.store, "default", "web", store.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		w.wait(0)
		if n := len(w.slices("web")); n != 0 {
			t.Errorf("%d slices of a Service that is gone", n)
		}
	})
}

func TestPublishNotReady(t *testing.T) { // O07 R195
	inCluster(t, func(w *cluster) {
		w.behave("v1", behaviour{readyAfter: -1, stopsAfter: 5 * time.Second})
		create(w, service(func(s *corev1.Service) { s.Spec.PublishNotReadyAddresses = true }))
		create(w, deployment(1, exposing))
		w.wait(time.Second)
		w.want("not ready", w.endpoints("web"), "40001 ready")
		modify(w, "web", func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(0)) })
		w.wait(time.Second)
		w.want("terminating", w.endpoints("web"), "40001 ready terminating")
		modify(w, "web", func(s *corev1.Service) { s.Spec.PublishNotReadyAddresses = false })
		w.wait(0)
		w.want("not published any more", w.endpoints("web"), "40001 terminating")
	})
}

// O11 O12 R193 R203: Pods that nobody made, with ports of different numbers under one name
func TestPodsOfTheirOwn(t *testing.T) {
	inCluster(t, func(w *cluster) {
		create(w, service(func(s *corev1.Service) {
			s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: "metrics", Port: 90, TargetPort: intstr.FromInt32(9999)})
		}))
		for name, port := range map[string]int32{"a": 8080, "b": 3000} {
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "web"}}, Spec: template().Spec}
			pod.Spec.Containers[0].Ports = []corev1.ContainerPort{{Name: "http", ContainerPort: port}}
			manifest.Default(pod)
			if _, err := store.Create(w.store, pod); err != nil { // of another node
				t.Fatal(err)
			}
		}
		w.wait(0)
		w.want("without an address", w.endpoints("web"), "")
		for _, pod := range list[*corev1.Pod](w) {
			w.setReady(pod, true, behaviour{})
		}
		w.wait(0)
		w.want("ports", w.endpoints("web"), "3000+9999 ready serving, 8080+9999 ready serving")
		w.setReady(get[*corev1.Pod](w, "a"), true, behaviour{ends: true})
		w.wait(0)
		w.want("a finished", w.endpoints("web"), "3000+9999 ready serving")
		modify(w, "b", func(p *corev1.Pod) {
			p.Annotations = map[string]string{manifest.AnnotationPrivatePorts + "app": "3000:40001"}
		})
		w.wait(0)
		w.want("a private port", w.endpoints("web"), "40001+9999 ready serving")
		modify(w, "b", func(p *corev1.Pod) {
			p.Annotations = map[string]string{manifest.AnnotationPrivatePorts + "app": "3000:x"}
		})
		w.wait(0)
		w.want("an annotation that cannot be read", w.endpoints("web"), "3000+9999 ready serving")
		modify(w, "b", func(p *corev1.Pod) { p.Labels = nil })
		w.wait(0)
		w.want("not selected any more", w.endpoints("web"), "")
	})
}

func TestServicesLeftAlone(t *testing.T) {
	inCluster(t, func(w *cluster) {
		own := create(w, &discoveryv1.EndpointSlice{
			ObjectMeta:  metav1.ObjectMeta{Name: "mine", Namespace: "default", Labels: map[string]string{discoveryv1.LabelServiceName: "by-hand"}},
			AddressType: discoveryv1.AddressTypeIPv4,
		})
		create(w, service(func(s *corev1.Service) { s.Name, s.Spec.Selector = "by-hand", nil }))
		create(w, service(func(s *corev1.Service) {
			s.Name, s.Spec.Type, s.Spec.ExternalName = "elsewhere", corev1.ServiceTypeExternalName, "example.com"
		}))
		create(w, service(func(s *corev1.Service) {
			s.Name, s.Spec.ClusterIP, s.Spec.Ports = "headless", corev1.ClusterIPNone, nil
		}))
		create(w, deployment(1, exposing))
		w.wait(time.Second)
		if all := w.slices("by-hand"); len(all) != 1 || all[0].ResourceVersion != own.ResourceVersion {
			t.Errorf("the slices of a Service without a selector: %v", all)
		}
		if n := len(w.slices("elsewhere")); n != 0 {
			t.Errorf("%d slices of an ExternalName", n)
		}
		all := w.slices("headless")
		if len(all) != 1 || len(all[0].Endpoints) != 1 || !maps.Equal(all[0].Labels, map[string]string{
			"team": "shop", "service.kubernetes.io/headless": "", discoveryv1.LabelServiceName: "headless", discoveryv1.LabelManagedBy: managedBy,
		}) {
			t.Errorf("the slices of a headless Service: %+v", all)
		}
	})
}

func TestMendedSlice(t *testing.T) { // what others do to our slices is undone
	inCluster(t, func(w *cluster) {
		create(w, service())
		create(w, deployment(1, exposing))
		w.wait(time.Second)
		slice := w.slices("web")[0]
		modify(w, slice.Name, func(s *discoveryv1.EndpointSlice) { s.Endpoints = nil })
		w.wait(0)
		w.want("emptied", w.endpoints("web"), "40001 ready serving")
		if err := store.Delete[*discoveryv1.EndpointSlice](w.store, "default", slice.Name, store.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		w.wait(0)
		w.want("deleted", w.endpoints("web"), "40001 ready serving")
	})
}

func TestComplaints(t *testing.T) {
	inCluster(t, func(w *cluster) {
		create(w, service(func(s *corev1.Service) { s.Spec.Ports[0].TargetPort = intstr.FromString("htp") }))
		create(w, service(func(s *corev1.Service) { s.Name, s.Spec.Selector = "lost", map[string]string{"app": "wbe"} }))
		create(w, deployment(2, exposing))
		w.wait(time.Minute)
		if got := w.events("UnknownTargetPort"); len(got) != 1 || !strings.Contains(got[0], `targetPort "htp" of port 80`) || !strings.Contains(got[0], "they have http (8080/TCP)") {
			t.Errorf("%q, want one about htp", got)
		}
		if got := w.events("SelectorMatchesNothing"); len(got) != 1 || !strings.Contains(got[0], "app=wbe") {
			t.Errorf("%q, want one about app=wbe", got)
		}
		w.want("pods", w.pods(), "v1:2")
		modify(w, "web", func(s *corev1.Service) { s.Spec.Ports[0].TargetPort = intstr.FromString("http") })
		w.wait(time.Second)
		w.want("mended", w.endpoints("web"), "40001 ready serving, 40002 ready serving")
		modify(w, "web", func(s *corev1.Service) { s.Spec.Ports[0].TargetPort = intstr.FromString("htp") })
		w.wait(time.Minute)
		if got := w.events("UnknownTargetPort"); len(got) != 2 {
			t.Errorf("%d Events, want another one when it is wrong again", len(got))
		}
	})
}

// Ports of one number and two protocols are told apart.
func TestComplaintsByProtocol(t *testing.T) {
	inCluster(t, func(w *cluster) {
		create(w, service(func(s *corev1.Service) {
			s.Spec.Ports = []corev1.ServicePort{
				{Name: "tcp", Port: 80, Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromString("htp")},
				{Name: "udp", Port: 80, Protocol: corev1.ProtocolUDP, TargetPort: intstr.FromString("http")},
			}
		}))
		create(w, deployment(1, exposing))
		w.wait(time.Minute)
		var names []string
		for _, e := range w.events("UnknownTargetPort") {
			name, _, _ := strings.Cut(e, " of port")
			names = append(names, name)
		}
		slices.Sort(names)
		w.want("complaints", strings.Join(names, ", "), `targetPort "htp", targetPort "http"`)
	})
}

// A Service that is written before its Pods is no mistake.
func TestServiceBeforeItsPods(t *testing.T) {
	inCluster(t, func(w *cluster) {
		create(w, service())
		w.wait(settle / 2)
		w.behave("v1", behaviour{readyAfter: -1})
		create(w, deployment(1, exposing))
		w.wait(time.Hour)
		if got := slices.Concat(w.events("SelectorMatchesNothing"), w.events("UnknownTargetPort")); len(got) != 0 {
			t.Errorf("%q", got)
		}
	})
}

func TestManyEndpoints(t *testing.T) { // R203
	inCluster(t, func(w *cluster) {
		create(w, service())
		create(w, deployment(250)) // no port of its own: the name is unknown, and all are alike
		w.wait(time.Second)
		var sizes []int
		for _, s := range w.slices("web") {
			sizes = append(sizes, len(s.Endpoints))
		}
		slices.Sort(sizes)
		w.want("sizes", fmt.Sprint(sizes), "[50 100 100]")
	})
}
