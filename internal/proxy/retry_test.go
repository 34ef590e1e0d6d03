package proxy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/test/ports"
)

// abort breaks the connection off without an answer.
func abort(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func TestRefusedConnectionGoesElsewhere(t *testing.T) {
	fx := start(t, Options{})
	url := "http://" + fx.service("web")
	dead := fmt.Sprintf("127.0.0.1:%d", ports.Free(t))
	b := fx.replica("b", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, string(body))
	})
	fx.endpoints("web", at("a", dead), at("b", b.address))
	client, body := client(t), strings.Repeat("x", 200<<10)
	for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodPut, http.MethodDelete} {
		if code, answer := do(client, method, url, body); code != http.StatusOK || answer != body {
			t.Fatalf("%s: %d, %d bytes", method, code, len(answer))
		}
	}
	s := fx.state()
	if e := s.Endpoints[0]; !e.Ejected || e.Ejections != 1 || e.Failures["refused"] != 1 || s.Retries != 1 || e.Lost != 0 {
		t.Errorf("one refusal is to take it out of rotation: %+v", s)
	}
	eventually(t, "an Event", func() bool { return len(fx.events("OutOfRotation")) == 1 })
	want := fmt.Sprintf("a: %s, behind port %d of Service web, is out of rotation until it accepts a connection, whatever its probes say: connect: connection refused", dead, s.Port)
	if got := fx.events("OutOfRotation")[0]; got != want {
		t.Errorf("Event %q, want %q", got, want)
	}
	l, err := net.Listen("tcp", dead)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	eventually(t, "it is back in rotation", func() bool { return !fx.state().Endpoints[0].Ejected })
	eventually(t, "an Event", func() bool { return len(fx.events("InRotation")) == 1 })
}

func TestAllEjectedAreTried(t *testing.T) {
	fx := start(t, Options{})
	url := "http://" + fx.service("web")
	dead := fmt.Sprintf("127.0.0.1:%d", ports.Free(t))
	fx.endpoints("web", at("a", dead))
	client := client(t)
	if code, body := get(client, url); code != http.StatusServiceUnavailable || !strings.Contains(body, "connection refused") {
		t.Fatalf("%d %s", code, body)
	}
	// so that nothing redials it
	fx.proxy.ports[onlyKey(fx)].table.Load().ready[0].removed.Store(true)
	l, err := net.Listen("tcp", dead)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.NotFoundHandler()}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	if code, _ := get(client, url); code != http.StatusNotFound {
		t.Errorf("%d: the only replica was not tried because it had refused before", code)
	}
}

func onlyKey(fx *fixture) portKey {
	s := fx.state()
	return portKey{s.Service, s.Port}
}

func TestReplicaThatDoesNotAccept(t *testing.T) {
	fx := start(t, Options{})
	url := "http://" + fx.service("web")
	full := fullQueue(t)
	b := fx.replica("b", nil)
	fx.endpoints("web", at("a", full), at("b", b.address))
	fx.proxy.ports[onlyKey(fx)].roundRobin.Store(1) // so that a is asked first
	began := time.Now()
	if code, body := do(client(t), http.MethodPost, url, "x"); code != http.StatusOK || body != "b" {
		t.Fatalf("%d %s", code, body)
	}
	if took := time.Since(began); took < dialTimeout || took > 10*dialTimeout {
		t.Errorf("it took %v, want a little more than %v", took, dialTimeout)
	}
	if e := fx.state().Endpoints[0]; e.Failures["timeout"] != 1 || !e.Ejected {
		t.Errorf("state %+v", e)
	}
}

// TestSent waits for a request that was routed to an endpoint and is not sent yet, as the node does
// before it stops a process.
func TestSent(t *testing.T) {
	for name, change := range map[string]func(*corev1.Service){
		"http": func(*corev1.Service) {}, "h2c": speaking("kubernetes.io/h2c"), "tcp": speaking("tcp"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fx := start(t, Options{})
			address := fx.service("web", change)
			fx.endpoints("web", at("a", fullQueue(t)))
			over := make(chan struct{})
			go func() {
				defer close(over)
				get(client(t), "http://"+address)
			}()
			eventually(t, "the request is routed", func() bool { return fx.proxy.InFlight("a") == 1 })
			fx.proxy.Withdraw("a")
			sent := fx.proxy.Sent("a")
			select {
			case <-sent:
				t.Error("it is called sent, and there was no connection yet")
			case <-time.After(dialTimeout / 4):
			}
			<-sent // when the attempt has failed
			<-over
			<-fx.proxy.Sent("a")
			<-fx.proxy.Sent("nobody")
		})
	}
}

func speaking(protocol string) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Spec.Ports[0].AppProtocol = &protocol }
}

func TestBrokenConnection(t *testing.T) {
	tests := map[string]struct {
		method, body, key string
		code              int
		seen              int64 // by both replicas
	}{
		"GET":                   {http.MethodGet, "", "", 200, 2},
		"HEAD":                  {http.MethodHead, "", "", 200, 2},
		"OPTIONS":               {http.MethodOptions, "", "", 200, 2},
		"GET with a body":       {http.MethodGet, "hello", "", 200, 2},
		"GET with a large body": {http.MethodGet, strings.Repeat("x", 2*maxReplay), "", 502, 1},
		"POST":                  {http.MethodPost, "hello", "", 502, 1},
		"POST without a body":   {http.MethodPost, "", "", 502, 1},
		"PUT":                   {http.MethodPut, "hello", "", 502, 1},
		"DELETE":                {http.MethodDelete, "", "", 502, 1},
		"POST with a key":       {http.MethodPost, "hello", "1", 200, 2},
		"DELETE with a key":     {http.MethodDelete, "", "1", 200, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			fx := start(t, Options{})
			url := "http://" + fx.service("web")
			var got atomic.Value
			a := fx.replica("a", func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				abort(w, r)
			})
			b := fx.replica("b", func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got.Store(string(body))
			})
			fx.endpoints("web", at("a", a.address), at("b", b.address))
			fx.proxy.ports[onlyKey(fx)].roundRobin.Store(1) // so that a is asked first
			req, err := http.NewRequest(test.method, url, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if test.key != "" {
				req.Header.Set("Idempotency-Key", test.key)
			}
			res, err := client(t).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			answer, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if seen := a.seen.Load() + b.seen.Load(); res.StatusCode != test.code || seen != test.seen {
				t.Errorf("%d, seen %d times, want %d, %d: %s", res.StatusCode, seen, test.code, test.seen, answer)
			}
			if test.code == 200 && got.Load() != test.body {
				t.Errorf("the second replica got the body %q", got.Load())
			}
			if test.code == 502 && (!strings.Contains(string(answer), "Pod a did not answer") || res.Header.Get("Retry-After") != "") {
				t.Errorf("answer %v %q", res.Header, answer)
			}
			want := uint64(test.seen % 2)
			eventually(t, "the loss is counted", func() bool { return fx.state().Endpoints[0].Lost == want })
		})
	}
}

func TestPostAfterItsKeptConnectionDied(t *testing.T) {
	fx := start(t, Options{})
	url := "http://" + fx.service("web")
	a, b := fx.replica("a", nil), fx.replica("b", nil)
	fx.endpoints("web", at("a", a.address))
	client := client(t)
	for round := range 50 {
		if code, body := do(client, http.MethodPost, url, "x"); code != http.StatusOK {
			t.Fatalf("round %d: %d %s", round, code, body)
		}
		// as a server with a short keep-alive does, or a process that is restarted
		a.CloseClientConnections()
	}
	fx.endpoints("web", at("a", a.address), at("b", b.address))
	for range 4 {
		if code, body := do(client, http.MethodPost, url, "x"); code != http.StatusOK {
			t.Fatalf("%d %s", code, body)
		}
	}
	a.kill()
	for range 4 {
		if code, body := do(client, http.MethodPost, url, "x"); code != http.StatusOK {
			t.Errorf("%d %s", code, body)
		}
	}
	if n := a.seen.Load() + b.seen.Load(); n != 58 {
		t.Errorf("58 requests were seen %d times", n)
	}
}
