package node

import (
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// The Pod leaves the routes before anything of its termination happens.
func TestOrderOfATermination(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("bye", behaviour{life: time.Millisecond})
		n.create(examplePodOf(withLifecycle(corev1.Lifecycle{PreStop: execAction("bye")})))
		n.delete(-1)
		n.at(time.Second)
		n.checkOrder([]string{"leave ports to app", "start server", "withdraw", "start bye", "exit bye 0", "withdraw", "signal server SIGTERM", "exit server 143",
			"withdraw", "end of app, failed true", "withdraw", "gone: exited on SIGTERM"})
	})
}

// The ports of a program are left to it before it is started, also if that comes to nothing.
func TestPortsAreLeftToAProgram(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{startErr: errors.New("no such file")}, behaviour{life: time.Millisecond})
		n.create(examplePodOf())
		n.until("an exit", func() bool { return len(n.of("end")) > 0 })
		n.checkOrder([]string{"leave ports to app", "no start of app", "leave ports to app", "start server", "end of app, failed false"},
			"leave", "no", "start", "end")
	})
}

func TestDrain(t *testing.T) {
	annotation := func(value string) func(*corev1.Pod) { return annotated(manifest.AnnotationDrain, value) }
	none := func(*corev1.Pod) {}
	for name, test := range map[string]struct {
		change     func(*corev1.Pod)
		idle, sent time.Duration // when it happens, counted from the deletion; 0 means before
		want       string        // the line of the signal
	}{
		"no request":                          {none, 0, 0, "1s signal server SIGTERM"},
		"sent before":                         {none, time.Hour, 0, "1.25s signal server SIGTERM"},
		"sent late":                           {none, time.Hour, time.Second, "2.25s signal server SIGTERM"},
		"never sent":                          {none, time.Hour, time.Hour, "3s signal server SIGTERM"},
		"answered":                            {none, 100 * time.Millisecond, 0, "1.1s signal server SIGTERM"},
		"annotation, answered":                {annotation("5s"), 3 * time.Second, 0, "4s signal server SIGTERM"},
		"annotation, too short":               {annotation("5s"), time.Hour, 0, "6s signal server SIGTERM"},
		"annotation of none":                  {annotation("0s"), time.Hour, 0, "1s signal server SIGTERM"},
		"annotation that cannot be read":      {annotation("soon"), time.Hour, 0, "1s signal server SIGTERM"},
		"annotation, no request is in flight": {annotation("5s"), 0, 0, "1s signal server SIGTERM"},
	} {
		t.Run(name, func(t *testing.T) {
			playNode(t, func(t *testing.T, n *testNode) {
				n.create(examplePodOf(test.change))
				n.at(time.Second)
				n.traffic.idle, n.traffic.sent = closesAfter(test.idle), closesAfter(test.sent)
				n.delete(-1)
				n.at(time.Minute)
				n.check([]string{test.want}, "signal", "kill")
			})
		})
	}
}

func closesAfter(d time.Duration) chan struct{} {
	if d == 0 {
		return nil // closed already
	}
	c := make(chan struct{})
	time.AfterFunc(d, func() { close(c) })
	return c
}

// A process that ends while its requests are waited for needs no signal.
func TestExitWhileDraining(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "PORT", life: 2 * time.Second})
		n.traffic.idle = make(chan struct{}) // for ever
		n.create(examplePodOf(annotated(manifest.AnnotationDrain, "10s")))
		n.at(time.Second)
		n.delete(-1)
		n.at(5 * time.Second)
		n.check([]string{"2s exit server 0"}, "signal", "kill", "exit")
		if pod := n.pod(); pod != nil {
			t.Errorf("the Pod is still there: %+v", pod.Status)
		}
	})
}

// A Pod that was restarted gets requests again when it is Ready, not before.
func TestAdmission(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.engine.answer("/ready", healthy, failing)
		n.create(examplePodOf(withReadiness("/ready")))
		n.untilReady(true)
		n.starter.runs("server")[0].Kill()
		n.until("a restart", func() bool { return len(n.starter.runs("server")) == 2 })
		n.at(time.Since(n.begin) + 5*time.Second)
		n.checkOrder(nil, "admit")
		n.engine.answer("/ready", healthy)
		n.untilReady(true)
		n.checkOrder([]string{"withdraw", "withdraw", "gone: was killed by SIGKILL", "admit"}, "withdraw", "admit", "gone:")
	})
}

func TestWithoutTraffic(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.create(examplePodOf())
		n.delete(-1)
		n.checkOrder([]string{"start server", "signal server SIGTERM", "exit server 143"})
	}, func(o *Options) { o.Traffic = nil })
}
