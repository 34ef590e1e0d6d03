package node

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

const portIgnored = "Normal PortIgnored The program listens on containerPort 8080 although PORT told it 41001, so 8080 is the Pod's port; " +
	"a second replica of it cannot run on this machine"

// A program that ignores PORT is found where it listens, with a probe and without.
func TestAdoptionOfTheDeclaredPort(t *testing.T) {
	for name, change := range map[string]func(*corev1.Pod){
		"with a probe": withReadiness("/ready"),
		"without":      func(*corev1.Pod) {},
	} {
		t.Run(name, func(t *testing.T) {
			playNode(t, func(t *testing.T, n *testNode) {
				n.starter.program("server", behaviour{listens: "8080"})
				n.create(examplePodOf(change))
				n.at(5 * time.Second)
				if !isReady(&n.pod().Status) {
					t.Errorf("the Pod is not Ready: %+v", n.pod().Status.Conditions)
				}
				if got, want := n.pod().Annotations[manifest.AnnotationPrivatePorts+"app"], "8080:8080"; got != want {
					t.Errorf("ports annotation = %q, want %q", got, want)
				}
				if diff := cmp.Diff([]string{portIgnored}, n.events("PortIgnored")); diff != "" {
					t.Errorf("Events (-want +got):\n%s", diff)
				}
				for _, line := range n.of("get") {
					if want := "get 127.0.0.1:8080/ready"; !strings.HasSuffix(line, want) {
						t.Errorf("attempt %q, want %s", line, want)
					}
				}
			})
		})
	}
}

// The watch goes on as long as the program runs: a Service may wait for what it finds.
func TestPortWatchGoesOn(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{})
		n.create(examplePodOf())
		n.at(10 * time.Minute)
		if got := n.pod().Annotations[manifest.AnnotationBound]; got != "" {
			t.Errorf("bound annotation = %q before the program listens", got)
		}
		n.sockets.listen(8080, n.containerPID())
		n.at(10*time.Minute + 2*portWatchPeriod)
		if diff := cmp.Diff([]string{portIgnored}, n.events("PortIgnored")); diff != "" {
			t.Errorf("Events (-want +got):\n%s", diff)
		}
		if got, want := n.pod().Annotations[manifest.AnnotationBound], "8080=127.0.0.1"; got != want {
			t.Errorf("bound annotation = %q, want %q", got, want)
		}
	})
}

// A Pod with fixed ports is watched, too: whether a Service of that number can be served depends on
// which addresses it takes.
func TestFixedPortIsSeen(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "8080"})
		n.create(examplePodOf(annotated(manifest.AnnotationPorts, "fixed")))
		n.at(time.Second)
		if got, want := n.pod().Annotations[manifest.AnnotationBound], "8080=127.0.0.1"; got != want {
			t.Errorf("bound annotation = %q, want %q", got, want)
		}
	})
}

// A probe notices before the watch looks again.
func TestAdoptionByAProbe(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.engine.answer("/ready", failing)
		n.starter.program("server", behaviour{})
		n.create(examplePodOf(withReadiness("/ready")))
		n.at(65 * time.Second)
		n.sockets.listen(8080, n.containerPID())
		n.engine.answer("/ready", healthy)
		n.untilReady(true)
		if diff := cmp.Diff([]string{portIgnored}, n.events("PortIgnored")); diff != "" {
			t.Errorf("Events (-want +got):\n%s", diff)
		}
		n.until("an annotation", func() bool { return n.pod().Annotations[manifest.AnnotationPrivatePorts+"app"] == "8080:8080" })
		gets := n.of("get")
		if last, want := gets[len(gets)-1], "get 127.0.0.1:8080/ready"; !strings.HasSuffix(last, want) {
			t.Errorf("last attempt: %q, want %s", last, want)
		}
	})
}

// A second replica of a program that ignores PORT finds its port taken, and its failure is
// explained.
func TestPortInUse(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.sockets.listen(8080, 7)
		n.starter.program("server", behaviour{life: time.Second, code: 1})
		n.create(examplePodOf(withReadiness("/ready")))
		n.at(5 * time.Second)
		want := "Warning PortInUse Port 8080 is taken by process 7 (stranger): if app needs it, let it listen on the port in PORT, or run one replica"
		if got := n.events("PortInUse"); len(got) == 0 || got[0] != want {
			t.Errorf("Events = %q, want %q", got, want)
		}
	})
}

// The one who has the port may be another Pod, by a process that its container started.
func TestPortInUseByAnotherPod(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "PORT"}, behaviour{life: time.Second, code: 1})
		n.create(examplePodOf())
		n.until("a process", func() bool { return n.pod().Annotations[AnnotationPID+"app"] != "" })
		child := n.containerPID() + 1000
		n.node.machine.parent = func(pid int) int { return pid - 500 } // the grandchild of the container
		n.sockets.listen(8080, child)
		second := examplePodOf()
		second.Name, second.UID = "second", "second"
		n.createOnly(second)
		n.until("an Event", func() bool { return len(n.events("PortInUse")) > 0 })
		want := fmt.Sprintf("Warning PortInUse Port 8080 is taken by process %d (stranger) of Pod web: if app needs it, let it listen on the port in PORT, or run one replica", child)
		if got := n.events("PortInUse"); got[0] != want {
			t.Errorf("Events = %q, want %q", got, want)
		}
	})
}

// A program whose private port somebody else has gets another one, instead of failing for ever.
func TestAnotherPrivatePort(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.sockets.listen(41001, 7)
		n.starter.program("server", behaviour{life: time.Second, code: 1}, behaviour{listens: "PORT"})
		n.create(examplePodOf(withReadiness("/ready")))
		n.untilReady(true)
		want := []string{"Warning PortInUse Private port 41001 of containerPort 8080 is taken by process 7 (stranger): from the next start on it is 41002"}
		if diff := cmp.Diff(want, n.events("PortInUse")); diff != "" {
			t.Errorf("Events (-want +got):\n%s", diff)
		}
		runs := n.starter.runs("server")
		if got := runs[len(runs)-1].env("PORT"); len(runs) != 2 || got != "41002" {
			t.Errorf("%d runs, PORT of the last %s", len(runs), got)
		}
		if got := n.pod().Annotations[manifest.AnnotationPrivatePorts+"app"]; got != "8080:41002" {
			t.Errorf("the annotation says %s", got)
		}
		gets := n.of("get")
		if last, want := gets[len(gets)-1], "get 127.0.0.1:41002/ready"; !strings.HasSuffix(last, want) {
			t.Errorf("last attempt: %q, want %s", last, want)
		}
	})
}

// Other containers of the Pod find a port in PORT_8080 for as long as they run, so it stays.
func TestPrivatePortOthersWereTold(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.sockets.listen(41001, 7)
		n.starter.program("server", behaviour{life: time.Second, code: 1})
		n.starter.program("other", behaviour{})
		n.create(examplePodOf(func(p *corev1.Pod) {
			p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "other", Image: "example", Command: []string{"other"}})
		}))
		n.until("two runs", func() bool { return len(n.starter.runs("server")) > 1 })
		want := "Warning PortInUse Private port 41001 of containerPort 8080 is taken by process 7 (stranger): end that process, as the Pod's other containers were told this port"
		if got := n.events("PortInUse"); len(got) == 0 || got[0] != want {
			t.Errorf("Events = %q, want %q", got, want)
		}
		if got := n.starter.runs("server")[1].env("PORT"); got != "41001" {
			t.Errorf("PORT = %s", got)
		}
	})
}

// An answer of somebody else's process never makes a Pod Ready.
func TestStrangerOnThePrivatePort(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{})
		n.sockets.listen(41001, 7)
		n.create(examplePodOf(withReadiness("/ready")))
		n.at(5 * time.Second)
		n.check(nil, "get")
		if isReady(&n.pod().Status) {
			t.Error("the Pod is Ready")
		}
		want := "Warning Unhealthy Readiness probe failed: port 41001 does not belong to this Pod: process 7 (stranger) listens there"
		if got := n.events("Unhealthy"); len(got) == 0 || got[0] != want {
			t.Errorf("Events = %q, want %q", got, want)
		}
	})
}

func TestFixedPortOfAPod(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.create(examplePodOf(withReadiness("/ready"), annotated(manifest.AnnotationPorts, "fixed")))
		n.untilReady(true)
		if got := n.starter.runs("server")[0].env("PORT"); got != "8080" {
			t.Errorf("PORT = %s, want 8080", got)
		}
		n.checkOrder([]string{"get 127.0.0.1:8080/ready"}, "get")
		if n.pool.last != 41000 {
			t.Error("a private port was taken")
		}
	})
}
