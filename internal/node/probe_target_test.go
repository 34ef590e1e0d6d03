package node

import (
	"reflect"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/probe"
)

func TestResolve(t *testing.T) {
	c := &corev1.Container{Name: "app", Ports: []corev1.ContainerPort{{Name: "web", ContainerPort: 8080}}}
	ports := &portMap{private: map[int32]int{8080: 41000, 9090: 41001}}
	for name, test := range map[string]struct {
		host    string
		port    intstr.IntOrString
		want    target
		wantErr string
	}{
		"declared":             {"", intstr.FromInt32(8080), target{host: loopback, port: 41000, declared: 8080}, ""},
		"of another container": {"", intstr.FromInt32(9090), target{host: loopback, port: 41001, declared: 9090}, ""},
		"named":                {"", intstr.FromString("web"), target{host: loopback, port: 41000, declared: 8080}, ""},
		"undeclared":           {"", intstr.FromInt32(7000), target{host: loopback, port: 7000}, ""},
		"a number in quotes":   {"", intstr.FromString("7000"), target{host: loopback, port: 7000}, ""},
		"host":                 {"localhost", intstr.FromInt32(8080), target{host: "localhost", port: 8080, foreign: true}, ""},
		// D36
		"no such name": {"", intstr.FromString("wbe"), target{}, `strconv.Atoi: parsing "wbe": invalid syntax`},
		"out of range": {"", intstr.FromString("70000"), target{}, "invalid port number: 70000"},
		"zero":         {"", intstr.FromInt32(0), target{}, "invalid port number: 0"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ports.resolve(c, test.host, test.port)
			if test.wantErr != "" {
				if err == nil || err.Error() != test.wantErr {
					t.Errorf("error = %v, want %s", err, test.wantErr)
				}
				return
			}
			if err != nil || got != test.want {
				t.Errorf("resolve = %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}

func TestNetworkProber(t *testing.T) {
	client := &probe.HTTPClient{}
	to := target{host: loopback, port: 41000}
	header := []corev1.HTTPHeader{{Name: "X-Probe", Value: "1"}}
	for name, test := range map[string]struct {
		handler corev1.ProbeHandler
		want    probe.Prober
	}{
		"http": {corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/live", Scheme: corev1.URISchemeHTTP, HTTPHeaders: header}},
			probe.HTTPGet{Scheme: "HTTP", Host: loopback, Port: 41000, Path: "/live", Headers: []probe.Header{{Name: "X-Probe", Value: "1"}}, Timeout: 3 * time.Second}},
		"https has the node's client": {corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/", Scheme: corev1.URISchemeHTTPS}},
			probe.HTTPGet{Scheme: "HTTPS", Host: loopback, Port: 41000, Path: "/", Timeout: 3 * time.Second, Client: client}},
		"tcp":  {corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{}}, probe.TCPSocket{Host: loopback, Port: 41000, Timeout: 3 * time.Second}},
		"grpc": {corev1.ProbeHandler{GRPC: &corev1.GRPCAction{}}, probe.GRPC{Host: loopback, Port: 41000, Timeout: 3 * time.Second}},
		"grpc of a service": {corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Service: new("shop")}},
			probe.GRPC{Host: loopback, Port: 41000, Service: "shop", Timeout: 3 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			got := networkProber(&corev1.Probe{ProbeHandler: test.handler, TimeoutSeconds: 3}, to, client)
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("networkProber = %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestAddress(t *testing.T) {
	name := intstr.FromString("web")
	for title, test := range map[string]struct {
		handler corev1.ProbeHandler
		host    string
		port    intstr.IntOrString
		ok      bool
	}{
		"http":    {corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Host: "example.test", Port: name}}, "example.test", name, true},
		"tcp":     {corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Host: "example.test", Port: name}}, "example.test", name, true},
		"grpc":    {corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: 9000}}, "", intstr.FromInt32(9000), true},
		"nothing": {corev1.ProbeHandler{}, "", intstr.IntOrString{}, false},
	} {
		host, port, ok := address(&corev1.Probe{ProbeHandler: test.handler})
		if host != test.host || port != test.port || ok != test.ok {
			t.Errorf("%s: address = %q, %v, %v, want %q, %v, %v", title, host, port, ok, test.host, test.port, test.ok)
		}
	}
}
