package lifecycle

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// restartAllOn gives a container the restart policy Never and rules of which the first that matches
// counts.
func restartAllOn(rules ...corev1.ContainerRestartRule) func(*corev1.Container) {
	return func(c *corev1.Container) {
		c.RestartPolicy = new(corev1.ContainerRestartPolicyNever)
		c.RestartPolicyRules = rules
	}
}

func rule(action corev1.ContainerRestartRuleAction, codes ...int32) corev1.ContainerRestartRule {
	return corev1.ContainerRestartRule{
		Action:    action,
		ExitCodes: &corev1.ContainerRestartRuleOnExitCodes{Operator: corev1.ContainerRestartRuleOnExitCodesOpIn, Values: codes},
	}
}

const (
	restartOne   = corev1.ContainerRestartRuleActionRestart
	restartWhole = corev1.ContainerRestartRuleActionRestartAllContainers
)

func TestFirstRuleCounts(t *testing.T) { // R125
	c := &corev1.Container{RestartPolicyRules: []corev1.ContainerRestartRule{{Action: restartOne}, rule(restartOne, 1), rule(restartWhole, 1, 88)}}
	for code, want := range map[int32]corev1.ContainerRestartRuleAction{0: "", 1: restartOne, 88: restartWhole} {
		if got := ruleAction(c, code); got != want {
			t.Errorf("exit %d: %q, want %q", code, got, want)
		}
	}
}

// restartAllPod has a plain init container, a sidecar, a main container and a watcher, which asks
// for a restart of all.
func restartAllPod() corev1.PodSpec {
	named := func(name string, change ...func(*corev1.Container)) corev1.Container {
		c := corev1.Container{Name: name, Image: "example"}
		for _, f := range change {
			f(&c)
		}
		return c
	}
	sidecar := func(c *corev1.Container) { c.RestartPolicy = new(corev1.ContainerRestartPolicyAlways) }
	return corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever, TerminationGracePeriodSeconds: new(int64(30)),
		InitContainers: []corev1.Container{named("setup"), named("proxy", sidecar)},
		Containers: []corev1.Container{
			named("main", func(c *corev1.Container) {
				c.Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"bye"}}}}
			}),
			named("watcher", restartAllOn(rule(restartWhole, 88))),
		},
	}
}

func TestRestartAllContainers(t *testing.T) { // R223–R225
	w := newTestNode(t, restartAllPod(), Options{})
	w.scripts["setup"].life = func(int) exit { return exit{after: time.Second} }
	w.scripts["proxy"].life = func(int) exit { return exit{never: true} }
	w.scripts["main"].life = func(int) exit { return exit{never: true} }
	w.scripts["main"].term = func(int) exit { return exit{never: true} }
	w.scripts["proxy"].term = func(int) exit { return exit{after: time.Second, code: 0} }
	w.scripts["watcher"].life = func(n int) exit { return exit{after: 5 * time.Second, code: 88, never: n > 1} }
	w.run(time.Minute)
	want := []string{
		"0s start setup #1", "1s start proxy #1", "1s start main #1", "1s start watcher #1",
		"6s exit watcher #1 code 88",
		"6s Normal Killing killing", "6s SIGTERM to main", // without preStop
		"6s cond AllContainersRestarting is True RestartAllContainersStarted container exited with restart policy rule",
		"8s SIGKILL to main", "8s exit main #1 code 137",
		"8s Normal Killing killing", "8s SIGTERM to proxy", "9s exit proxy #1 code 0",
		"9s start setup #2", "9s cond AllContainersRestarting is False",
		"10s start proxy #2", "10s start main #2", "10s start watcher #2",
	}
	got := w.seen("start ", "exit watcher", "exit main", "exit proxy", "Killing", "SIG", "hook", "AllContainersRestarting is True", "AllContainersRestarting is False")
	for i, line := range got { // the first status of all
		if line == "0s cond AllContainersRestarting is False" {
			got = append(got[:i:i], got[i+1:]...)
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	phases := []string{"0s pod is Pending", "1s pod is Running", "9s pod is Pending", "10s pod is Running"}
	if diff := cmp.Diff(phases, w.seen("pod is")); diff != "" {
		t.Errorf("phases (-want +got):\n%s", diff)
	}
	for _, name := range []string{"setup", "proxy", "main", "watcher"} {
		s := w.containerStatus(name)
		if s.RestartCount != 1 || s.LastTerminationState.Terminated == nil || s.LastTerminationState.Terminated.Reason != restartingAll {
			t.Errorf("%s: %d restarts, last state %+v, want 1, %s", name, s.RestartCount, s.LastTerminationState.Terminated, restartingAll)
		}
	}
	if c := w.condition(corev1.PodInitialized); c.Status != corev1.ConditionTrue {
		t.Errorf("Initialized = %+v", c)
	}
}

// A Pod of one container shows the restart, has no back-off, and can do it again and again.
func TestRestartAllOfOneContainer(t *testing.T) {
	spec := corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "app", Image: "example"}}}
	restartAllOn(rule(restartWhole, 88))(&spec.Containers[0])
	w := newTestNode(t, spec, Options{})
	w.scripts["app"].life = func(n int) exit { return exit{after: time.Second, code: []int32{88, 88, 88, 3}[n-1]} }
	w.run(time.Hour)
	want := []string{
		"0s start app #1", "1s app is Terminated Error 88", "1s cond AllContainersRestarting is True RestartAllContainersStarted container exited with restart policy rule",
		"1s start app #2", "1s app is Waiting RestartingAllContainers",
		"2s app is Terminated Error 88", "2s cond AllContainersRestarting is True RestartAllContainersStarted container exited with restart policy rule",
		"2s start app #3", "2s app is Waiting RestartingAllContainers",
		"3s app is Terminated Error 88", "3s cond AllContainersRestarting is True RestartAllContainersStarted container exited with restart policy rule",
		"3s start app #4", "3s app is Waiting RestartingAllContainers",
		"4s app is Terminated Error 3", "4s pod is Failed", "4s cond AllContainersRestarting is False PodFailed",
	}
	if diff := cmp.Diff(want, w.seen("start ", "app is Term", "app is Waiting Restarting", "AllContainersRestarting is True", "Restarting is False Pod", "pod is Failed", "BackOff")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Probes of the old round count for nothing: two failures before the restart do not make the first
// one after it the third.
func TestRestartAllForgetsProbes(t *testing.T) { // R226
	spec := restartAllPod()
	spec.InitContainers = nil
	spec.Containers[0].LivenessProbe = &corev1.Probe{PeriodSeconds: 1, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: 3}
	w := newTestNode(t, spec, Options{})
	w.scripts["main"].life = func(int) exit { return exit{never: true} }
	w.scripts["watcher"].life = func(n int) exit { return exit{after: 2 * time.Second, code: 88, never: n > 1} }
	w.scripts["main"].probe = func(r probeRun) answer {
		if r.instance == 1 || r.n == 1 {
			return answer{outcome: OutcomeFailure}
		}
		return answer{outcome: OutcomeSuccess}
	}
	w.run(20 * time.Second)
	if got := w.seen("main #2"); len(got) < 2 || w.containerStatus("main").State.Running == nil {
		t.Errorf("main does not run, the probes of the first round counted: %v", got)
	}
}

// A deletion ends a restart of all containers; nothing starts again.
func TestDeletionDuringRestartAll(t *testing.T) { // R126
	w := newTestNode(t, restartAllPod(), Options{})
	w.scripts["setup"].life = func(int) exit { return exit{after: time.Second} }
	for _, name := range []string{"proxy", "main"} {
		w.scripts[name].life = func(int) exit { return exit{never: true} }
		w.scripts[name].term = func(int) exit { return exit{after: time.Second} }
	}
	w.scripts["watcher"].life = func(n int) exit { return exit{after: 5 * time.Second, code: 88, never: n > 1} }
	w.at(6500*time.Millisecond, Deleted{Grace: 5 * time.Second})
	w.run(time.Minute)
	if got := w.seen(" #2", "finished"); len(got) != 1 {
		t.Errorf("after the deletion: %v, want only the end", got)
	}
}

// An init container that asks for it during the initialization starts the Pod from its beginning.
func TestRestartAllDuringInitialization(t *testing.T) {
	spec := corev1.PodSpec{
		RestartPolicy:  corev1.RestartPolicyNever,
		InitContainers: []corev1.Container{{Name: "first", Image: "example"}, {Name: "second", Image: "example"}},
		Containers:     []corev1.Container{{Name: "app", Image: "example"}},
	}
	restartAllOn(rule(restartWhole, 88))(&spec.InitContainers[1])
	w := newTestNode(t, spec, Options{})
	w.scripts["first"].life = func(int) exit { return exit{after: time.Second} }
	w.scripts["second"].life = func(n int) exit { return exit{after: time.Second, code: []int32{88, 0}[n-1]} }
	w.scripts["app"].life = func(int) exit { return exit{never: true} }
	w.run(time.Minute)
	want := []string{
		"0s start first #1", "0s pod is Pending", "1s exit first #1 code 0", "1s start second #1", "2s exit second #1 code 88",
		"2s start first #2", "3s exit first #2 code 0", "3s start second #2", "4s exit second #2 code 0", "4s start app #1", "4s pod is Running",
	}
	if diff := cmp.Diff(want, w.seen(" #", "pod is")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := w.containerStatus("app").RestartCount; got != 0 {
		t.Errorf("app has %d restarts, want 0", got)
	}
}
