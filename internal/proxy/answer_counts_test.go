package proxy

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestAnswersAreCounted(t *testing.T) {
	fx := start(t, Options{})
	url := "http://" + fx.service("web")
	left := make(chan struct{})
	web := fx.replica("web", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/chat":
			upgrade(w, r)
		case "/wait":
			<-left
			<-r.Context().Done()
		case "/break":
			abort(w, r)
		case "/half":
			fmt.Fprint(w, strings.Repeat("x", 10_000))
			w.(http.Flusher).Flush()
			abort(w, r)
		default:
			code, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
			if err != nil {
				t.Error(err)
			}
			w.WriteHeader(code)
		}
	})
	c := client(t)
	want := func(what string, lost, latencies uint64, answers ...uint64) {
		t.Helper()
		eventually(t, what, func() bool {
			s := fx.state()
			return s.Answers == [6]uint64(answers) && s.Lost == lost && s.Latency.Count() == latencies
		})
	}
	if code, _ := get(c, url+"/200"); code != http.StatusServiceUnavailable {
		t.Fatalf("without an endpoint: %d", code)
	}
	want("no endpoint", 0, 1, 0, 0, 0, 0, 0, 1)
	fx.endpoints("web", at("web", web.address))
	for _, code := range []int{200, 204, 302, 404, 500} {
		do(c, http.MethodPost, url+"/"+strconv.Itoa(code), "")
	}
	want("an answer of each class", 0, 6, 0, 0, 2, 1, 1, 2)
	do(c, http.MethodPost, url+"/break", "")
	want("a request is lost", 1, 7, 0, 0, 2, 1, 1, 3)
	do(c, http.MethodPost, url+"/half", "")
	want("an answer broke off", 2, 8, 0, 0, 3, 1, 1, 3)
	conn, reader := raw(t, strings.TrimPrefix(url, "http://"), upgradeRequest)
	if line, err := reader.ReadString('\n'); err != nil || !strings.Contains(line, "101") {
		t.Fatalf("%q %v", line, err)
	}
	conn.Close()
	want("an upgraded connection", 2, 8, 0, 1, 3, 1, 1, 3)
	ctx, leave := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/wait", nil)
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		if res, err := c.Do(request); err == nil {
			res.Body.Close()
			t.Error("an answer to a client that has left")
		}
	}()
	eventually(t, "the request is there", func() bool { return fx.proxy.InFlight("web") == 1 })
	leave()
	close(left)
	<-over
	want("the client has left", 2, 8, 1, 1, 3, 1, 1, 3)
	raw(t, strings.TrimPrefix(url, "http://"), "CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n")
	want("a request that is not routed", 2, 8, 1, 1, 3, 1, 1, 4)
	if s := fx.state(); s.Latency.Sum <= 0 || s.Latency.Quantile(0.99) <= 0 {
		t.Errorf("latencies %+v", s.Latency)
	}
}

// TestAnswersOfGRPC: a call that no endpoint answered counts as the 503 that it is, although HTTP
// says 200.
func TestAnswersOfGRPC(t *testing.T) {
	fx := start(t, Options{})
	address := fx.service("web", speaking("kubernetes.io/h2c"))
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/call", strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/grpc")
	res, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("Grpc-Status") != "14" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	eventually(t, "a failure", func() bool { return fx.state().Answers == [6]uint64{5: 1} })
}

func TestAnswersOfNoStatus(t *testing.T) {
	counts := newAnswerCounts()
	for _, code := range []int{0, 99, 600, 1000} {
		counts.answered(code, counts.now())
	}
	if got := counts.state(); got != [6]uint64{4} {
		t.Errorf("classes %v, want 4 of none", got)
	}
}

// BenchmarkAnswered is what counting an answer costs a request: its class and its latency, and with
// the two readings of the clock. What it adds is the difference of the last two: those of a request
// with one write, without the counting and with a deadline for each write, and as it is.
func BenchmarkAnswered(b *testing.B) {
	b.Run("counting", func(b *testing.B) {
		counts := newAnswerCounts()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				counts.count(200)
				counts.latency.Observe(700 * time.Microsecond)
			}
		})
	})
	b.Run("with the clock", func(b *testing.B) {
		counts := newAnswerCounts()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				counts.answered(200, counts.now())
			}
		})
	})
	b.Run("a request before", func(b *testing.B) {
		conn := idleConn(b)
		for b.Loop() {
			if err := conn.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("a request", func(b *testing.B) {
		conn, counts := idleConn(b), newAnswerCounts()
		limit := writeLimit{timeout: time.Minute, began: counts.began}
		for b.Loop() {
			came := counts.now()
			counts.answered(200, came)
			if err := limit.extend(conn); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// idleConn is a connection that nobody uses.
func idleConn(b *testing.B) *net.TCPConn {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}
