package node

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/store"
)

func TestInspection(t *testing.T) {
	const ignored = "Warning StopSignalIgnored app would be killed after 30 s on a cluster: server has no handler for SIGTERM, which process 1 of a container then ignores; " +
		"handle the signal, or start the program by an init such as tini"
	const loopback = "Warning LoopbackOnly Port 8080 (here 41001) is open on 127.0.0.1 only: on a cluster neither a probe nor a Service reaches it there; " +
		"let app listen on 0.0.0.0, or on all addresses"
	for name, test := range map[string]struct {
		server behaviour
		change func(*corev1.Pod)
		soon   []string // after 5 s
		late   []string // after 15 s
	}{
		"loopback, with a readiness probe": {behaviour{listens: "PORT", loopback: true}, withReadiness("/ready"), []string{loopback}, []string{loopback}},
		"loopback, without":                {behaviour{listens: "PORT", loopback: true}, func(*corev1.Pod) {}, nil, []string{loopback}},
		"no handler":                       {behaviour{listens: "PORT", noHandler: true}, withReadiness("/ready"), []string{ignored}, []string{ignored}},
		"no handler, and not process 1":    {behaviour{listens: "PORT", noHandler: true}, func(p *corev1.Pod) { p.Spec.ShareProcessNamespace = new(true) }, nil, nil},
		"a program for a cluster":          {behaviour{listens: "PORT"}, withReadiness("/ready"), nil, nil},
		"it ends before":                   {behaviour{listens: "PORT", noHandler: true, loopback: true, life: 5 * time.Second}, func(*corev1.Pod) {}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			playNode(t, func(t *testing.T, n *testNode) {
				n.starter.program("server", test.server)
				n.create(examplePodOf(test.change, func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyNever }))
				n.at(4 * time.Second)
				if diff := cmp.Diff(test.soon, n.events("LoopbackOnly", "StopSignalIgnored")); diff != "" {
					t.Errorf("Events, soon (-want +got):\n%s", diff)
				}
				n.at(15 * time.Second)
				if diff := cmp.Diff(test.late, n.events("LoopbackOnly", "StopSignalIgnored")); diff != "" {
					t.Errorf("Events, late (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// Replicas and restarts do not say it again; the Pods of another owner do.
func TestInspectionOncePerWorkload(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		replica := func(name string, owner types.UID) *corev1.Pod {
			return examplePodOf(withReadiness("/ready"), func(p *corev1.Pod) {
				p.Name = name
				p.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "web", UID: owner, Controller: new(true)}}
			})
		}
		n.starter.program("server", behaviour{listens: "PORT", loopback: true, noHandler: true, life: 4 * time.Second, code: 1})
		n.create(replica("web", "a"))
		n.create(replica("web-2", "a"))
		n.at(30 * time.Second)
		if got := n.events("StopSignalIgnored", "LoopbackOnly"); len(got) != 2 {
			t.Errorf("%d Events of two replicas and their restarts, want one of each: %q", len(got), got)
		}
		n.create(replica("web-3", "other"))
		n.at(60 * time.Second)
		if got := n.events("StopSignalIgnored", "LoopbackOnly"); len(got) != 4 {
			t.Errorf("%d Events of two workloads, want two of each: %q", len(got), got)
		}
	})
}

// What was said is forgotten with the last Pod of a workload.
func TestAdviceIsForgotten(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "PORT", noHandler: true})
		n.create(examplePodOf(withReadiness("/ready")))
		n.at(5 * time.Second)
		if len(n.node.advice.said) != 1 {
			t.Errorf("said: %v, want one thing", n.node.advice.said)
		}
		n.delete(0)
		n.at(6 * time.Second)
		if len(n.node.advice.said) != 0 {
			t.Errorf("said: %v, want it forgotten", n.node.advice.said)
		}
	})
}

// The kubelet's text says that nobody listens where the probe asks; a second Event says where.
func TestPortMismatchOfAPod(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*corev1.Pod)
		probe  string
	}{
		"readiness":                     {withReadiness("/ready"), "readiness"},
		"liveness, over many instances": {func(p *corev1.Pod) { withLiveness("/live")(p); p.Spec.Containers[0].LivenessProbe.FailureThreshold = 1 }, "liveness"},
	} {
		t.Run(name, func(t *testing.T) {
			playNode(t, func(t *testing.T, n *testNode) {
				n.engine.answer("/ready", failing)
				n.engine.answer("/live", failing)
				n.starter.program("server", behaviour{listens: "9000"})
				n.create(examplePodOf(test.change))
				n.at(time.Minute)
				want := "Warning PortMismatch The " + test.probe + " probe asks port 8080 (here 41001), where nothing of the Pod listens; it listens on 9000: "
				if got := n.events("PortMismatch"); len(got) != 1 || !strings.HasPrefix(got[0], want) {
					t.Errorf("Events = %q, want one: %q", got, want)
				}
			})
		})
	}
}

// TestLoopbackOfAProbe: a program that listens at an address of its own choice, where no probe
// asks, never becomes ready, and is explained all the same.
func TestLoopbackOfAProbe(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.engine.answer("/ready", failing)
		n.starter.program("server", behaviour{listens: "PORT", loopback: true})
		n.create(examplePodOf(withReadiness("/ready")))
		n.at(time.Minute)
		want := "Warning LoopbackOnly Port 8080 (here 41001) is open on 127.0.0.1 only: "
		if got := n.events("LoopbackOnly"); len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Errorf("Events = %q, want one: %q", got, want)
		}
	})
}

// A replica that goes on without its port is explained like one that exits.
func TestPortInUseWithoutAnExit(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.engine.answer("/ready", failing)
		n.sockets.listen(8080, 7)
		n.starter.program("server", behaviour{})
		n.create(examplePodOf(withReadiness("/ready")))
		n.at(10 * time.Second)
		want := []string{"Warning PortInUse Port 8080 is taken by process 7 (stranger): if app needs it, let it listen on the port in PORT, or run one replica"}
		if diff := cmp.Diff(want, n.events("PortInUse")); diff != "" {
			t.Errorf("Events (-want +got):\n%s", diff)
		}
	})
}

// A replica that listens where it was told to has no use for the declared port, whoever has it: it
// may be the Service in front of it.
func TestPortInUseByNobodyWhoMatters(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.engine.answer("/ready", failing)
		n.sockets.listen(8080, 7)
		n.starter.program("server", behaviour{listens: "PORT"})
		n.create(examplePodOf(withReadiness("/ready")))
		n.at(10 * time.Second)
		if got := n.events("PortInUse"); len(got) != 0 {
			t.Errorf("Events = %q", got)
		}
	})
}

// Events that no kubelet records say whose they are.
func TestSourceOfEvents(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "8080", noHandler: true, loopback: true})
		n.create(examplePodOf(withReadiness("/ready")))
		n.at(5 * time.Second)
		want := map[string]string{
			"Pulled": "kubelet", "Created": "kubelet", "Started": "kubelet",
			"PortIgnored": "probity", "LoopbackOnly": "probity", "StopSignalIgnored": "probity",
		}
		got := map[string]string{}
		all, _ := store.List[*corev1.Event](n.store, store.Selector{})
		for _, e := range all {
			got[e.Reason] = e.Source.Component
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("sources (-want +got):\n%s", diff)
		}
	})
}
