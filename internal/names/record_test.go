package names

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// service is one with an address, without one (""), or headless (None).
func service(namespace, name, clusterIP string) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: corev1.ServiceSpec{ClusterIP: clusterIP}}
}

func external(name, target string) *corev1.Service {
	s := service("shop", name, "")
	s.Spec.Type, s.Spec.ExternalName = corev1.ServiceTypeExternalName, target
	return s
}

func slice(service string, endpoints ...discoveryv1.Endpoint) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Labels: map[string]string{discoveryv1.LabelServiceName: service}}, Endpoints: endpoints,
	}
}

func endpoint(ip, hostname string, ready *bool) discoveryv1.Endpoint {
	e := discoveryv1.Endpoint{Addresses: []string{ip}, Conditions: discoveryv1.EndpointConditions{Ready: ready}}
	if hostname != "" {
		e.Hostname = &hostname
	}
	return e
}

// exampleCluster has a Service of each sort in the namespace shop, and one in another.
func exampleCluster() Cluster {
	unnamed := service("shop", "taken", "127.77.0.9")
	unnamed.Annotations = map[string]string{manifest.AnnotationUnnamed: "another program listens on 8080"}
	dual := service("shop", "dual", "127.77.0.4")
	dual.Spec.ClusterIPs = []string{"127.77.0.4", "fd00::4"}
	return Cluster{
		Services: []*corev1.Service{
			service("shop", "store", "127.77.0.1"), service("billing", "store", "127.77.0.2"), dual, unnamed,
			service("shop", "none-yet", ""), service("shop", "db", corev1.ClusterIPNone),
			external("inside", "store.billing.svc.cluster.local"), external("twice", "inside.shop.svc.cluster.local."), external("peers", "db.shop.svc.cluster.local"),
			external("outside", "Example.COM."), external("unknown", "nowhere.example.com"),
			external("round", "about.shop.svc.cluster.local"), external("about", "round.shop.svc.cluster.local"),
		},
		Slices: []*discoveryv1.EndpointSlice{
			slice("db", endpoint("127.77.16.3", "db-1", nil), endpoint("127.77.16.2", "db-0", new(true)), endpoint("127.77.16.4", "db-2", new(false))),
			slice("db", endpoint("127.77.16.2", "db-0", new(true)), endpoint("127.77.16.5", "", new(true))),
			slice("store", endpoint("127.77.16.7", "store-0", nil)),
		},
		External: map[string][]netip.Addr{"example.com": {netip.MustParseAddr("93.184.215.14"), netip.MustParseAddr("2606:2800::1")}},
	}
}

func recordLines(records []Record) (lines []string) {
	for _, r := range records {
		lines = append(lines, r.Namespace+" "+r.Name+" "+r.Address.String())
	}
	return lines
}

func TestRecords(t *testing.T) {
	want := []string{
		"billing store 127.77.0.2",
		"shop db 127.77.16.2", "shop db 127.77.16.3", "shop db 127.77.16.5",
		"shop db-0.db 127.77.16.2", "shop db-1.db 127.77.16.3",
		"shop dual 127.77.0.4", "shop dual fd00::4",
		"shop inside 127.77.0.2",
		"shop outside 93.184.215.14", "shop outside 2606:2800::1",
		"shop peers 127.77.16.2", "shop peers 127.77.16.3", "shop peers 127.77.16.5",
		"shop store 127.77.0.1",
		"shop twice 127.77.0.2",
	}
	if diff := cmp.Diff(want, recordLines(Records(exampleCluster()))); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestExternalNames(t *testing.T) {
	want := []string{"example.com", "nowhere.example.com"}
	if diff := cmp.Diff(want, ExternalNames(exampleCluster().Services)); diff != "" {
		t.Errorf("names outside (-want +got):\n%s", diff)
	}
}

func TestFind(t *testing.T) {
	services := exampleCluster().Services
	for name, want := range map[string]string{
		"store": "shop/store", "Store.": "shop/store", "store.shop": "shop/store", "store.billing": "billing/store", "store.billing.svc": "billing/store",
		"store.billing.svc.cluster.local": "billing/store", "store.billing.svc.cluster.local.": "billing/store",
		"other": "", "store.other": "", "store.billing.svc.example.com": "", "": "", ".": "", "svc": "",
	} {
		got := ""
		if s, ok := Find(services, "shop", name); ok {
			got = s.Namespace + "/" + s.Name
		}
		if got != want {
			t.Errorf("%q means %q, want %q", name, got, want)
		}
	}
}
