package node

import (
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
)

func TestExitText(t *testing.T) {
	for want, test := range map[string]struct {
		exit process.Exit
		stop syscall.Signal
	}{
		"exited with code 3":    {process.Exit{Code: 3}, 0},
		"exited on SIGTERM":     {process.Exit{Code: 0}, syscall.SIGTERM},
		"exited on SIGQUIT":     {process.Exit{Code: 131, Signal: syscall.SIGQUIT}, syscall.SIGQUIT},
		"was killed by SIGKILL": {process.Exit{Code: 137, Signal: syscall.SIGKILL}, syscall.SIGTERM},
		"was killed by SIGSEGV": {process.Exit{Code: 139, Signal: syscall.SIGSEGV}, 0},
	} {
		if got := exitText(test.exit, test.stop); got != want {
			t.Errorf("exitText(%+v, %v) = %q, want %q", test.exit, test.stop, got, want)
		}
	}
}

func TestServes(t *testing.T) {
	app := corev1.Container{Name: "app", Ports: []corev1.ContainerPort{{ContainerPort: 8080}}}
	helper := corev1.Container{Name: "helper"}
	for name, test := range map[string]struct {
		containers []corev1.Container
		want       bool // of the last one
	}{
		"the one with ports":           {[]corev1.Container{helper, app}, true},
		"one beside it":                {[]corev1.Container{app, helper}, false},
		"any, if none declares a port": {[]corev1.Container{{Name: "other"}, helper}, true},
	} {
		t.Run(name, func(t *testing.T) {
			spec := &corev1.PodSpec{Containers: test.containers}
			if got := serves(spec, &spec.Containers[1]); got != test.want {
				t.Errorf("serves = %v, want %v", got, test.want)
			}
		})
	}
}
