package dependency

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/relay"
)

// fakeProcess runs until it is ended.
type fakeProcess struct {
	process.Process
	done chan struct{}
}

func (p *fakeProcess) PID() int              { return os.Getpid() }
func (p *fakeProcess) Done() <-chan struct{} { return p.done }

// fakeStarter keeps what it is to start.
type fakeStarter struct{ specs []process.Spec }

func (s *fakeStarter) Start(spec process.Spec) (process.Process, error) {
	s.specs = append(s.specs, spec)
	return &fakeProcess{done: make(chan struct{})}, nil
}

// newWatcher watches a Pod default/web whose UID is u1, which listens itself at 127.0.0.1:1.
func newWatcher(t *testing.T, o Options) (*Watcher, *fakeStarter, *[]string) {
	t.Helper()
	starter, notices := &fakeStarter{}, &[]string{}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web", UID: "u1"}}
	pod.Spec.Containers = []corev1.Container{{Ports: []corev1.ContainerPort{{ContainerPort: 8080}}}}
	if o.Watch == nil {
		o.Watch = func(_, _, container string) bool { return container != "unwatched" }
	}
	w := New(o, Host{
		Starter: starter, TryConnects: func() error { return nil },
		Pod: func(namespace, name string, uid types.UID) *corev1.Pod {
			if uid == pod.UID || namespace == pod.Namespace && name == pod.Name {
				return pod
			}
			return nil
		},
		Services: func() []*corev1.Service {
			return []*corev1.Service{{
				ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "store"},
				Spec:       corev1.ServiceSpec{ClusterIP: "127.77.0.1", Ports: []corev1.ServicePort{{Port: 80}}},
			}}
		},
		Listens: func(_ context.Context, _ types.UID, address netip.AddrPort) error {
			if address.Port() == 1 {
				return nil
			}
			return errors.New("it does not")
		},
		Notice: func(line string) { *notices = append(*notices, line) },
	})
	w.reachTime = 20 * time.Second // a busy machine is late
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w, starter, notices
}

// begin starts a process and returns how its connections are led.
func begin(t *testing.T, w *Watcher, s *fakeStarter, owner string, env ...string) process.Spec {
	t.Helper()
	if _, err := w.Start(process.Spec{Container: owner, Env: env}); err != nil {
		t.Fatal(err)
	}
	return s.specs[len(s.specs)-1]
}

func tcp(address string) process.Connect {
	return process.Connect{Network: "tcp", Address: netip.MustParseAddrPort(address)}
}

// listener accepts connections into the kernel's queue, which is all that is needed.
func listener(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// TestRoute: what is led through a relay, and what is left alone.
func TestRoute(t *testing.T) {
	w, starter, _ := newWatcher(t, Options{})
	for _, owner := range []string{"", "default/other/app", "default/web/unwatched", "a/b/c/d"} {
		if begin(t, w, starter, owner).Connects != nil {
			t.Errorf("a process of %q is watched", owner)
		}
	}
	route := begin(t, w, starter, "default/web/app").Connects
	beside := begin(t, w, starter, "u1/probe").Connects
	at := listener(t)
	first, second := route(tcp(at.String())), beside(tcp(at.String()))
	if first.To.Port() == 0 || first != second {
		t.Errorf("the same destination leads to %v and %v", first, second)
	}
	if got := route(tcp(first.To.String())); got != (process.Route{}) {
		t.Errorf("the relay itself leads to %v", got)
	}
	for _, alone := range []process.Connect{
		tcp("127.0.0.1:1"), tcp("127.0.0.1:8080"), // itself
		tcp("192.0.2.1:80"),
		{Network: "udp", Address: netip.MustParseAddrPort("127.0.0.1:9")},
		{Network: "unix", Path: "/no/such/socket"},
	} {
		if got := route(alone); got != (process.Route{}) {
			t.Errorf("%v leads to %v", alone, got)
		}
	}
	if got := route(process.Connect{Network: "udp", Address: netip.MustParseAddrPort("127.0.0.53:53")}); !got.To.IsValid() {
		t.Error("a name server is left alone")
	}
	if got := route(tcp("127.77.0.1:80")); got != (process.Route{Refused: syscall.ECONNREFUSED}) {
		t.Errorf("where nobody listens: %v", got)
	}
	var found []string
	for _, d := range w.Dependencies() {
		found = append(found, fmt.Sprintf("%s %s %v %d %v", d.Name, d.Network, d.Pods, d.Connects, d.Refused != ""))
	}
	want := []string{at.String() + " tcp [default/web] 3 false", "192.0.2.1:80 tcp [default/web] 1 true", "dns udp [default/web] 1 false", "store tcp [default/web] 1 false"}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	if _, err := w.SetMode("192.0.2.1:80", relay.Mode{Kind: relay.Down}); err == nil || !strings.Contains(err.Error(), "another machine") {
		t.Errorf("a dependency elsewhere is broken: %v", err)
	}
	if _, err := w.SetMode("store", relay.Mode{Kind: relay.Slow}); err == nil {
		t.Error("a mode that cannot be is taken")
	}
}

// TestDatagrams: what is sent without a connection to a name server passes while that is not
// broken, and is kept while it is; what is sent elsewhere is a blind spot.
func TestDatagrams(t *testing.T) {
	w, starter, _ := newWatcher(t, Options{})
	route := begin(t, w, starter, "default/web/app").Connects
	send := func(address string) process.Route {
		return route(process.Connect{Network: "udp", Address: netip.MustParseAddrPort(address), Unconnected: true})
	}
	for _, alone := range []string{"127.0.0.53:53", "192.0.2.1:53", "192.0.2.1:8125", "127.0.0.1:8125", "127.0.0.1:8080", "127.0.0.1:1", "127.0.0.1:40000"} {
		if got := send(alone); got != (process.Route{}) {
			t.Errorf("%s leads to %v", alone, got)
		}
	}
	if _, err := w.SetMode(dns, relay.Mode{Kind: relay.Dead}); err == nil || !strings.Contains(err.Error(), "another machine") {
		t.Errorf("a name server elsewhere is broken: %v", err)
	}
	w, starter, _ = newWatcher(t, Options{})
	route = begin(t, w, starter, "default/web/app").Connects
	send("127.0.0.53:53")
	undo, err := w.SetMode(dns, relay.Mode{Kind: relay.Dead})
	if err != nil {
		t.Fatal(err)
	}
	if got := send("127.0.0.53:53"); got.Keep == nil || got.To.IsValid() {
		t.Errorf("to a dead one: %v", got)
	}
	send("192.0.2.1:8125")
	if err := undo(); err != nil {
		t.Error(err)
	}
	if got := send("127.0.0.53:53"); got != (process.Route{}) {
		t.Errorf("to one that lives again: %v", got)
	}
	if all := w.Dependencies(); len(all) != 1 || all[0].Name != dns || all[0].Connects != 3 {
		t.Errorf("found %+v", all)
	}
	spots := w.spotsOf("default/web", process.Outside{}, nil)
	if len(spots) != 1 || !strings.HasPrefix(spots[0], "it sends datagrams to 192.0.2.1:8125 ") {
		t.Errorf("spots %q", spots)
	}
}

// TestLaterAddress: an address that is seen later has the mode of its dependency, as long as that
// lasts.
func TestLaterAddress(t *testing.T) {
	w, starter, _ := newWatcher(t, Options{Variables: map[string]string{"db": "DB"}})
	a, b, c := listener(t), listener(t), listener(t)
	route := begin(t, w, starter, "default/web/app", fmt.Sprintf("DB=x://%s,%s,%s", a, b, c)).Connects
	route(tcp(a.String()))
	if _, err := w.SetMode("db", relay.Mode{Kind: relay.Down, For: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", route(tcp(b.String())).To.String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the second address: %v, want refused", err)
	}
	if all := w.Dependencies(); len(all) != 1 || all[0].Connects != 2 {
		t.Errorf("found %+v", all)
	}
	w.mu.Lock()
	w.groups["db"].until = time.Now() // an hour later
	w.mu.Unlock()
	conn, err := net.Dial("tcp", route(tcp(c.String())).To.String())
	if err != nil {
		t.Fatalf("the third address: %v", err)
	}
	conn.Close()
}

// TestRewrite: without a look at connections, a variable leads to the relay.
func TestRewrite(t *testing.T) {
	w, starter, notices := newWatcher(t, Options{Blind: true, Variables: map[string]string{"db": "DB", "cache": "CACHE", "none": "NONE"}})
	at := listener(t)
	spec := begin(t, w, starter, "default/web/app", "A=1", "DB=postgres://u:p@"+at.String()+"/x", "CACHE=store:80", "NONE=nothing")
	if spec.Connects != nil {
		t.Error("connections are watched")
	}
	addresses := map[string]netip.AddrPort{}
	for to, c := range w.carriers {
		addresses[to.address.String()] = c.relay.Address()
	}
	want := []string{"A=1", fmt.Sprintf("DB=postgres://u:p@%s/x", addresses[at.String()]), fmt.Sprintf("CACHE=%s", addresses["127.77.0.1:80"]), "NONE=nothing"}
	if diff := cmp.Diff(want, spec.Env); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if len(*notices) != 1 || !strings.Contains((*notices)[0], "dependency none: NONE of Pod default/web names no host") {
		t.Errorf("notices %q", *notices)
	}
	again := begin(t, w, starter, "default/web/app", spec.Env...) // as after a restart
	if diff := cmp.Diff(spec.Env, again.Env); diff != "" {
		t.Errorf("environment of a restart (-first +second):\n%s", diff)
	}
}

// TestIPv6: a variable names an address of IPv6, and without a look at connections it is rewritten.
func TestIPv6(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("there is no IPv6: ", err)
	}
	defer l.Close()
	at := l.Addr().(*net.TCPAddr).AddrPort()
	w, starter, _ := newWatcher(t, Options{Variables: map[string]string{"db": "DB"}})
	route := begin(t, w, starter, "default/web/app", "DB="+at.String()).Connects
	if to := route(tcp(at.String())).To; !to.IsValid() || !to.Addr().Is6() {
		t.Errorf("a socket of IPv6 is led to %v", to)
	}
	if all := w.Dependencies(); len(all) != 1 || all[0].Name != "db" {
		t.Errorf("found %+v", all)
	}
	w, starter, _ = newWatcher(t, Options{Blind: true, Variables: map[string]string{"db": "DB"}})
	spec := begin(t, w, starter, "default/web/app", "DB=x://"+at.String()+"/y")
	want := "DB=x://" + w.carriers[destination{"tcp", at}].relay.Address().String() + "/y"
	if len(spec.Env) != 1 || spec.Env[0] != want {
		t.Errorf("environment %q, want %q", spec.Env, want)
	}
}

// TestNamesOfTheSameSort: two things of the same name are told apart.
func TestNamesOfTheSameSort(t *testing.T) {
	w, starter, _ := newWatcher(t, Options{})
	route := begin(t, w, starter, "default/web/app").Connects
	route(tcp("192.0.2.1:5432"))
	route(tcp("192.0.2.2:5432"))
	if all := w.Dependencies(); len(all) != 2 || all[0].Name != "postgresql" || all[1].Name != "postgresql-2" {
		t.Errorf("found %+v", all)
	}
}
