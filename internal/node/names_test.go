package node

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/program"
)

// fakeNames gives every Pod a namespace of its own and writes Services in capitals.
type fakeNames struct {
	mu       sync.Mutex // guards what follows
	refusals int        // how often Prepare fails first
	calls    []string
}

func (f *fakeNames) Prepare(pod *corev1.Pod) (PodNames, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, "prepare "+pod.Name)
	if f.refusals > 0 {
		f.refusals--
		return PodNames{}, errors.New("the disk is full")
	}
	return PodNames{Hostname: "front", Namespace: &process.Namespace{Key: string(pod.UID)}}, nil
}

func (f *fakeNames) Variable(_ *corev1.Pod, container string, v program.Variable) string {
	return strings.ReplaceAll(v.Value, "store:80", "STORE of "+container)
}

func (f *fakeNames) Release(pod *corev1.Pod) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, "release "+pod.Name)
	return nil
}

// TestNamesOfPod: whatever runs for a Pod runs in its namespace, with its variables: init
// containers, sidecars, restarts, exec probes and hooks.
func TestNamesOfPod(t *testing.T) {
	names := &fakeNames{}
	playNode(t, func(t *testing.T, n *testNode) {
		for _, short := range []string{"prepare", "check", "hello", "bye"} {
			n.starter.program(short, behaviour{life: time.Millisecond})
		}
		n.starter.program("server", behaviour{listens: "PORT", life: 30 * time.Second}, behaviour{listens: "PORT"})
		n.create(examplePodOf(withLifecycle(corev1.Lifecycle{PostStart: execAction("hello", "$(URL)"), PreStop: execAction("bye")}), func(p *corev1.Pod) {
			always := corev1.ContainerRestartPolicyAlways
			p.Spec.InitContainers = []corev1.Container{{Name: "prepare", Command: []string{"prepare"}}, {Name: "side", Command: []string{"side"}, RestartPolicy: &always}}
			app := &p.Spec.Containers[0]
			app.ReadinessProbe = &corev1.Probe{PeriodSeconds: 1, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: 3}
			app.ReadinessProbe.Exec = &corev1.ExecAction{Command: []string{"check"}}
			app.Command = append(app.Command, "$(URL)")
			app.Env = []corev1.EnvVar{{Name: "URL", Value: "http://store:80/"}, {Name: "OTHER", Value: "$(URL)x"}}
		}))
		n.at(time.Minute)
		n.delete(-1)
		n.at(2 * time.Minute)
		if got := len(n.starter.runs("server")); got != 2 {
			t.Fatalf("server was started %d times, want 2", got)
		}
		first := n.starter.runs("prepare")[0].spec.Namespace
		if first == nil {
			t.Fatal("the init container has no namespace")
		}
		for _, name := range []string{"prepare", "side", "server", "check", "hello", "bye"} {
			runs := n.starter.runs(name)
			if len(runs) == 0 {
				t.Errorf("%s was not started", name)
			}
			for _, p := range runs {
				if p.spec.Namespace != first || !slices.Contains(p.spec.Env, "HOSTNAME=front") {
					t.Errorf("%s runs in %+v with %q", name, p.spec.Namespace, p.spec.Env)
				}
			}
		}
		server := n.starter.runs("server")[0].spec
		if diff := cmp.Diff([]string{"server", "http://STORE of app/"}, server.Argv); diff != "" {
			t.Errorf("command (-want +got):\n%s", diff)
		}
		for _, want := range []string{"URL=http://STORE of app/", "OTHER=http://STORE of app/x"} {
			if !slices.Contains(server.Env, want) {
				t.Errorf("%q is not in %q", want, server.Env)
			}
		}
		if diff := cmp.Diff([]string{"hello", "http://STORE of app/"}, n.starter.runs("hello")[0].spec.Argv); diff != "" {
			t.Errorf("hook (-want +got):\n%s", diff)
		}
	}, func(o *Options) { o.Names = names; o.Environ = append(o.Environ, "HOSTNAME=laptop") })
	if diff := cmp.Diff([]string{"prepare web", "release web"}, names.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// TestNamesThatFail: nothing starts without the Pod's names, and it is tried again.
func TestNamesThatFail(t *testing.T) {
	names := &fakeNames{refusals: 1}
	playNode(t, func(t *testing.T, n *testNode) {
		n.create(examplePodOf())
		n.at(time.Minute)
		if diff := cmp.Diff([]string{"Warning Failed Error: the disk is full"}, n.events("Failed")); diff != "" {
			t.Errorf("Events (-want +got):\n%s", diff)
		}
		if got := len(n.starter.runs("server")); got != 1 {
			t.Errorf("server was started %d times, want 1", got)
		}
	}, func(o *Options) { o.Names = names })
	if diff := cmp.Diff([]string{"prepare web", "prepare web", "release web"}, names.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// TestManifestHostname: the manifest's variable wins.
func TestManifestHostname(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.create(examplePodOf(func(p *corev1.Pod) { p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "HOSTNAME", Value: "mine"}} }))
		if env := n.starter.runs("server")[0].spec.Env; !slices.Contains(env, "HOSTNAME=mine") {
			t.Errorf("environment %q", env)
		}
	}, func(o *Options) { o.Names = &fakeNames{} })
}
