package controller

import (
	"maps"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

func TestPrivatePorts(t *testing.T) {
	pod := &corev1.Pod{}
	pod.Annotations = map[string]string{
		manifest.AnnotationPrivatePorts + "app":   "8080:41013,9090:41014",
		manifest.AnnotationPrivatePorts + "proxy": "443:41015",
		manifest.AnnotationPorts:                  manifest.PortsFixed,
	}
	got, err := privatePorts(pod)
	if want := map[int32]int32{8080: 41013, 9090: 41014, 443: 41015}; err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	for _, bad := range []string{"", ":", "8080", "8080:", ":1", "0:1", "1:0", "70000:1", "1:70000", "a:b", "1:2:3", "-1:2", "1: 2"} {
		pod.Annotations = map[string]string{manifest.AnnotationPrivatePorts + "app": bad + ",7:8"}
		if got, err := privatePorts(pod); err == nil || len(got) != 1 || got[7] != 8 {
			t.Errorf("%q: %v, %v, want an error and the other pair", bad, got, err)
		}
	}
}

func FuzzPrivatePorts(f *testing.F) {
	f.Add("8080:41013,9090:41014")
	f.Add("8080:,:,")
	f.Fuzz(func(t *testing.T, value string) {
		pod := &corev1.Pod{}
		pod.Annotations = map[string]string{manifest.AnnotationPrivatePorts + "app": value}
		ports, _ := privatePorts(pod)
		for declared, private := range ports {
			if declared < 1 || declared > 65535 || private < 1 || private > 65535 {
				t.Errorf("%q: %d:%d is no pair of ports", value, declared, private)
			}
		}
	})
}
