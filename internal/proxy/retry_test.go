package proxy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// abort breaks the connection off without an answer.
func abort(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func TestRefusedConnectionGoesElsewhere(t *testing.T) {
	c := start(t, Options{})
	url := "http://" + c.service("web")
	dead := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	b := c.replica("b", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, string(body))
	})
	c.endpoints("web", at("a", dead), at("b", b.address))
	client, body := client(t), strings.Repeat("x", 200<<10)
	for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodPut, http.MethodDelete} {
		if code, answer := do(client, method, url, body); code != http.StatusOK || answer != body {
			t.Fatalf("%s: %d, %d bytes", method, code, len(answer))
		}
	}
	s := c.state()
	if e := s.Endpoints[0]; !e.Ejected || e.Ejections != 1 || e.Failures["refused"] != 1 || s.Retries != 1 || e.Lost != 0 {
		t.Errorf("one refusal is to take it out of rotation: %+v", s)
	}
	eventually(t, "an Event", func() bool { return len(c.events("OutOfRotation")) == 1 })
	want := fmt.Sprintf("a: %s, behind port %d of Service web, is out of rotation until it accepts a connection, whatever its probes say: connect: connection refused", dead, s.Port)
	if got := c.events("OutOfRotation")[0]; got != want {
		t.Errorf("Event %q, want %q", got, want)
	}
	l, err := net.Listen("tcp", dead)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	eventually(t, "it is back in rotation", func() bool { return !c.state().Endpoints[0].Ejected })
	eventually(t, "an Event", func() bool { return len(c.events("InRotation")) == 1 })
}

func TestAllEjectedAreTried(t *testing.T) {
	c := start(t, Options{})
	url := "http://" + c.service("web")
	dead := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	c.endpoints("web", at("a", dead))
	client := client(t)
	if code, body := get(client, url); code != http.StatusServiceUnavailable || !strings.Contains(body, "connection refused") {
		t.Fatalf("%d %s", code, body)
	}
	c.proxy.ports[onlyKey(c)].table.Load().ready[0].removed.Store(true) // nobody brings it back
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

func onlyKey(c *cluster) portKey {
	s := c.state()
	return portKey{s.Service, s.Port}
}

func TestReplicaThatDoesNotAccept(t *testing.T) {
	c := start(t, Options{})
	url := "http://" + c.service("web")
	full := fullQueue(t)
	b := c.replica("b", nil)
	c.endpoints("web", at("a", full), at("b", b.address))
	c.proxy.ports[onlyKey(c)].roundRobin.Store(1) // so that a is asked first
	began := time.Now()
	if code, body := do(client(t), http.MethodPost, url, "x"); code != http.StatusOK || body != "b" {
		t.Fatalf("%d %s", code, body)
	}
	if took := time.Since(began); took < dialTimeout || took > 10*dialTimeout {
		t.Errorf("it took %v, want a little more than %v", took, dialTimeout)
	}
	if e := c.state().Endpoints[0]; e.Failures["timeout"] != 1 || !e.Ejected {
		t.Errorf("state %+v", e)
	}
}

// Who stops a replica can wait for requests that were routed to it and are not on their way yet.
func TestSent(t *testing.T) {
	for name, change := range map[string]func(*corev1.Service){
		"http": func(*corev1.Service) {}, "h2c": speaking("kubernetes.io/h2c"), "tcp": speaking("tcp"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t, Options{})
			address := c.service("web", change)
			c.endpoints("web", at("a", fullQueue(t)))
			over := make(chan struct{})
			go func() {
				defer close(over)
				get(client(t), "http://"+address)
			}()
			eventually(t, "the request is routed", func() bool { return c.proxy.InFlight("a") == 1 })
			c.proxy.Withdraw("a")
			sent := c.proxy.Sent("a")
			select {
			case <-sent:
				t.Error("it is called sent, and there was no connection yet")
			case <-time.After(dialTimeout / 4):
			}
			<-sent // when it was given up
			<-over
			<-c.proxy.Sent("a")
			<-c.proxy.Sent("nobody")
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
		seen              int64 // by both
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
			c := start(t, Options{})
			url := "http://" + c.service("web")
			var got atomic.Value
			a := c.replica("a", func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				abort(w, r)
			})
			b := c.replica("b", func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got.Store(string(body))
			})
			c.endpoints("web", at("a", a.address), at("b", b.address))
			c.proxy.ports[onlyKey(c)].roundRobin.Store(1) // so that a is asked first
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
			eventually(t, "the loss is counted", func() bool { return c.state().Endpoints[0].Lost == want })
		})
	}
}

func TestGetSurvivesTheEndOfItsReplica(t *testing.T) {
	c := start(t, Options{})
	url := "http://" + c.service("web")
	a := c.replica("a", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	b := c.replica("b", nil)
	c.endpoints("web", at("a", a.address))
	answers := make(chan string, 3)
	client := client(t)
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodGet} {
		go func() {
			code, body := do(client, method, url, "")
			answers <- fmt.Sprint(method, " ", code, " ", body[:1])
		}()
	}
	eventually(t, "all have been sent", func() bool { return a.seen.Load() == 3 })
	if n := c.proxy.InFlight("a"); n != 3 {
		t.Errorf("%d in flight, want 3", n)
	}
	c.endpoints("web", at("a", a.address), at("b", b.address))
	c.proxy.Withdraw("a")
	drained := c.proxy.Drained("a")
	select {
	case <-drained:
		t.Fatal("drained with requests in flight")
	default:
	}
	<-c.proxy.Sent("a") // they are there, if not answered
	a.kill()
	c.proxy.Exited("a", "was killed by SIGKILL")
	got := []string{<-answers, <-answers, <-answers}
	slices.Sort(got)
	if want := []string{"GET 200 b", "GET 200 b", "POST 502 S"}; !slices.Equal(got, want) {
		t.Errorf("answers %q, want %q", got, want)
	}
	<-drained
	const want = "a: 1 request was in flight when a was killed by SIGKILL; it would be lost on a cluster too"
	eventually(t, "the Event", func() bool { return len(c.events("RequestsLost")) > 0 })
	if events := c.events("RequestsLost"); !slices.Equal(events, []string{want}) {
		t.Errorf("Events %q, want %q", events, want)
	}
}

func TestAbortedAnswerIsLost(t *testing.T) {
	c := start(t, Options{})
	url := "http://" + c.service("web")
	a := c.replica("a", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "half")
		_ = http.NewResponseController(w).Flush()
		abort(w, r)
	})
	b := c.replica("b", abort)
	c.endpoints("web", at("a", a.address), at("b", b.address))
	c.proxy.ports[onlyKey(c)].roundRobin.Store(1)
	if code, body := get(client(t), url); code != 0 || !strings.Contains(body, "unexpected EOF") {
		t.Errorf("%d %q, want an answer that breaks off", code, body)
	}
	if b.seen.Load() != 0 {
		t.Error("an answer that had begun was asked for again")
	}
	eventually(t, "the loss is counted", func() bool { return c.state().Endpoints[0].Lost == 1 })
	c.proxy.Exited("a", "exited with code 1")
	eventually(t, "the Event", func() bool { return len(c.events("RequestsLost")) == 1 })
}

func TestPostAfterItsKeptConnectionDied(t *testing.T) {
	c := start(t, Options{})
	url := "http://" + c.service("web")
	a, b := c.replica("a", nil), c.replica("b", nil)
	c.endpoints("web", at("a", a.address))
	client := client(t)
	for round := range 50 {
		if code, body := do(client, http.MethodPost, url, "x"); code != http.StatusOK {
			t.Fatalf("round %d: %d %s", round, code, body)
		}
		// as a server with a short keep-alive does, or a process that is restarted
		a.CloseClientConnections()
	}
	c.endpoints("web", at("a", a.address), at("b", b.address))
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

// TestKill9 kills one of three processes under load: no GET fails, only POSTs that were sent to it,
// and nothing is seen twice.
func TestKill9(t *testing.T) {
	c := start(t, Options{})
	url := "http://" + c.service("web")
	children := []*child{startChild(t), startChild(t), startChild(t)}
	c.endpoints("web", at("a", children[0].address), at("b", children[1].address), at("c", children[2].address))
	client, stop := client(t), make(chan struct{})
	var clients sync.WaitGroup
	var total, failedGet, failedPost, dead atomic.Int64
	for i := range 64 {
		clients.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				method, failed := http.MethodGet, &failedGet
				if n%5 == 4 {
					method, failed = http.MethodPost, &failedPost
				}
				id := fmt.Sprintf("%d/%d", i, n)
				code, body := do(client, method, url, id)
				if total.Add(1); code != http.StatusOK || body != method+" "+id {
					failed.Add(1)
					t.Logf("%s %s: %d %s", method, id, code, body)
				}
			}
		})
	}
	eventually(t, "load", func() bool { return total.Load() > 500 })
	how := children[0].kill()
	c.proxy.Withdraw("a")
	c.proxy.Exited("a", "was killed: "+how)
	dead.Store(total.Load())
	eventually(t, "load goes on", func() bool { return total.Load() > dead.Load()+500 })
	close(stop)
	clients.Wait()
	t.Logf("%d requests, failed GET %d, POST %d", total.Load(), failedGet.Load(), failedPost.Load())
	if failedGet.Load() > 0 {
		t.Errorf("%d GETs failed", failedGet.Load())
	}
	if lost := c.events("RequestsLost"); failedPost.Load() > 0 && (len(lost) != 1 || !strings.HasPrefix(lost[0], fmt.Sprintf("a: %d request", failedPost.Load()))) {
		t.Errorf("%d POSTs failed, Events %q", failedPost.Load(), lost)
	} else if failedPost.Load() == 0 && len(lost) > 0 {
		t.Errorf("nothing failed, Events %q", lost)
	}
	posts := map[string]int{}
	for _, child := range children {
		_ = child.kill()
		for line, n := range <-child.seen {
			if strings.HasPrefix(line, http.MethodPost) {
				posts[line] += n
			}
		}
	}
	for line, n := range posts {
		if n > 1 {
			t.Errorf("%s was seen %d times", line, n)
		}
	}
}

// TestStopsLoseNothing withdraws, drains and kills one replica after the other under load.
func TestStopsLoseNothing(t *testing.T) {
	c := start(t, Options{})
	url := "http://" + c.service("web")
	handler := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		time.Sleep(2 * time.Millisecond)
	}
	current := []*backend{c.replica("r0", handler), c.replica("r1", handler), c.replica("r2", handler)}
	write := func() {
		c.write("web", at(current[0].name, current[0].address), at(current[1].name, current[1].address), at(current[2].name, current[2].address))
	}
	write()
	eventually(t, "endpoints", func() bool { return len(c.state().Endpoints) == 3 })
	client, stop := client(t), make(chan struct{})
	var clients sync.WaitGroup
	var total, failed atomic.Int64
	for i := range 32 {
		clients.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				code, body := do(client, []string{http.MethodGet, http.MethodPost}[(i+n)%2], url, "x")
				if total.Add(1); code != http.StatusOK {
					failed.Add(1)
					t.Logf("%d %s", code, body)
				}
			}
		})
	}
	for i := range 9 {
		before := total.Load()
		eventually(t, "load", func() bool { return total.Load() > before+200 })
		old := current[i%3]
		pod := types.UID(old.name)
		current[i%3] = c.replica(fmt.Sprintf("r%d", i+3), handler)
		c.proxy.Withdraw(pod)
		<-c.proxy.Drained(pod)
		seen := old.seen.Load()
		write() // long after the node acted
		old.kill()
		c.proxy.Exited(pod, "exited with code 0 on SIGTERM")
		if old.seen.Load() != seen {
			t.Errorf("%s got %d requests after it was drained", pod, old.seen.Load()-seen)
		}
	}
	close(stop)
	clients.Wait()
	if failed.Load() > 0 || len(c.events("RequestsLost")) > 0 {
		t.Errorf("%d of %d requests failed, Events %q", failed.Load(), total.Load(), c.events("RequestsLost"))
	}
}
