package node

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/store"
)

var loopbackAddr = netip.MustParseAddr(loopback)

// testNode is a node in a bubble of virtual time, on a fake machine. Only the store and the logs
// are real.
type testNode struct {
	*timeline
	t       *testing.T
	node    *Node
	store   *store.Store
	starter *fakeStarter
	engine  *fakeEngine
	sockets *fakeSockets
	traffic *fakeTraffic
	pool    *fakePool
	stop    context.CancelFunc
}

// playNode runs a node while do runs, ends it, and checks that nothing is left.
func playNode(t *testing.T, do func(t *testing.T, n *testNode), change ...func(*Options)) {
	t.Helper()
	playNodeAfter(t, func(*testNode) {}, do, change...)
}

// playNodeAfter is playNode with something that happens before the node runs.
func playNodeAfter(t *testing.T, before func(n *testNode), do func(t *testing.T, n *testNode), change ...func(*Options)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		n := newTestNode(t, dir, change...)
		before(n)
		ctx, stop := context.WithCancel(context.Background())
		n.stop = stop
		ended := make(chan error, 1)
		go func() { ended <- n.node.Run(ctx) }()
		defer func() {
			stop()
			if err := <-ended; err != nil {
				t.Errorf("Run = %v", err)
			}
			n.checkNothingLeft()
		}()
		synctest.Wait()
		do(t, n)
	})
}

func newTestNode(t *testing.T, dir string, change ...func(*Options)) *testNode {
	log := &timeline{begin: time.Now()}
	sockets := &fakeSockets{holders: map[int]int{}}
	n := &testNode{
		timeline: log, t: t, sockets: sockets,
		store:   store.New(store.Options{Kinds: append(store.Kubernetes(), Kinds()...), History: 64}),
		starter: &fakeStarter{log: log, sockets: sockets, programs: map[string][]behaviour{"server": {{listens: "PORT"}}}},
		engine:  &fakeEngine{log: log, answers: map[string][]answer{}},
		traffic: &fakeTraffic{log: log},
		pool:    newFakePool(),
	}
	opts := Options{Store: n.store, Starter: n.starter, Dir: dir, Environ: []string{"HOME=/home/dev"}, Traffic: n.traffic}
	for _, f := range change {
		f(&opts)
	}
	n.node = newNode(opts, machine{
		parent: func(int) int { return 0 },
		memory: 8 << 30, ports: n.pool, tree: fakeTree,
		newIdentity: func(netip.Addr) identity { return sockets },
		dead:        sockets.isDead,
		inspector:   processInspector{sockets.held, n.starter.defaultAction, n.starter.command},
		newEngine:   func() (probeEngine, error) { return n.engine, nil },
		close:       func() {},
	})
	return n
}

// checkNothingLeft is what has to hold when Run has returned.
func (n *testNode) checkNothingLeft() {
	n.t.Helper()
	if alive := n.starter.alive(); len(alive) > 0 {
		n.t.Errorf("these programs still run: %v", alive)
	}
	if taken := n.pool.last - 41000; taken != len(n.pool.released) {
		n.t.Errorf("%d private ports were taken, %v released", taken, n.pool.released)
	}
	if flying := n.engine.inFlight(); flying != 0 {
		n.t.Errorf("%d attempts are in flight", flying)
	}
	if pods, _ := store.List[*corev1.Pod](n.store, store.Selector{}); len(pods) > 0 {
		n.t.Errorf("%d Pods are in the store", len(pods))
	}
}

// firstUID is the UID of the first Pod that the node ran.
func (n *testNode) firstUID() types.UID {
	all, _ := store.List[*corev1.Event](n.store, store.Selector{})
	return all[0].InvolvedObject.UID
}

// create adds a Pod to the store and waits until the node has done what it can do at once.
func (n *testNode) create(pod *corev1.Pod) *corev1.Pod {
	n.t.Helper()
	created := n.createOnly(pod)
	synctest.Wait()
	return created
}

func (n *testNode) createOnly(pod *corev1.Pod) *corev1.Pod {
	n.t.Helper()
	created, err := store.Create(n.store, pod)
	if err != nil {
		n.t.Fatal(err)
	}
	return created
}

// delete deletes the Pod web; a grace below 0 means its own.
func (n *testNode) delete(grace int64) {
	n.t.Helper()
	n.deleteOnly(grace)
	synctest.Wait()
}

func (n *testNode) deleteOnly(grace int64) {
	n.t.Helper()
	var opts store.DeleteOptions
	if grace >= 0 {
		opts.Grace = &grace
	}
	if err := store.Delete[*corev1.Pod](n.store, "default", "web", opts); err != nil {
		n.t.Fatal(err)
	}
}

// modify changes a Pod in the store, as others than the node do.
func (n *testNode) modify(pod *corev1.Pod, change func(*corev1.Pod)) {
	n.t.Helper()
	_, err := store.Modify(n.store, pod.Namespace, pod.Name, func(p *corev1.Pod) error { change(p); return nil })
	if err != nil {
		n.t.Fatal(err)
	}
	synctest.Wait()
}

// at sleeps until an instant since the beginning, in virtual time.
func (n *testNode) at(d time.Duration) {
	time.Sleep(time.Until(n.begin.Add(d)))
	synctest.Wait()
}

// until sleeps, in virtual time, until something holds, which the phase of a probe's ticks decides.
func (n *testNode) until(what string, holds func() bool) {
	n.t.Helper()
	for range 60 * 100 {
		if holds() {
			return
		}
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
	}
	n.t.Fatalf("%s: not within a minute", what)
}

// untilReady sleeps until the Pod web is Ready, or is not.
func (n *testNode) untilReady(ready bool) {
	n.t.Helper()
	n.until(fmt.Sprintf("Ready is %v", ready), func() bool { return isReady(&n.pod().Status) == ready })
}

// pod is the Pod web as it is in the store, nil if it is gone.
func (n *testNode) pod() *corev1.Pod {
	pod, err := store.Get[*corev1.Pod](n.store, "default", "web")
	if err != nil {
		return nil
	}
	return pod
}

// events are the Events so far: "Normal Killing Stopping container app", each as often as it
// occurred.
func (n *testNode) events(reasons ...string) []string {
	all, _ := store.List[*corev1.Event](n.store, store.Selector{})
	slices.SortFunc(all, func(a, b *corev1.Event) int { return a.EventTime.Compare(b.EventTime.Time) })
	var lines []string
	for _, e := range all {
		if len(reasons) == 0 || slices.Contains(reasons, e.Reason) {
			lines = append(lines, slices.Repeat([]string{e.Type + " " + e.Reason + " " + e.Message}, int(e.Count))...)
		}
	}
	return lines
}

// check compares what happened with what has to happen.
func (n *testNode) check(want []string, words ...string) {
	n.t.Helper()
	if diff := cmp.Diff(want, n.of(words...)); diff != "" {
		n.t.Errorf("timeline (-want +got):\n%s", diff)
	}
}

// checkOrder is check without the instants.
func (n *testNode) checkOrder(want []string, words ...string) {
	n.t.Helper()
	var got []string
	for _, line := range n.of(words...) {
		_, what, _ := strings.Cut(line, " ")
		got = append(got, what)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		n.t.Errorf("timeline (-want +got):\n%s", diff)
	}
}

// times are the instants of the lines with a word.
func (n *testNode) times(word string) []time.Duration {
	n.t.Helper()
	var times []time.Duration
	for _, line := range n.of(word) {
		text, _, _ := strings.Cut(line, " ")
		at, err := time.ParseDuration(text)
		if err != nil {
			n.t.Fatal(err)
		}
		times = append(times, at)
	}
	return times
}

// report is what the store's report says of the only probe.
func (n *testNode) report() ProbeRecord {
	report, err := store.Get[*ProbeReport](n.store, "default", "web")
	if err != nil || len(report.Probes) != 1 {
		return ProbeRecord{}
	}
	return report.Probes[0]
}

// containerPID is the process id that the Pod's annotation shows.
func (n *testNode) containerPID() int {
	pid, err := strconv.Atoi(n.pod().Annotations[AnnotationPID+"app"])
	if err != nil {
		return 0
	}
	return pid
}
