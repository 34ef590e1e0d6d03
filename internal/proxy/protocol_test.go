package proxy

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestProtocolOf(t *testing.T) {
	get := func(port intstr.IntOrString, scheme corev1.URIScheme) *corev1.Pod {
		return &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Ports:          []corev1.ContainerPort{{Name: "web", ContainerPort: 8080}},
			ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: port, Scheme: scheme}}},
		}}}}
	}
	number, name := intstr.FromInt32(8080), intstr.FromString("web")
	tests := map[string]struct {
		port corev1.ServicePort
		pod  *corev1.Pod
		want protocol
	}{
		"nothing":                     {corev1.ServicePort{Port: 80}, nil, protocolTCP},
		"appProtocol http":            {corev1.ServicePort{AppProtocol: new("http")}, nil, protocolHTTP},
		"appProtocol HTTP":            {corev1.ServicePort{AppProtocol: new("HTTP")}, nil, protocolHTTP},
		"appProtocol h2c":             {corev1.ServicePort{AppProtocol: new("kubernetes.io/h2c")}, nil, protocolH2C},
		"appProtocol ws":              {corev1.ServicePort{AppProtocol: new("kubernetes.io/ws")}, nil, protocolHTTP},
		"appProtocol grpc":            {corev1.ServicePort{AppProtocol: new("grpc")}, nil, protocolH2C},
		"appProtocol decides":         {corev1.ServicePort{Name: "http", AppProtocol: new("mysql")}, nil, protocolTCP},
		"name http":                   {corev1.ServicePort{Name: "http"}, nil, protocolHTTP},
		"name http-admin":             {corev1.ServicePort{Name: "http-admin"}, nil, protocolHTTP},
		"name https":                  {corev1.ServicePort{Name: "https"}, get(number, ""), protocolTCP},
		"name httpx":                  {corev1.ServicePort{Name: "httpx"}, nil, protocolTCP},
		"name grpc-api":               {corev1.ServicePort{Name: "grpc-api"}, nil, protocolH2C},
		"name grpc-web":               {corev1.ServicePort{Name: "grpc-web"}, nil, protocolHTTP},
		"name http2":                  {corev1.ServicePort{Name: "http2"}, nil, protocolH2C},
		"probe, by number":            {corev1.ServicePort{TargetPort: number}, get(number, ""), protocolHTTP},
		"probe by name, target by it": {corev1.ServicePort{TargetPort: name}, get(name, corev1.URISchemeHTTP), protocolHTTP},
		"probe by name, by number":    {corev1.ServicePort{TargetPort: number}, get(name, ""), protocolHTTP},
		"no targetPort":               {corev1.ServicePort{Port: 8080}, get(number, ""), protocolHTTP},
		"probe by HTTPS":              {corev1.ServicePort{TargetPort: number}, get(number, corev1.URISchemeHTTPS), protocolTCP},
		"probe of another port":       {corev1.ServicePort{TargetPort: intstr.FromInt32(9090)}, get(number, ""), protocolTCP},
		"unknown names are not equal": {corev1.ServicePort{TargetPort: intstr.FromString("x")}, get(intstr.FromString("y"), ""), protocolTCP},
	}
	for name, test := range tests {
		var pods []*corev1.Pod
		if test.pod != nil {
			pods = append(pods, test.pod)
		}
		if got := protocolOf(&test.port, pods); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
