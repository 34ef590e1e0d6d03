package program

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// doubling are variables of which each is the one before 16 times.
func doubling(n int) []corev1.EnvVar {
	env := []corev1.EnvVar{{Name: "V0", Value: strings.Repeat("x", 16)}}
	for i := range n {
		env = append(env, corev1.EnvVar{Name: fmt.Sprint("V", i+1), Value: strings.Repeat(fmt.Sprintf("$(V%d)", i), 16)})
	}
	return env
}

// copiesOf are so many variables that all refer to one of 100,000 bytes.
func copiesOf(n int) []corev1.EnvVar {
	env := []corev1.EnvVar{{Name: "A", Value: strings.Repeat("x", 100_000)}}
	for i := range n {
		env = append(env, corev1.EnvVar{Name: fmt.Sprint("B", i), Value: "$(A)"})
	}
	return env
}

// TestCheck: what would eat the memory is found before anything starts, at the field that is to
// blame.
func TestCheck(t *testing.T) {
	objects := exampleObjects()
	objects.configMaps["large"] = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "large"}, Data: map[string]string{"k": strings.Repeat("x", 100_000)}}
	objects.configMaps["huge"] = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "huge"}, Data: map[string]string{"k": strings.Repeat("x", 1_000_000)}}
	from := func(name, prefix string) corev1.EnvFromSource {
		return corev1.EnvFromSource{Prefix: prefix, ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}}
	}
	exec := func(words ...string) *corev1.ExecAction { return &corev1.ExecAction{Command: words} }
	for name, test := range map[string]struct {
		change func(*corev1.Pod, *corev1.Container)
		field  string // "" means no problem
	}{
		"references to references": {func(_ *corev1.Pod, c *corev1.Container) { c.Env = doubling(7) }, "spec.containers[0].env[4].value"},
		"as much as can start":     {func(_ *corev1.Pod, c *corev1.Container) { c.Env = doubling(3) }, ""},
		"many copies":              {func(_ *corev1.Pod, c *corev1.Container) { c.Env = copiesOf(30) }, "spec.containers[0].env[20]"},
		"copies in two containers": {func(p *corev1.Pod, c *corev1.Container) {
			c.Env = copiesOf(12)
			p.Spec.Containers = append(p.Spec.Containers, *c)
		}, "spec.containers[1].env[7]"},
		"copies in init containers": {func(p *corev1.Pod, c *corev1.Container) {
			init := *c.DeepCopy()
			init.Env = copiesOf(12)
			p.Spec.InitContainers = []corev1.Container{init, init}
		}, "spec.initContainers[1].env[7]"},
		"one ConfigMap under many prefixes": {func(_ *corev1.Pod, c *corev1.Container) {
			for i := range 30 {
				c.EnvFrom = append(c.EnvFrom, from("large", fmt.Sprintf("P%d_", i)))
			}
		}, "spec.containers[0].envFrom[20]"},
		"a value that no program takes": {func(_ *corev1.Pod, c *corev1.Container) { c.EnvFrom = []corev1.EnvFromSource{from("huge", "")} },
			"spec.containers[0].envFrom[0]"},
		"such a value by its key": {func(_ *corev1.Pod, c *corev1.Container) {
			c.Env = []corev1.EnvVar{{Name: "A"}, {Name: "B", ValueFrom: &corev1.EnvVarSource{
				ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "huge"}, Key: "k"}}}}
		}, "spec.containers[0].env[1]"},
		"command": {func(_ *corev1.Pod, c *corev1.Container) {
			c.Env = doubling(3)
			c.Command = append(c.Command, strings.Repeat("$(V3)", 16))
		}, "spec.containers[0].command[1]"},
		"args": {func(_ *corev1.Pod, c *corev1.Container) {
			c.Env = doubling(3)
			c.Args = strings.Fields(strings.Repeat("$(V3) ", 100))
		}, "spec.containers[0].args[30]"},
		"annotation": {func(p *corev1.Pod, c *corev1.Container) {
			c.Env = doubling(3)
			p.Annotations[manifest.AnnotationCommand+"app"] = "true " + strings.Repeat("$(V3) ", 100)
		}, "metadata.annotations[probity.run/command.app]"},
		"exec probe": {func(_ *corev1.Pod, c *corev1.Container) {
			c.Env = doubling(3)
			c.LivenessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: exec("true", strings.Repeat("$(V3)", 2))}}
		}, "spec.containers[0].livenessProbe.exec.command[1]"},
		"hook": {func(_ *corev1.Pod, c *corev1.Container) {
			c.Env = doubling(3)
			c.Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: exec("true", strings.Repeat("$(V3)", 2))}}
		}, "spec.containers[0].lifecycle.preStop.exec.command[1]"},
	} {
		t.Run(name, func(t *testing.T) {
			pod := examplePod(corev1.Container{Name: "app", Image: "example", Command: []string{"true"}})
			pod.APIVersion, pod.Kind, pod.Annotations = "v1", "Pod", map[string]string{}
			test.change(pod, &pod.Spec.Containers[0])
			problem := Check(manifest.Object{Resource: pod}, objects)
			if test.field == "" {
				if problem != nil {
					t.Errorf("problem = %.300v, want none", problem)
				}
				return
			}
			if problem == nil || problem.Field != test.field || !strings.Contains(problem.Message, "more than") && !strings.Contains(problem.Message, "longer than") {
				t.Errorf("problem = %.300v, want one at %s about the length", problem, test.field)
			}
		})
	}
}
