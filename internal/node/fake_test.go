package node

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"sync"

	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/probe"
)

var loopbackAddr = netip.MustParseAddr(loopback)

// answer is what a service answers to an attempt.
type answer struct {
	result probe.Result
	after  time.Duration
}

var (
	healthy = answer{result: probe.Result{Outcome: probe.Success, Output: "ok"}}
	failing = answer{result: probe.Result{Outcome: probe.Failure, Output: "HTTP probe failed with statuscode: 500"}}
)

// fakeEngine makes attempts without a network; exec probes it really makes. It is safe for
// concurrent use.
type fakeEngine struct {
	log *timeline

	mu       sync.Mutex // guards what follows
	answers  map[string][]answer
	prepared int
	flying   int // attempts without a result that were not cancelled
}

// answer says how the service answers HTTP attempts at a path: the first, the second and so on, the
// last one for ever. Without it, it is healthy.
func (e *fakeEngine) answer(path string, answers ...answer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answers[path] = answers
}

// fakePrepared is a prepared Prober.
type fakePrepared struct{ probe.Prober }

func (e *fakeEngine) Prepare(p probe.Prober) probe.Prober {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.prepared++
	return &fakePrepared{p}
}

func (e *fakeEngine) Close() {}

func (e *fakeEngine) Go(p probe.Prober, done func(probe.Result)) (cancel func() bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.flying++
	var once sync.Once
	claim := func() (first bool) {
		once.Do(func() {
			first = true
			e.mu.Lock()
			defer e.mu.Unlock()
			e.flying--
		})
		return first
	}
	settle := func(r probe.Result) {
		if claim() {
			done(r)
		}
	}
	if exec, ok := p.(probe.Exec); ok {
		ctx, stop := context.WithCancel(context.Background())
		go func() { settle(exec.Probe(ctx)) }()
		return func() bool { defer stop(); return claim() }
	}
	a := e.nextLocked(p.(*fakePrepared).Prober)
	time.AfterFunc(a.after, func() { settle(a.result) })
	return claim
}

func (e *fakeEngine) nextLocked(p probe.Prober) answer {
	get, ok := p.(probe.HTTPGet)
	if !ok {
		return healthy
	}
	e.log.add("get %s:%d%s", get.Host, get.Port, get.Path)
	answers := e.answers[get.Path]
	if len(answers) == 0 {
		return healthy
	}
	if len(answers) > 1 {
		e.answers[get.Path] = answers[1:]
	}
	return answers[0]
}

// fakeTraffic tells the timeline what the node wants of it. idle and sent are nil while no request
// is in flight.
type fakeTraffic struct {
	log        *timeline
	idle, sent chan struct{}
}

func (f *fakeTraffic) Withdraw(types.UID) { f.log.add("withdraw") }
func (f *fakeTraffic) Admit(types.UID)    { f.log.add("admit") }

func (f *fakeTraffic) Exited(_ types.UID, how string) { f.log.add("gone: %s", how) }

func (f *fakeTraffic) Drained(types.UID) <-chan struct{} { return orClosed(f.idle) }
func (f *fakeTraffic) Sent(types.UID) <-chan struct{}    { return orClosed(f.sent) }

func orClosed(c chan struct{}) <-chan struct{} {
	if c == nil {
		return closedChannel()
	}
	return c
}

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
	dead    map[int]bool // process ids that the kernel calls dead
	stop    context.CancelFunc
}

// playNode runs a node while do runs, ends it, and checks that nothing is left.
func playNode(t *testing.T, do func(t *testing.T, n *testNode), change ...func(*Options)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		n := newTestNode(t, dir, change...)
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
		dead:    map[int]bool{},
	}
	opts := Options{Store: n.store, Starter: n.starter, Dir: dir, Environ: []string{"HOME=/home/dev"}, Traffic: n.traffic}
	for _, f := range change {
		f(&opts)
	}
	n.node = newNode(opts, machine{
		memory: 8 << 30, ports: n.pool, tree: fakeTree,
		newIdentity: func() identity { return sockets },
		dead:        func(pid int) bool { return n.dead[pid] },
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
	if n.engine.flying != 0 {
		n.t.Errorf("%d attempts are in flight", n.engine.flying)
	}
	if pods, _ := store.List[*corev1.Pod](n.store, store.Selector{}); len(pods) > 0 {
		n.t.Errorf("%d Pods are in the store", len(pods))
	}
}

// examplePodOf is a Pod of one container, app, which runs the program server, has a grace period of
// 30 s and declares port 8080.
func examplePodOf(change ...func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default", Labels: map[string]string{"app": "web"}},
		Spec: corev1.PodSpec{
			NodeName: Name, RestartPolicy: corev1.RestartPolicyAlways, TerminationGracePeriodSeconds: new(int64(30)),
			Containers: []corev1.Container{{Name: "app", Image: "example", Command: []string{"server"}, Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}}},
		},
	}
	for _, f := range change {
		f(pod)
	}
	return pod
}

func withReadiness(path string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Containers[0].ReadinessProbe = exampleProbe(path, 3) }
}

func withLiveness(path string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Containers[0].LivenessProbe = exampleProbe(path, 2) }
}

// exampleProbe is an HTTP probe with a period and a timeout of 1 s.
func exampleProbe(path string, failures int32) *corev1.Probe {
	p := &corev1.Probe{PeriodSeconds: 1, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: failures}
	p.HTTPGet = &corev1.HTTPGetAction{Path: path, Port: intstrOf("http"), Scheme: corev1.URISchemeHTTP}
	return p
}

func withLifecycle(l corev1.Lifecycle) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Containers[0].Lifecycle = &l }
}

func execAction(command ...string) *corev1.LifecycleHandler {
	return &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: command}}
}

func annotated(name, value string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { metav1.SetMetaDataAnnotation(&p.ObjectMeta, name, value) }
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

// pod is the Pod web as it is in the store, nil if it is gone.
func (n *testNode) pod() *corev1.Pod {
	pod, err := store.Get[*corev1.Pod](n.store, "default", "web")
	if err != nil {
		return nil
	}
	return pod
}

// events are the Events so far: "Normal Killing Stopping container app".
func (n *testNode) events(reasons ...string) []string {
	all, _ := store.List[*corev1.Event](n.store, store.Selector{})
	slices.SortFunc(all, func(a, b *corev1.Event) int { return a.EventTime.Compare(b.EventTime.Time) })
	var lines []string
	for _, e := range all {
		if len(reasons) == 0 || slices.Contains(reasons, e.Reason) {
			lines = append(lines, e.Type+" "+e.Reason+" "+e.Message)
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

// containerPID is the process id that the Pod's annotation shows.
func (n *testNode) containerPID() int {
	pid, err := strconv.Atoi(n.pod().Annotations[AnnotationPID+"app"])
	if err != nil {
		return 0
	}
	return pid
}
