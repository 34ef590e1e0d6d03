package proxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/test/ports"
)

// fixture is a store with a proxy that serves it.
type fixture struct {
	t     testing.TB
	store *store.Store
	proxy *Proxy
	stop  func() // ends the proxy and waits for it
}

// start runs a proxy until the end of the test, which fails if it leaves a goroutine behind.
func start(t testing.TB, opts Options) *fixture {
	t.Helper()
	return startWith(t, opts, func(*Proxy) {})
}

// startWith is start with a proxy that is changed before it runs.
func startWith(t testing.TB, opts Options, change func(*Proxy)) *fixture {
	t.Helper()
	before := runtime.NumGoroutine()
	fx := &fixture{t: t, store: store.New(store.Options{Kinds: store.Kubernetes()})}
	opts.Store = fx.store
	if opts.DrainTimeout == 0 {
		opts.DrainTimeout = 2 * time.Second
	}
	fx.proxy = New(opts)
	change(fx.proxy)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- fx.proxy.Run(ctx) }()
	fx.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run = %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("the proxy does not stop\n%s", stacks())
		}
	})
	t.Cleanup(func() {
		fx.stop()
		if _, fuzzing := t.(*testing.F); fuzzing {
			return // the fuzzing engine starts goroutines of its own
		}
		deadline := time.Now().Add(10 * time.Second)
		for runtime.NumGoroutine() > before {
			if time.Now().After(deadline) {
				t.Fatalf("%d goroutines before, %d after\n%s", before, runtime.NumGoroutine(), stacks())
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	return fx
}

func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// service makes a Service with one port, named http, and returns the address that it is served at.
func (fx *fixture) service(name string, change ...func(*corev1.Service)) string {
	fx.t.Helper()
	s := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": name},
			Ports:    []corev1.ServicePort{{Name: "http", Port: int32(ports.Free(fx.t)), Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromInt32(80)}},
		},
	}
	for _, f := range change {
		f(s)
	}
	if _, err := store.Create(fx.store, s); err != nil {
		fx.t.Fatal(err)
	}
	return fx.address(name, s.Spec.Ports[0].Port)
}

func (fx *fixture) address(name string, port int32) (address string) {
	fx.t.Helper()
	eventually(fx.t, "an address of Service "+name, func() bool {
		s, err := store.Get[*corev1.Service](fx.store, "default", name)
		if err == nil {
			address = s.Annotations[manifest.AnnotationAddress+strconv.Itoa(int(port))]
		}
		return address != ""
	})
	return address
}

func named(port string) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Spec.Ports[0].Name = port }
}

func annotated(key, value string) func(*corev1.Service) {
	return func(s *corev1.Service) { metav1.SetMetaDataAnnotation(&s.ObjectMeta, key, value) }
}

// at is an endpoint of a Pod.
func at(pod, address string) discoveryv1.Endpoint {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		panic(err)
	}
	return discoveryv1.Endpoint{
		Addresses:  []string{host},
		Conditions: discoveryv1.EndpointConditions{Ready: new(true), Serving: new(true), Terminating: new(false)},
		TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: "default", Name: pod, UID: types.UID(pod)},
		Hostname:   new(address), // for write, which needs the port
	}
}

func ready(e discoveryv1.Endpoint, is bool) discoveryv1.Endpoint {
	e.Conditions.Ready, e.Conditions.Serving = new(is), new(is)
	return e
}

func terminating(e discoveryv1.Endpoint) discoveryv1.Endpoint {
	e.Conditions.Ready, e.Conditions.Terminating = new(false), new(true)
	return e
}

// endpoints writes the EndpointSlices of a Service and returns when the proxy has them.
func (fx *fixture) endpoints(service string, list ...discoveryv1.Endpoint) {
	fx.t.Helper()
	fx.write(service, list...)
	s, err := store.Get[*corev1.Service](fx.store, "default", service)
	if err != nil {
		fx.t.Fatal(err)
	}
	var ready, terminating []string
	for _, e := range list {
		switch {
		case *e.Conditions.Ready:
			ready = append(ready, *e.Hostname)
		case *e.Conditions.Serving && *e.Conditions.Terminating:
			terminating = append(terminating, *e.Hostname)
		}
	}
	eventually(fx.t, "endpoints are known", func() bool {
		fx.proxy.mu.Lock()
		defer fx.proxy.mu.Unlock()
		sp := fx.proxy.ports[portKey{nameOf(s), s.Spec.Ports[0].Port}]
		return sp != nil && areAt(sp.table.Load().ready, ready) && areAt(sp.table.Load().terminating, terminating)
	})
}

// areAt reports whether endpoints have these addresses, in any order.
func areAt(known []*endpoint, addresses []string) bool {
	var have []string
	for _, e := range known {
		have = append(have, e.address)
	}
	return slices.Equal(slices.Sorted(slices.Values(have)), slices.Sorted(slices.Values(addresses)))
}

// write writes the EndpointSlices of a Service: one for each endpoint, because each Pod has a port
// of its own.
func (fx *fixture) write(service string, list ...discoveryv1.Endpoint) {
	fx.t.Helper()
	s, err := store.Get[*corev1.Service](fx.store, "default", service)
	if err != nil {
		fx.t.Fatal(err)
	}
	old, _ := store.List[*discoveryv1.EndpointSlice](fx.store, store.Selector{})
	for i, e := range list {
		_, portText, _ := net.SplitHostPort(*e.Hostname)
		number, _ := strconv.Atoi(portText)
		e.Hostname = nil
		slice := &discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: "default", Name: fmt.Sprintf("%s-%d", service, i), Labels: map[string]string{discoveryv1.LabelServiceName: service},
			},
			AddressType: discoveryv1.AddressTypeIPv4, Endpoints: []discoveryv1.Endpoint{e},
			Ports: []discoveryv1.EndpointPort{{Name: new(s.Spec.Ports[0].Name), Port: new(int32(number)), Protocol: new(corev1.ProtocolTCP)}},
		}
		if _, err := store.Update(fx.store, slice); err != nil {
			if _, err := store.Create(fx.store, slice); err != nil {
				fx.t.Fatal(err)
			}
		}
	}
	for _, o := range old {
		index, found := strings.CutPrefix(o.Name, service+"-")
		if n, err := strconv.Atoi(index); found && err == nil && n >= len(list) {
			if err := store.Delete[*discoveryv1.EndpointSlice](fx.store, "default", o.Name, store.DeleteOptions{}); err != nil {
				fx.t.Fatal(err)
			}
		}
	}
}

// events lists the messages of the Events with a reason, each as often as it occurred.
func (fx *fixture) events(reason string) (messages []string) {
	events, _ := store.List[*corev1.Event](fx.store, store.Selector{})
	for _, e := range events {
		if e.Reason == reason {
			messages = append(messages, slices.Repeat([]string{e.InvolvedObject.Name + ": " + e.Message}, int(e.Count))...)
		}
	}
	return messages
}

// state of the only port.
func (fx *fixture) state() PortState {
	s := fx.proxy.State()
	if len(s.Ports) != 1 {
		fx.t.Fatalf("%d ports, want 1", len(s.Ports))
	}
	return s.Ports[0]
}

// testReplica is an HTTP server that counts its requests, and that can be killed as a process is.
type testReplica struct {
	*httptest.Server
	name    string
	address string
	seen    atomic.Int64
}

// replica starts an HTTP/1 and h2c server.
func (fx *fixture) replica(name string, handler http.HandlerFunc) *testReplica {
	fx.t.Helper()
	return fx.replicaAt("127.0.0.1:0", name, handler)
}

func (fx *fixture) replicaAt(address, name string, handler http.HandlerFunc) *testReplica {
	fx.t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fx.t.Fatal(err)
	}
	b := &testReplica{name: name}
	b.Server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.seen.Add(1)
		if handler == nil {
			fmt.Fprint(w, name)
			return
		}
		handler(w, r)
	})}}
	b.Config.Protocols = new(http.Protocols)
	b.Config.Protocols.SetHTTP1(true)
	b.Config.Protocols.SetUnencryptedHTTP2(true)
	b.Start()
	b.address = b.Listener.Addr().String()
	fx.t.Cleanup(b.kill)
	return b
}

// kill closes the listener and all connections, whatever is in flight.
func (b *testReplica) kill() {
	b.Config.Close()
}

// client makes an HTTP client with its own connections.
func client(t testing.TB) *http.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

// get returns status and body; the body is the error if there is no answer.
func get(c *http.Client, url string) (int, string) { return do(c, http.MethodGet, url, "") }

func do(c *http.Client, method, url, body string) (int, string) {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, url, reader)
	if err != nil {
		return 0, err.Error()
	}
	req.GetBody = nil // the client must not repeat anything itself
	res, err := c.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(answer)
}

// raw opens a connection and sends something.
func raw(t testing.TB, address, request string) (*net.TCPConn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Log(err)
		}
	})
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn), bufio.NewReader(conn)
}
