package node

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
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
