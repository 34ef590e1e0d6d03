package table

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/probity-run/probity/internal/manifest"
)

func TestService(t *testing.T) {
	ports := func(numbers ...int32) []corev1.ServicePort {
		var list []corev1.ServicePort
		for _, n := range numbers {
			list = append(list, corev1.ServicePort{Port: n, Protocol: corev1.ProtocolTCP})
		}
		return list
	}
	type spec = corev1.ServiceSpec
	const clusterIP, nodePort, loadBalancer, externalName = corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeExternalName
	tests := map[string]struct {
		spec    spec
		served  map[string]string
		ingress []corev1.LoadBalancerIngress
		want    string
	}{
		"one address": {
			spec{Type: clusterIP, ClusterIP: "127.64.0.7", ClusterIPs: []string{"127.64.0.7"}, Ports: ports(80), Selector: map[string]string{"b": "2", "a": "1"}},
			nil, nil, "web|ClusterIP|127.64.0.7|<none>|80/TCP|5m|a=1,b=2",
		},
		"no list of addresses": {spec{Type: clusterIP, ClusterIP: "127.64.0.7"}, nil, nil, "web|ClusterIP|127.64.0.7|<none>|<none>|5m|<none>"},
		"headless":             {spec{Type: clusterIP, ClusterIP: "None", ClusterIPs: []string{"None"}}, nil, nil, "web|ClusterIP|None|<none>|<none>|5m|<none>"},
		"several ports": {
			spec{Type: clusterIP, Ports: append(ports(80, 443), corev1.ServicePort{Port: 53, Protocol: corev1.ProtocolUDP})}, nil, nil,
			"web|ClusterIP|<none>|<none>|80/TCP,443/TCP,53/UDP|5m|<none>",
		},
		"external addresses": {spec{Type: clusterIP, ExternalIPs: []string{"10.0.0.2", "10.0.0.1"}}, nil, nil, "web|ClusterIP|<none>|10.0.0.2,10.0.0.1|<none>|5m|<none>"},

		"served where declared":         {spec{Type: clusterIP, Ports: ports(80)}, map[string]string{"80": "127.64.0.7:80"}, nil, "web|ClusterIP|<none>|<none>|80/TCP|5m|<none>"},
		"served elsewhere":              {spec{Type: clusterIP, Ports: ports(8080)}, map[string]string{"8080": "127.0.0.1:41013"}, nil, "web|ClusterIP|<none>|<none>|8080:41013/TCP|5m|<none>"},
		"one of two served elsewhere":   {spec{Type: clusterIP, Ports: ports(80, 8080)}, map[string]string{"80": "127.64.0.7:8081", "8080": "127.64.0.7:8080"}, nil, "web|ClusterIP|<none>|<none>|80:8081/TCP,8080/TCP|5m|<none>"},
		"served elsewhere by IPv6":      {spec{Type: clusterIP, Ports: ports(80)}, map[string]string{"80": "[::1]:8081"}, nil, "web|ClusterIP|<none>|<none>|80:8081/TCP|5m|<none>"},
		"what is written is no address": {spec{Type: clusterIP, Ports: ports(80)}, map[string]string{"80": "there"}, nil, "web|ClusterIP|<none>|<none>|80/TCP|5m|<none>"},

		"node port":                     {spec{Type: nodePort, Ports: []corev1.ServicePort{{Port: 80, NodePort: 30080, Protocol: corev1.ProtocolTCP}}}, nil, nil, "web|NodePort|<none>|<none>|80:30080/TCP|5m|<none>"},
		"node port, served elsewhere":   {spec{Type: nodePort, Ports: []corev1.ServicePort{{Port: 80, NodePort: 30080, Protocol: corev1.ProtocolTCP}}}, map[string]string{"80": "127.0.0.1:41013"}, nil, "web|NodePort|<none>|<none>|80:41013/TCP|5m|<none>"},
		"node port, external addresses": {spec{Type: nodePort, ExternalIPs: []string{"10.0.0.2"}}, nil, nil, "web|NodePort|<none>|10.0.0.2|<none>|5m|<none>"},

		"load balancer that is not there yet": {spec{Type: loadBalancer}, nil, nil, "web|LoadBalancer|<none>|<pending>|<none>|5m|<none>"},
		"load balancer": {
			spec{Type: loadBalancer}, nil, []corev1.LoadBalancerIngress{{Hostname: "localhost"}, {IP: "127.0.0.1", Hostname: "unused"}, {}, {IP: "127.0.0.1"}},
			"web|LoadBalancer|<none>|127.0.0.1,localhost|<none>|5m|<none>",
		},
		"load balancer and external addresses": {
			spec{Type: loadBalancer, ExternalIPs: []string{"10.0.0.2", "10.0.0.1"}}, nil, []corev1.LoadBalancerIngress{{IP: "127.0.0.1"}},
			"web|LoadBalancer|<none>|127.0.0.1,10.0.0.2,10.0.0.1|<none>|5m|<none>",
		},
		"external addresses, no load balancer yet": {spec{Type: loadBalancer, ExternalIPs: []string{"10.0.0.2"}}, nil, nil, "web|LoadBalancer|<none>|10.0.0.2|<none>|5m|<none>"},

		"external name": {spec{Type: externalName, ExternalName: "db.example.com"}, nil, nil, "web|ExternalName|<none>|db.example.com|<none>|5m|<none>"},
		"no type":       {spec{}, nil, nil, "web||<none>|<unknown>|<none>|5m|<none>"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			service := &corev1.Service{ObjectMeta: named("web"), Spec: test.spec}
			service.Status.LoadBalancer.Ingress = test.ingress
			service.Annotations = map[string]string{}
			for port, at := range test.served {
				service.Annotations[manifest.AnnotationAddress+port] = at
			}
			if diff := cmp.Diff(test.want, cellsOf(t, service)); diff != "" {
				t.Errorf("cells (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEndpointSlice(t *testing.T) {
	endpoint := func(addresses ...string) discoveryv1.Endpoint { return discoveryv1.Endpoint{Addresses: addresses} }
	port := func(n int32) discoveryv1.EndpointPort { return discoveryv1.EndpointPort{Port: &n} }
	tests := map[string]struct {
		ports     []discoveryv1.EndpointPort
		endpoints []discoveryv1.Endpoint
		want      string
	}{
		"nothing":                  {nil, nil, "web-x7k|IPv4|<unset>|<unset>|5m"},
		"one":                      {[]discoveryv1.EndpointPort{port(41001)}, []discoveryv1.Endpoint{endpoint("127.0.0.1")}, "web-x7k|IPv4|41001|127.0.0.1|5m"},
		"three":                    {[]discoveryv1.EndpointPort{port(1), port(2), port(3)}, []discoveryv1.Endpoint{endpoint("a", "b"), endpoint("c")}, "web-x7k|IPv4|1,2,3|a,b,c|5m"},
		"more":                     {[]discoveryv1.EndpointPort{port(1), port(2), port(3), port(4)}, []discoveryv1.Endpoint{endpoint("a", "b"), endpoint("c", "d"), endpoint("e")}, "web-x7k|IPv4|1,2,3 + 1 more...|a,b,c + 2 more...|5m"},
		"a port with a name alone": {[]discoveryv1.EndpointPort{{Name: new("http")}}, []discoveryv1.Endpoint{endpoint()}, "web-x7k|IPv4|http|<unset>|5m"},
		"all ports":                {[]discoveryv1.EndpointPort{{}}, nil, "web-x7k|IPv4|*|<unset>|5m"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			slice := &discoveryv1.EndpointSlice{ObjectMeta: named("web-x7k"), AddressType: discoveryv1.AddressTypeIPv4, Ports: test.ports, Endpoints: test.endpoints}
			if diff := cmp.Diff(test.want, cellsOf(t, slice)); diff != "" {
				t.Errorf("cells (-want +got):\n%s", diff)
			}
		})
	}
}
