package node

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

func TestCheck(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	busy := int32(taken.Addr().(*net.TCPAddr).Port)
	always := corev1.ContainerRestartPolicyAlways
	for name, test := range map[string]struct {
		change func(*corev1.Pod)
		field  string // "" means no problem
		text   string
	}{
		"fine":       {func(*corev1.Pod) {}, "", ""},
		"no command": {func(p *corev1.Pod) { p.Spec.Containers[0].Command = nil }, "spec.containers[0].command", `cannot run image "example" of container app here`},
		"annotation": {func(p *corev1.Pod) {
			p.Spec.Containers[0].Command = nil
			p.Annotations[manifest.AnnotationCommand+"app"] = "true"
		}, "", ""},
		"annotation of a missing program": {func(p *corev1.Pod) { p.Annotations[manifest.AnnotationCommand+"app"] = "./gone --flag" },
			"metadata.annotations[probity.run/command.app]", `cannot start "./gone"`},
		"too long a string": {func(p *corev1.Pod) { p.Spec.Containers[0].Args = []string{strings.Repeat("x", 1<<17)} },
			"spec.containers[0].args[0]", "it is longer than 131071 bytes once $(NAME) is replaced in it, and no program can be started with that"},
		"missing program": {func(p *corev1.Pod) { p.Spec.Containers[0].Command = []string{"no-such-program"} },
			"spec.containers[0].command", `cannot start "no-such-program": it is in none of the directories of PATH (/usr/bin:/bin)`},
		"program from the environment": {func(p *corev1.Pod) {
			p.Spec.Containers[0].Command = []string{"$(PROGRAM)"}
			p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "PROGRAM", Value: "true"}}
		}, "", ""},
		"missing folder": {func(p *corev1.Pod) { p.Spec.Containers[0].WorkingDir = "gone" }, "spec.containers[0].workingDir", "gone cannot be entered"},
		"program that an init container makes": {func(p *corev1.Pod) {
			p.Spec.InitContainers = []corev1.Container{{Name: "build", Image: "example", Command: []string{"true"}}}
			p.Spec.Containers[0].Command = []string{"./made-by-build"}
		}, "", ""},
		"missing program of a sidecar": {func(p *corev1.Pod) {
			p.Spec.InitContainers = []corev1.Container{{Name: "s", Image: "example", Command: []string{"./gone"}, RestartPolicy: &always}}
		}, "spec.initContainers[0].command", `cannot start "./gone"`},
		"fixed port that is taken": {func(p *corev1.Pod) {
			p.Spec.HostNetwork = true
			p.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: busy}}
		}, "spec.containers[0].ports[0].containerPort", "is fixed and cannot be had"},
		"private port for a number that is taken": {func(p *corev1.Pod) {
			p.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: busy}}
		}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			pod := examplePod(corev1.Container{Name: "app", Image: "example", Command: []string{"true"}})
			pod.Annotations = map[string]string{manifest.AnnotationManifest: filepath.Join(t.TempDir(), "pod.yaml")}
			test.change(pod)
			problems := Check([]*corev1.Pod{pod}, CheckOptions{Objects: exampleObjects(), Environ: []string{"PATH=/usr/bin:/bin"}})[0]
			if test.field == "" {
				if len(problems) > 0 {
					t.Errorf("problems = %+v, want none", problems)
				}
				return
			}
			if len(problems) != 1 || problems[0].Field != test.field || !strings.Contains(problems[0].Message, test.text) {
				t.Errorf("problems = %+v, want one at %s with %q", problems, test.field, test.text)
			}
		})
	}
}

func TestFixedPortAskedForTwice(t *testing.T) {
	pods := make([]*corev1.Pod, 2)
	for i := range pods {
		pods[i] = examplePod(corev1.Container{Name: "app", Command: []string{"true"}, Ports: []corev1.ContainerPort{{ContainerPort: 1, HostPort: 1}}})
		pods[i].Annotations = map[string]string{manifest.AnnotationManifest: filepath.Join(t.TempDir(), "pod.yaml")}
	}
	problems := Check(pods, CheckOptions{Objects: exampleObjects(), Environ: []string{"PATH=/usr/bin:/bin"}})
	last := problems[1]
	if len(last) != 1 || !strings.Contains(last[0].Message, "port 1 is fixed and Pod web has it already") {
		t.Errorf("problems of the second Pod = %+v", last)
	}
}
