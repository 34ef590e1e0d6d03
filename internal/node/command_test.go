package node

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

func TestWorkingDir(t *testing.T) {
	for want, test := range map[string]struct{ manifest, dir string }{
		"/srv/app":     {"/home/dev/app.yaml", "/srv/app"},
		"/home/dev/x":  {"/home/dev/app.yaml", "x"},
		"/home/dev":    {"/home/dev/app.yaml", ""},
		"/home/static": {"/home/dev/app.yaml", "../static"},
	} {
		pod := examplePod(corev1.Container{Name: "app", WorkingDir: test.dir})
		pod.Annotations = map[string]string{manifest.AnnotationManifest: test.manifest}
		if got := workingDir(pod, &pod.Spec.Containers[0]); got != want {
			t.Errorf("workingDir(%q) = %q, want %q", test.dir, got, want)
		}
	}
}
