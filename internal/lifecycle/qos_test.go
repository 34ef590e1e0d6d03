package lifecycle

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestQOSClass(t *testing.T) {
	list := func(cpu, memory string) corev1.ResourceList {
		l := corev1.ResourceList{}
		if cpu != "" {
			l[corev1.ResourceCPU] = resource.MustParse(cpu)
		}
		if memory != "" {
			l[corev1.ResourceMemory] = resource.MustParse(memory)
		}
		return l
	}
	with := func(requests, limits corev1.ResourceList) corev1.Container {
		return corev1.Container{Resources: corev1.ResourceRequirements{Requests: requests, Limits: limits}}
	}
	for name, test := range map[string]struct {
		init, containers []corev1.Container
		want             corev1.PodQOSClass
	}{
		"nothing said":             {nil, []corev1.Container{{}}, corev1.PodQOSBestEffort},
		"zero is nothing":          {nil, []corev1.Container{with(list("0", ""), nil)}, corev1.PodQOSBestEffort},
		"a request":                {nil, []corev1.Container{with(list("1", ""), nil)}, corev1.PodQOSBurstable},
		"limits alone":             {nil, []corev1.Container{with(nil, list("1", "1Gi"))}, corev1.PodQOSGuaranteed},
		"requests equal to limits": {nil, []corev1.Container{with(list("1", "1Gi"), list("1000m", "1024Mi"))}, corev1.PodQOSGuaranteed},
		"smaller requests":         {nil, []corev1.Container{with(list("500m", "1Gi"), list("1", "1Gi"))}, corev1.PodQOSBurstable},
		"no memory limit":          {nil, []corev1.Container{with(nil, list("1", ""))}, corev1.PodQOSBurstable},
		"one container of two":     {nil, []corev1.Container{with(nil, list("1", "1Gi")), {}}, corev1.PodQOSBurstable},
		"an init container counts": {[]corev1.Container{{}}, []corev1.Container{with(nil, list("1", "1Gi"))}, corev1.PodQOSBurstable},
	} {
		t.Run(name, func(t *testing.T) {
			if got := QOSClass(&corev1.PodSpec{InitContainers: test.init, Containers: test.containers}); got != test.want {
				t.Errorf("QOSClass = %s, want %s", got, test.want)
			}
		})
	}
}
