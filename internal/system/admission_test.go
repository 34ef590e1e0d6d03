package system

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
)

// TestPostedPods: a Pod that a client posts, as kubectl run does, is bound to the node; one with an
// image alone is refused with the line that is missing.
func TestPostedPods(t *testing.T) {
	const remedy = `spec.containers[0].command: Required value: cannot run image "nginx" of container web here: no program is known that stands for it; ` +
		`add probity.run/command.web: ./program --flag below metadata.annotations, or give the container a command`
	for name, test := range map[string]struct {
		change func(*corev1.Pod)
		want   string // error
	}{
		"an image alone": {func(*corev1.Pod) {}, `Pod "web" is invalid: ` + remedy},
		"arguments":      {func(p *corev1.Pod) { p.Spec.Containers[0].Args = []string{"--flag"} }, `Pod "web" is invalid: ` + remedy},
		"two images": {func(p *corev1.Pod) { p.Spec.InitContainers = []corev1.Container{{Name: "init", Image: "busybox"}} }, `Pod "web" is invalid: [` +
			`spec.initContainers[0].command: Required value: cannot run image "busybox" of container init here: no program is known that stands for it; ` +
			`add probity.run/command.init: ./program --flag below metadata.annotations, or give the container a command, ` + remedy + `]`},
		"a command":     {func(p *corev1.Pod) { p.Spec.Containers[0].Command = []string{"true"} }, ""},
		"an annotation": {func(p *corev1.Pod) { p.Annotations = map[string]string{manifest.AnnotationCommand + "web": "true"} }, ""},
		"of a workload": {func(p *corev1.Pod) {
			p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "example.org/v1", Kind: "Web", Name: "web", UID: "u", Controller: new(true)}}
		}, ""},
		"wrong in another way": {func(p *corev1.Pod) { p.Spec.RestartPolicy = "Sometimes" }, `Pod "web" is invalid: spec.restartPolicy: Unsupported value: "Sometimes": ` +
			`supported values: "Always", "OnFailure", "Never"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := full(1)
			if err := ensureNamespace(s.registry, "default"); err != nil {
				t.Fatal(err)
			}
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "nginx"}}}}
			test.change(pod)
			for _, dryRun := range []bool{true, false} {
				created, err := s.registry.CreateObject(pod, registry.WriteOptions{DryRun: dryRun, Manager: "kubectl-run"})
				if test.want != "" {
					if err == nil || err.Error() != test.want || !apierrors.IsInvalid(err) {
						t.Errorf("error %v\nwant  %s", err, test.want)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if p := created.(*corev1.Pod); p.Spec.NodeName != "here" || p.Status.Phase != corev1.PodPending || p.Status.QOSClass != corev1.PodQOSBestEffort {
					t.Errorf("Pod on %q, %s, %s: want it bound, Pending and BestEffort", p.Spec.NodeName, p.Status.Phase, p.Status.QOSClass)
				}
			}
		})
	}
}

// TestProgramOfTheCommandLine: what stands for an image is also known by --command.
func TestProgramOfTheCommandLine(t *testing.T) {
	s := full(1)
	s.registry = registry.New(registry.Options{Store: s.store, NodeName: "here", Admit: s.admit, Commands: map[string]string{"pod/web:app": "true"}})
	if err := ensureNamespace(s.registry, "default"); err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "nginx"}}}}
	if _, err := s.registry.CreateObject(pod, registry.WriteOptions{}); err != nil {
		t.Error(err)
	}
}
