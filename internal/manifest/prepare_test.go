package manifest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestPrepareMetaForUpdate: what an API server lets nobody change without a word stays, and what it
// refuses is left to the validation.
func TestPrepareMetaForUpdate(t *testing.T) {
	at := metav1.NewTime(time.Date(2026, 11, 29, 1, 2, 3, 0, time.UTC))
	later := metav1.NewTime(at.Add(time.Hour))
	live := metav1.ObjectMeta{Name: "a", Namespace: "default", UID: "1", Generation: 3, CreationTimestamp: at}
	going := live
	going.DeletionTimestamp, going.DeletionGracePeriodSeconds = &at, new(int64(30))
	for name, tt := range map[string]struct {
		old     metav1.ObjectMeta
		change  func(*metav1.ObjectMeta)
		refused int // errors
	}{
		"nothing left out":      {live, func(*metav1.ObjectMeta) {}, 0},
		"only what people know": {live, func(m *metav1.ObjectMeta) { *m = metav1.ObjectMeta{Name: "a", Namespace: "default"} }, 0},
		"only that, and it is being deleted": {going, func(m *metav1.ObjectMeta) {
			*m = metav1.ObjectMeta{Name: "a", Namespace: "default"}
		}, 0},
		"other times":              {going, func(m *metav1.ObjectMeta) { m.CreationTimestamp, m.DeletionTimestamp, m.Generation = later, &later, 9 }, 0},
		"another UID":              {live, func(m *metav1.ObjectMeta) { m.UID = "2" }, 1},
		"a deletion":               {live, func(m *metav1.ObjectMeta) { m.DeletionTimestamp, m.DeletionGracePeriodSeconds = &at, new(int64(0)) }, 2},
		"another grace period":     {going, func(m *metav1.ObjectMeta) { m.DeletionGracePeriodSeconds = new(int64(1)) }, 1},
		"another name":             {live, func(m *metav1.ObjectMeta) { m.Name, m.Namespace = "b", "other" }, 2},
		"a finalizer, too late":    {going, func(m *metav1.ObjectMeta) { m.Finalizers = []string{"x/y"} }, 1},
		"both kinds of finalizers": {live, func(m *metav1.ObjectMeta) { m.Finalizers = []string{"orphan", "foregroundDeletion"} }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			old := &corev1.ConfigMap{ObjectMeta: tt.old}
			updated := old.DeepCopy()
			tt.change(&updated.ObjectMeta)
			PrepareForUpdate(old, updated)
			if errs := append(ValidateUpdate(old, updated), Validate(updated)...); len(errs) != tt.refused {
				t.Errorf("errors %v, want %d", errs, tt.refused)
			}
			if diff := cmp.Diff(tt.old, updated.ObjectMeta); tt.refused == 0 && diff != "" {
				t.Errorf("metadata (-want +got):\n%s", diff)
			}
		})
	}
}

// TestServiceOfAnotherType: what its old type had goes, as long as the writer does not speak of it.
func TestServiceOfAnotherType(t *testing.T) {
	spec := func(serviceType corev1.ServiceType, change ...func(*corev1.ServiceSpec)) corev1.ServiceSpec {
		s := corev1.ServiceSpec{Type: serviceType, Ports: []corev1.ServicePort{{Port: 80}}}
		for _, c := range change {
			c(&s)
		}
		defaultService(&s)
		return s
	}
	address := func(s *corev1.ServiceSpec) {
		s.ClusterIP, s.ClusterIPs = "127.0.0.5", []string{"127.0.0.5"}
		s.IPFamilies, s.IPFamilyPolicy = []corev1.IPFamily{"IPv4"}, new(corev1.IPFamilyPolicySingleStack)
	}
	nodePort := func(s *corev1.ServiceSpec) { s.Ports[0].NodePort = 30000 }
	class := func(s *corev1.ServiceSpec) { s.LoadBalancerClass, s.HealthCheckNodePort = new("a/b"), 30001 }
	name := func(s *corev1.ServiceSpec) { s.ExternalName = "a" }
	for what, tt := range map[string]struct{ old, new, want corev1.ServiceSpec }{
		"ExternalName": {
			spec("ClusterIP", address), spec("ExternalName", address, name), spec("ExternalName", name),
		},
		"ExternalName, and another address": {
			spec("ClusterIP", address), spec("ExternalName", address, name, func(s *corev1.ServiceSpec) { s.ClusterIP = "127.0.0.6" }),
			spec("ExternalName", address, name, func(s *corev1.ServiceSpec) { s.ClusterIP = "127.0.0.6" }),
		},
		"no node ports any more": {
			spec("NodePort", address, nodePort), spec("ClusterIP", address, nodePort, func(s *corev1.ServiceSpec) { s.ExternalTrafficPolicy = "Cluster" }), spec("ClusterIP", address),
		},
		"no node ports any more, and another one": {
			spec("NodePort", nodePort), spec("ClusterIP", func(s *corev1.ServiceSpec) { s.Ports[0].NodePort = 30009 }),
			spec("ClusterIP", func(s *corev1.ServiceSpec) { s.Ports[0].NodePort = 30009 }),
		},
		"no balancer any more": {
			spec("LoadBalancer", nodePort, class), spec("NodePort", nodePort, class, func(s *corev1.ServiceSpec) { s.AllocateLoadBalancerNodePorts = new(true) }), spec("NodePort", nodePort),
		},
		"the same type": {
			spec("LoadBalancer", address, nodePort, class), spec("LoadBalancer", address, nodePort, class), spec("LoadBalancer", address, nodePort, class),
		},
	} {
		old, updated := &corev1.Service{Spec: tt.old}, &corev1.Service{Spec: tt.new}
		PrepareForUpdate(old, updated)
		if diff := cmp.Diff(tt.want, updated.Spec); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}
