package node

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
)

func TestStartsThatFail(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(*corev1.Pod)
		server  behaviour
		reason  string // of waiting, afterwards
		message string // of the Event
	}{
		"a missing ConfigMap": {
			change: func(p *corev1.Pod) {
				p.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "cm"}}}}
			},
			reason: "CreateContainerConfigError", message: `configmap "cm" not found`,
		},
		"a missing Secret of a volume": {
			change: func(p *corev1.Pod) {
				p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "s"}}}}
			},
			reason: "CreateContainerConfigError", message: `secret "s" not found`,
		},
		"no command": {
			change: func(p *corev1.Pod) { p.Spec.Containers[0].Command = nil },
			reason: "CreateContainerConfigError", message: `cannot run image "example" of container app here: say which program stands for it, with the Pod annotation ` +
				`probity.run/command.app: ./program --flag, or with --command app='./program --flag'`,
		},
		"a program that cannot run": {
			server: behaviour{startErr: fmt.Errorf("no such file")},
			reason: "CrashLoopBackOff", message: "no such file", // an instance that failed
		},
		"a machine that is short of something": {
			server: behaviour{startErr: fmt.Errorf("cannot fork: %w", process.ErrShortage)},
			reason: "CreateContainerError", message: "cannot fork: " + process.ErrShortage.Error(),
		},
		"a shepherd that is gone": {
			server: behaviour{startErr: process.ErrShepherdGone},
			reason: "CreateContainerError", message: process.ErrShepherdGone.Error(),
		},
	} {
		t.Run(name, func(t *testing.T) {
			playNode(t, func(t *testing.T, n *testNode) {
				n.starter.program("server", test.server)
				change := test.change
				if change == nil {
					change = func(*corev1.Pod) {}
				}
				n.create(examplePodOf(change))
				waiting := n.pod().Status.ContainerStatuses[0].State.Waiting
				if waiting == nil || waiting.Reason != test.reason {
					t.Errorf("waiting = %+v, want %s", waiting, test.reason)
				}
				if diff := cmp.Diff([]string{"Warning Failed Error: " + test.message}, n.events("Failed")[:1]); diff != "" {
					t.Errorf("Event (-want +got):\n%s", diff)
				}
				n.check(nil, "start")
			})
		})
	}
}

// What was missing is looked up again at the next try.
func TestStartAfterTheConfigMapAppears(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.create(examplePodOf(func(p *corev1.Pod) {
			p.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "cm"}}}}
		}))
		n.check(nil, "start")
		if _, err := store.Create(n.store, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "cm"}, Data: map[string]string{"MODE": "fast"}}); err != nil {
			t.Fatal(err)
		}
		n.until("a start", func() bool { return len(n.starter.runs("server")) > 0 })
		if got := n.starter.runs("server")[0].env("MODE"); got != "fast" {
			t.Errorf("MODE = %q, want fast", got)
		}
	})
}

// What a ConfigMap makes too long is only known when it is there: the program runs, its probe
// errors and the hook fails, with the field that is to blame, and nothing of them is started.
func TestHandlersThatAreTooLongAtRunTime(t *testing.T) {
	const tooLong = "exec.command[1]: it is longer than 131071 bytes once $(NAME) is replaced in it"
	command := []string{"check", "$(B)$(B)"}
	for name, test := range map[string]struct {
		change func(*corev1.Pod)
		want   map[string]string // a part of the message of an Event, by reason
		order  []string
	}{
		"a probe": {func(p *corev1.Pod) {
			p.Spec.Containers[0].LivenessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: command}}, PeriodSeconds: 1,
				TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: 1}
		}, map[string]string{"Unhealthy": "Liveness probe errored and resulted in unknown state: cannot use " + tooLong}, []string{"start server"}},
		"a hook at the start": {withLifecycle(corev1.Lifecycle{PostStart: execAction(command...)}), map[string]string{"FailedPostStartHook": ""},
			[]string{"start server", "signal server SIGTERM", "exit server 143"}},
	} {
		t.Run(name, func(t *testing.T) {
			playNode(t, func(t *testing.T, n *testNode) {
				if _, err := store.Create(n.store, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "cm"},
					Data: map[string]string{"k": strings.Repeat("x", 100_000)}}); err != nil {
					t.Fatal(err)
				}
				n.create(examplePodOf(test.change, func(p *corev1.Pod) {
					p.Spec.RestartPolicy = corev1.RestartPolicyNever
					p.Spec.Containers[0].Env = []corev1.EnvVar{
						{Name: "A", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "cm"}, Key: "k"}}},
						{Name: "B", Value: "$(A)"}}
				}))
				n.at(5 * time.Second)
				n.checkOrder(test.order, "start", "fail", "signal", "exit")
				for reason, part := range test.want {
					if got := n.events(reason); len(got) == 0 || !strings.Contains(got[0], part) {
						t.Errorf("Events %s are %.300q, want one with %q", reason, got, part)
					}
				}
			})
		})
	}
}

func TestFollow(t *testing.T) {
	var mu sync.Mutex
	var lines []string
	follow := func(pod *corev1.Pod, container string, entry process.LogEntry) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, pod.Name+" "+container+" "+string(entry.Text))
	}
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "PORT", output: "one\ntwo\n"})
		n.create(examplePodOf())
		synctest.Wait()
		n.at(time.Second)
	}, func(o *Options) { o.Follow = follow })
	if want := []string{"web app one", "web app two"}; !slices.Equal(lines, want) {
		t.Errorf("lines = %q, want %q", lines, want)
	}
}
