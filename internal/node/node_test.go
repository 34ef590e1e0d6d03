package node

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

func TestPodFromStartToDeletion(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.engine.answer("/ready", failing, failing, healthy)
		n.starter.program("server", behaviour{listens: "PORT", output: "hello\n"})
		n.create(examplePodOf(withReadiness("/ready"), func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
		}))
		server := n.starter.runs("server")[0]
		if got, want := n.containerPID(), server.pid; got != want {
			t.Errorf("pid annotation = %d, want %d", got, want)
		}
		if got, want := n.pod().Annotations[manifest.AnnotationPrivatePorts+"app"], "8080:41001"; got != want {
			t.Errorf("ports annotation = %q, want %q", got, want)
		}
		if server.env("PORT") != "41001" || server.env("HOME") != "/home/dev" {
			t.Errorf("environment = %v", server.spec.Env)
		}
		volume := server.env("PROBITY_VOLUME_TMP")
		if _, err := os.Stat(volume); err != nil {
			t.Error(err)
		}
		if server.spec.Container != "default/web/app" || server.spec.OOMScore != oomBestEffort {
			t.Errorf("owner %q with score %d", server.spec.Container, server.spec.OOMScore)
		}
		n.at(10 * time.Second)
		if pod := n.pod(); pod.Status.Phase != corev1.PodRunning || !isReady(&pod.Status) {
			t.Errorf("status = %+v, want Running and Ready", pod.Status)
		}
		n.delete(-1)
		if pod := n.pod(); pod != nil {
			t.Errorf("the Pod is still there: %+v", pod.Status)
		}
		if _, err := os.Stat(volume); !os.IsNotExist(err) {
			t.Errorf("the volume is still there: %v", err)
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(filepath.Dir(volume)), "app", "0.log")); err != nil {
			t.Errorf("the log is gone: %v", err)
		}
		n.check([]string{"0s start server", "10s withdraw", "10s signal server SIGTERM", "10s exit server 143", "10s withdraw", "10s withdraw",
			"10s gone: exited on SIGTERM"}, "start", "withdraw", "admit", "signal", "kill", "exit", "gone:")
		want := []string{`Normal Pulled Container image "example" already present on machine and can be accessed by the pod`, "Normal Created Container created", "Normal Started Container started",
			"Warning Unhealthy Readiness probe failed: HTTP probe failed with statuscode: 500",
			"Warning Unhealthy Readiness probe failed: HTTP probe failed with statuscode: 500",
			"Normal Killing Stopping container app"}
		if diff := cmp.Diff(want, n.events()); diff != "" {
			t.Errorf("Events (-want +got):\n%s", diff)
		}
	})
}

func TestStubbornPodIsKilledAfterItsGrace(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "PORT", stubborn: true})
		n.create(examplePodOf())
		n.at(time.Second)
		n.delete(5)
		n.at(3 * time.Second)
		if pod := n.pod(); pod == nil || pod.DeletionTimestamp == nil {
			t.Error("the Pod is gone before its process")
		}
		n.at(time.Minute)
		n.check([]string{"0s start server", "1s signal server SIGTERM", "6s kill server", "6s exit server 137", "6s gone: was killed by SIGKILL"},
			"start", "signal", "kill", "exit", "gone:")
		if pod := n.pod(); pod != nil {
			t.Errorf("the Pod is still there: %+v", pod.Status)
		}
	})
}

func TestSecondDeletionShortensTheGrace(t *testing.T) { // R162
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "PORT", stubborn: true})
		n.create(examplePodOf())
		n.delete(20)
		n.at(2 * time.Second)
		n.delete(1)
		n.at(time.Minute)
		n.check([]string{"0s signal server SIGTERM", "4s kill server"}, "signal", "kill")
	})
}

func TestRestartWithBackOff(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "PORT", life: time.Second, code: 1})
		n.create(examplePodOf())
		n.at(50 * time.Second)
		n.check([]string{"0s start server", "1s exit server 1", "1s start server", "2s exit server 1", "12s start server", "13s exit server 1",
			"33s start server", "34s exit server 1"}, "start", "exit")
		status := n.pod().Status.ContainerStatuses[0]
		if status.RestartCount != 3 || status.State.Waiting == nil || status.State.Waiting.Reason != "CrashLoopBackOff" {
			t.Errorf("status = %+v", status)
		}
		if pid := n.containerPID(); pid != 0 {
			t.Errorf("pid annotation = %d while nothing runs", pid)
		}
	})
}

func TestMaxRestartPeriod(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "PORT", life: time.Second, code: 1})
		n.create(examplePodOf())
		n.at(11 * time.Second)
		if got := len(n.starter.runs("server")); got != 5 {
			t.Errorf("%d starts in 11 s, want 5: %v", got, n.of("start"))
		}
	}, func(o *Options) { o.MaxRestartPeriod = 2 * time.Second })
}

func TestPodThatSucceeds(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{life: time.Second})
		n.create(examplePodOf(func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyOnFailure }))
		n.at(time.Minute)
		if phase := n.pod().Status.Phase; phase != corev1.PodSucceeded {
			t.Errorf("phase = %s", phase)
		}
		n.delete(0) // it has no process that could hold it up
		if pod := n.pod(); pod != nil {
			t.Errorf("the Pod is still there: %+v", pod.Status)
		}
		n.check([]string{"0s start server", "1s exit server 0", "1s gone: exited with code 0"}, "start", "exit", "gone:")
	})
}

func TestInitContainersAndSidecars(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("migrate", behaviour{life: 2 * time.Second})
		n.starter.program("proxy", behaviour{term: time.Second})
		n.create(examplePodOf(func(p *corev1.Pod) {
			p.Spec.InitContainers = []corev1.Container{
				{Name: "migrate", Image: "example", Command: []string{"migrate"}},
				{Name: "proxy", Image: "example", Command: []string{"proxy"}, RestartPolicy: new(corev1.ContainerRestartPolicyAlways)},
			}
		}))
		n.at(5 * time.Second)
		n.delete(-1)
		n.at(time.Minute)
		n.check([]string{"0s start migrate", "2s exit migrate 0", "2s start proxy", "2s start server", "5s signal server SIGTERM", "5s exit server 143",
			"5s signal proxy SIGTERM", "6s exit proxy 143"}, "start", "signal", "exit")
		// only the container with ports serves requests
		n.check([]string{"5s gone: exited on SIGTERM"}, "gone:")
	})
}

func TestReadinessGate(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		pod := n.create(examplePodOf(func(p *corev1.Pod) {
			p.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "example.com/warm"}}
		}))
		n.at(time.Second)
		if isReady(&n.pod().Status) {
			t.Error("the Pod is Ready before its gate is open")
		}
		n.modify(pod, func(p *corev1.Pod) {
			p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: "example.com/warm", Status: corev1.ConditionTrue})
		})
		if status := n.pod().Status; !isReady(&status) {
			t.Errorf("the Pod is not Ready: %+v", status.Conditions)
		}
	})
}

func TestPodsOfOtherNodesAreLeftAlone(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.create(examplePodOf(func(p *corev1.Pod) { p.Spec.NodeName = "elsewhere" }))
		n.at(time.Second)
		n.check(nil, "start")
		n.delete(0)
	})
}

func TestPodDeletedBeforeTheNodeRuns(t *testing.T) {
	playNodeAfter(t, func(n *testNode) {
		n.createOnly(examplePodOf())
		n.deleteOnly(30)
	}, func(t *testing.T, n *testNode) {
		n.at(time.Second)
		n.check(nil, "start")
		if pod := n.pod(); pod != nil {
			t.Errorf("the Pod is still there: %+v", pod.Status)
		}
	})
}

func TestAbort(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "PORT", stubborn: true})
		n.create(examplePodOf(withLifecycle(corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 10}}})))
		n.at(time.Second)
		n.delete(-1)
		n.at(2 * time.Second)
		n.node.Abort()
		n.at(3 * time.Second)
		n.check([]string{"0s start server", "2s kill server", "2s exit server 137"}, "start", "signal", "kill", "exit")
		if pod := n.pod(); pod != nil {
			t.Errorf("the Pod is still there: %+v", pod.Status)
		}
	})
}

func TestRunKillsWhatIsLeft(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) { // playNode checks that nothing is
		n.starter.program("server", behaviour{listens: "PORT", stubborn: true, killTakes: 2 * time.Second})
		n.create(examplePodOf(withReadiness("/ready")))
		n.at(time.Second)
		n.stop()
		n.at(10 * time.Second)
		n.check([]string{"0s start server", "1s kill server", "3s exit server 137"}, "start", "signal", "kill", "exit")
	})
}
