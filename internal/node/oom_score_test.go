package node

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestOOMScore(t *testing.T) {
	memory := func(request, limit string) corev1.ResourceRequirements {
		var r corev1.ResourceRequirements
		if request != "" {
			r.Requests = corev1.ResourceList{"memory": resource.MustParse(request), "cpu": resource.MustParse("1")}
		}
		if limit != "" {
			r.Limits = corev1.ResourceList{"memory": resource.MustParse(limit), "cpu": resource.MustParse("1")}
		}
		return r
	}
	const machine = 8 << 30
	for name, test := range map[string]struct {
		resources corev1.ResourceRequirements
		machine   int64
		want      int
	}{
		"best effort":               {memory("", ""), machine, 1000},
		"guaranteed":                {memory("1Gi", "1Gi"), machine, 1},
		"a quarter of the machine":  {memory("2Gi", ""), machine, 750},
		"next to nothing":           {memory("1Mi", ""), machine, 999},
		"more than there is":        {memory("9Gi", ""), machine, 2},
		"a machine of unknown size": {memory("2Gi", ""), 0, 999},
	} {
		t.Run(name, func(t *testing.T) {
			spec := &corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Resources: test.resources}}}
			if got := oomScore(spec, &spec.Containers[0], test.machine); got != test.want {
				t.Errorf("oomScore = %d, want %d", got, test.want)
			}
		})
	}
}
