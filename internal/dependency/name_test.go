package dependency

import (
	"net/netip"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
)

func TestName(t *testing.T) {
	service := func(namespace, name, ip string, port int32, served string) *corev1.Service {
		s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: corev1.ServiceSpec{ClusterIP: ip, Ports: []corev1.ServicePort{{Port: port}}}}
		if served != "" {
			s.Annotations = map[string]string{manifest.AnnotationAddress + "80": served}
		}
		return s
	}
	n := naming{
		declared: map[netip.AddrPort]string{netip.MustParseAddrPort("127.0.0.1:5433"): "db"},
		services: []*corev1.Service{
			service("default", "store", "127.77.0.1", 8080, ""), service("team", "cart", "127.77.0.2", 6379, ""), service("default", "web", "127.77.0.3", 80, "127.0.0.1:8081"),
			service("default", "headless", corev1.ClusterIPNone, 5432, ""),
		},
	}
	for address, want := range map[string][2]string{
		"127.0.0.1:5433":     {"db", "variable db"},
		"127.77.0.1:8080":    {"store", "service default/store"},
		"127.77.0.2:6379":    {"cart.team", "service team/cart"},
		"127.0.0.1:8081":     {"web", "service default/web"},
		"127.77.0.1:5432":    {"postgresql", "loopback 5432"},
		"[::1]:5432":         {"postgresql", "loopback 5432"},
		"10.0.0.1:5432":      {"postgresql", "10.0.0.1 5432"},
		"10.0.0.53:53":       {"dns", "dns"},
		"127.0.0.53:53":      {"dns", "dns"},
		"127.0.0.1:9999":     {"127.0.0.1:9999", "loopback 9999"},
		"[2001:db8::1]:9999": {"[2001:db8::1]:9999", "2001:db8::1 9999"},
	} {
		name, sort := n.name(destination{"tcp", netip.MustParseAddrPort(address)})
		if name != want[0] || sort != want[1] {
			t.Errorf("%s is %s (%s), want %s (%s)", address, name, sort, want[0], want[1])
		}
	}
}

func TestDestination(t *testing.T) {
	for address, want := range map[string]string{"0.0.0.0:80": "127.0.0.1:80", "[::]:80": "[::1]:80", "127.0.0.2:80": "127.0.0.2:80"} {
		if d := destinationOf("tcp", netip.MustParseAddrPort(address)); d.address.String() != want {
			t.Errorf("%s leads to %v, want %s", address, d.address, want)
		}
	}
}

func TestOwnPort(t *testing.T) {
	pod := &corev1.Pod{
		Spec:   corev1.PodSpec{Containers: []corev1.Container{{Ports: []corev1.ContainerPort{{ContainerPort: 8080}}}}},
		Status: corev1.PodStatus{PodIP: "127.77.1.1"},
	}
	for address, want := range map[string]bool{
		"127.0.0.1:8080": true, "[::1]:8080": true, "127.77.1.1:1": true, "127.0.0.1:8081": false, "127.77.1.2:8080": false, "10.0.0.1:8080": false,
	} {
		if got := ownPort(pod, netip.MustParseAddrPort(address)); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}
