package drill

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/proxy"
)

// A client's port may be the one of a program's connection to another Service, at the same time.
func TestBook(t *testing.T) {
	web, db := types.NamespacedName{Namespace: "default", Name: "web"}, types.NamespacedName{Namespace: "default", Name: "db"}
	client := netip.MustParseAddrPort("127.0.0.1:40000")
	var b book
	for _, service := range []types.NamespacedName{web, db} {
		b.write(proxy.LedgerEntry{Service: service, Port: 80, Client: client, Pod: types.NamespacedName{Name: service.Name + "-1"}})
	}
	if e, ok := b.find(caller{web, 80, client}); !ok || e.Pod.Name != "web-1" {
		t.Errorf("the request to web went to %q", e.Pod.Name)
	}
	if b.clear(); len(b.entries) != 0 {
		t.Errorf("%d entries are left", len(b.entries))
	}
}

// TestRate: requests come at the rate that was asked for, and as much faster as an overload says,
// also where neither is a whole number.
func TestRate(t *testing.T) {
	for _, test := range []struct{ rate, by, before, during float64 }{{20, 10, 20, 200}, {1.9, 10, 1.9, 19}, {1, 1.5, 1, 1.5}, {1000, 100, 1000, 100000}} {
		d := &drill{load: newLoad("", nil, test.rate)}
		got := func() float64 { return float64(time.Second) / float64(d.load.every.Load()) }
		if rate := got(); math.Abs(rate/test.before-1) > 1e-3 {
			t.Errorf("%g a second is %g", test.rate, rate)
		}
		undo, err := d.overload(test.by)
		if rate := got(); err != nil || math.Abs(rate/test.during-1) > 1e-3 {
			t.Errorf("%gx of %g a second is %g, %v", test.by, test.rate, rate, err)
		}
		if err := undo(); err != nil || math.Abs(got()/test.before-1) > 1e-3 {
			t.Errorf("undone it is %g a second, %v", got(), err)
		}
	}
}

// TestSentRate: so many requests are sent.
func TestSentRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Second-time.Millisecond)
		defer stop()
		l := newLoad("nowhere", []RequestSpec{{Method: "GET", Path: "/"}}, 1.9)
		l.run(ctx)
		if n := len(l.take()); n != 19 {
			t.Errorf("%d requests in 10 s at 1.9 a second", n)
		}
	})
}

// TestSend: an answer is an answer, whatever comes before it and however much of the request was
// read; and none is an error.
func TestSend(t *testing.T) {
	const whole = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for name, test := range map[string]struct {
		answer string
		want   int
		err    string
	}{
		"an answer":             {whole, http.StatusOK, ""},
		"announced":             {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + whole, http.StatusOK, ""},
		"a refusal":             {"HTTP/1.1 413 Request Entity Too Large\r\n\r\n", http.StatusRequestEntityTooLarge, ""},
		"one that breaks off":   {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", 0, "unexpected EOF"},
		"none":                  {"", 0, "EOF"},
		"one that is no answer": {"220 mail.example ESMTP\r\n", 0, "malformed HTTP"},
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 1)
			l := newLoad(answering(t, test.answer, got), nil, 1)
			s := l.send(RequestSpec{Method: "POST", Path: "/compute?x=1", Header: http.Header{"X-Of": {"test"}}, Body: "{}"})
			if s.status != test.want || test.err == "" != (s.err == "") || !strings.Contains(s.err, test.err) {
				t.Errorf("status %d, error %q; want %d, %q", s.status, s.err, test.want, test.err)
			}
			if s.took <= 0 || s.class != "POST /compute?x=1" {
				t.Errorf("%+v", s)
			}
			if client := <-got; client != s.client.String() {
				t.Errorf("it was sent from %s, and says %s", client, s.client)
			}
		})
	}
}

// answering is the address of a server that reads one request, and answers in its own way.
func answering(t *testing.T, answer string, from chan<- string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		from <- conn.RemoteAddr().String()
		head := make([]byte, 4096)
		n, _ := conn.Read(head)
		for _, part := range []string{"POST /compute?x=1 HTTP/1.1\r\n", "Host: " + l.Addr().String(), "X-Of: test", "Connection: close", "Content-Length: 2"} {
			if !strings.Contains(string(head[:n]), part) {
				answer = fmt.Sprintf("HTTP/1.1 400 no %q\r\n\r\n", part)
			}
		}
		_, _ = conn.Write([]byte(answer))
	}()
	return l.Addr().String()
}
