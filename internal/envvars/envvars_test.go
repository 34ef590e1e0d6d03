package envvars

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func service(name, clusterIP string, ports ...corev1.ServicePort) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ServiceSpec{ClusterIP: clusterIP, Ports: ports}}
}

func declared(_ *corev1.Service, port int32) int32 { return port }

// TestFromServices has the shapes that the kubelet's own function is known for, written by hand.
func TestFromServices(t *testing.T) {
	for name, test := range map[string]struct {
		services []*corev1.Service
		working  func(*corev1.Service, int32) int32
		want     []Variable
	}{
		"no Service": {},
		"one port without a name, and no protocol": {
			services: []*corev1.Service{service("foo-bar", "127.64.0.1", corev1.ServicePort{Port: 8080})},
			want: []Variable{
				{"FOO_BAR_PORT", "tcp://127.64.0.1:8080"},
				{"FOO_BAR_PORT_8080_TCP", "tcp://127.64.0.1:8080"},
				{"FOO_BAR_PORT_8080_TCP_PROTO", "tcp"},
				{"FOO_BAR_PORT_8080_TCP_PORT", "8080"},
				{"FOO_BAR_PORT_8080_TCP_ADDR", "127.64.0.1"},
				{"FOO_BAR_SERVICE_HOST", "127.64.0.1"},
				{"FOO_BAR_SERVICE_PORT", "8080"},
			},
		},
		"several ports: the first one has no name, UDP and SCTP are in": {
			services: []*corev1.Service{service("abc-123", "127.64.0.2",
				corev1.ServicePort{Port: 8081, Protocol: corev1.ProtocolUDP},
				corev1.ServicePort{Port: 8082, Protocol: corev1.ProtocolSCTP, Name: "p-2"},
				corev1.ServicePort{Port: 8083, Protocol: corev1.ProtocolTCP, Name: "p3"})},
			want: []Variable{
				{"ABC_123_PORT", "udp://127.64.0.2:8081"},
				{"ABC_123_PORT_8081_UDP", "udp://127.64.0.2:8081"},
				{"ABC_123_PORT_8081_UDP_PROTO", "udp"},
				{"ABC_123_PORT_8081_UDP_PORT", "8081"},
				{"ABC_123_PORT_8081_UDP_ADDR", "127.64.0.2"},
				{"ABC_123_PORT_8082_SCTP", "sctp://127.64.0.2:8082"},
				{"ABC_123_PORT_8082_SCTP_PROTO", "sctp"},
				{"ABC_123_PORT_8082_SCTP_PORT", "8082"},
				{"ABC_123_PORT_8082_SCTP_ADDR", "127.64.0.2"},
				{"ABC_123_PORT_8083_TCP", "tcp://127.64.0.2:8083"},
				{"ABC_123_PORT_8083_TCP_PROTO", "tcp"},
				{"ABC_123_PORT_8083_TCP_PORT", "8083"},
				{"ABC_123_PORT_8083_TCP_ADDR", "127.64.0.2"},
				{"ABC_123_SERVICE_HOST", "127.64.0.2"},
				{"ABC_123_SERVICE_PORT", "8081"},
				{"ABC_123_SERVICE_PORT_P_2", "8082"},
				{"ABC_123_SERVICE_PORT_P3", "8083"},
			},
		},
		"the first port's name counts, too; a leading digit stays": {
			services: []*corev1.Service{service("3-tier", "127.64.0.3", corev1.ServicePort{Port: 1, Name: "http"})},
			want: []Variable{
				{"3_TIER_PORT", "tcp://127.64.0.3:1"},
				{"3_TIER_PORT_1_TCP", "tcp://127.64.0.3:1"},
				{"3_TIER_PORT_1_TCP_PROTO", "tcp"},
				{"3_TIER_PORT_1_TCP_PORT", "1"},
				{"3_TIER_PORT_1_TCP_ADDR", "127.64.0.3"},
				{"3_TIER_SERVICE_HOST", "127.64.0.3"},
				{"3_TIER_SERVICE_PORT", "1"},
				{"3_TIER_SERVICE_PORT_HTTP", "1"},
			},
		},
		"an IPv6 address has brackets in URLs": {
			services: []*corev1.Service{service("six", "::1", corev1.ServicePort{Port: 9})},
			want: []Variable{
				{"SIX_PORT", "tcp://[::1]:9"},
				{"SIX_PORT_9_TCP", "tcp://[::1]:9"},
				{"SIX_PORT_9_TCP_PROTO", "tcp"},
				{"SIX_PORT_9_TCP_PORT", "9"},
				{"SIX_PORT_9_TCP_ADDR", "::1"},
				{"SIX_SERVICE_HOST", "::1"},
				{"SIX_SERVICE_PORT", "9"},
			},
		},
		"headless, without an address, ExternalName: none": {
			services: []*corev1.Service{
				service("headless", "None", corev1.ServicePort{Port: 1}), service("new", "", corev1.ServicePort{Port: 1}),
				{ObjectMeta: metav1.ObjectMeta{Name: "out"}, Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ClusterIP: "127.64.0.4", Ports: []corev1.ServicePort{{Port: 1}}}},
			},
		},
		"a port that is served at another number": {
			services: []*corev1.Service{service("web", "127.64.0.5", corev1.ServicePort{Port: 80, Name: "http"})},
			working:  func(_ *corev1.Service, port int32) int32 { return port + 8000 },
			want: []Variable{
				{"WEB_PORT", "tcp://127.64.0.5:8080"},
				{"WEB_PORT_80_TCP", "tcp://127.64.0.5:8080"},
				{"WEB_PORT_80_TCP_PROTO", "tcp"},
				{"WEB_PORT_80_TCP_PORT", "8080"},
				{"WEB_PORT_80_TCP_ADDR", "127.64.0.5"},
				{"WEB_SERVICE_HOST", "127.64.0.5"},
				{"WEB_SERVICE_PORT", "8080"},
				{"WEB_SERVICE_PORT_HTTP", "8080"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			working := test.working
			if working == nil {
				working = declared
			}
			if diff := cmp.Diff(test.want, FromServices(test.services, working)); diff != "" {
				t.Errorf("variables (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCollision: REDIS_SERVICE_PORT is the port of redis, whatever the order, and not the URL of
// redis-service.
func TestCollision(t *testing.T) {
	redis := service("redis", "127.64.0.1", corev1.ServicePort{Port: 6379})
	other := service("redis-service", "127.64.0.2", corev1.ServicePort{Port: 6380})
	for _, services := range [][]*corev1.Service{{redis, other}, {other, redis}} {
		got := map[string]string{}
		list := FromServices(services, declared)
		for _, v := range list {
			got[v.Name] = v.Value
		}
		if len(got) != len(list) {
			t.Errorf("a name is there twice: %v", list)
		}
		for name, want := range map[string]string{
			"REDIS_SERVICE_PORT": "6379", "REDIS_SERVICE_HOST": "127.64.0.1", "REDIS_PORT": "tcp://127.64.0.1:6379",
			"REDIS_SERVICE_SERVICE_PORT": "6380", "REDIS_SERVICE_PORT_6380_TCP_ADDR": "127.64.0.2",
		} {
			if got[name] != want {
				t.Errorf("%s = %q, want %q", name, got[name], want)
			}
		}
	}
}
