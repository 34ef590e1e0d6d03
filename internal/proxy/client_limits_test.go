package proxy

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"
)

// TestClientThatStopsSending has a client that stops sending, or sends no HTTP. It is told so. That
// is no failure of the endpoint, and the request does not count as lost.
func TestClientThatStopsSending(t *testing.T) {
	for name, tt := range map[string]struct {
		request string
		want    int
	}{
		"stops":    {"POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\n\r\nhe", http.StatusRequestTimeout},
		"nonsense": {"POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n", http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			fx := start(t, Options{ClientTimeout: 50 * time.Millisecond})
			address := fx.service("web")
			a := fx.replica("a", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
			fx.endpoints("web", at("a", a.address))
			_, reader := raw(t, address, tt.request)
			res, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != tt.want || !res.Close {
				t.Errorf("%s, close: %v", res.Status, res.Close)
			}
			eventually(t, "it left", func() bool { return fx.state().Endpoints[0].InFlight == 0 })
			if s := fx.state(); s.Endpoints[0].Lost != 0 || s.Retries != 0 || len(s.Endpoints[0].Failures) != 0 {
				t.Errorf("the client's failure counts for the endpoint: %+v", s)
			}
			if code, body := get(client(t), "http://"+address); code != http.StatusOK {
				t.Errorf("the next one: %d %s", code, body)
			}
		})
	}
}

// TestSlowBody sends a body that as a whole takes longer than the limit, which is allowed. The
// answer takes longer, too.
func TestSlowBody(t *testing.T) {
	const limit = time.Second
	fx := start(t, Options{ClientTimeout: limit})
	address := fx.service("web")
	a := fx.replica("a", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		time.Sleep(limit + limit/10) // the limit is not on the time that an answer takes
		_, _ = w.Write(body)
	})
	fx.endpoints("web", at("a", a.address))
	conn, reader := raw(t, address, "POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\n\r\n")
	for range 5 {
		time.Sleep(limit / 4) // slow, but not too slow
		if _, err := io.WriteString(conn, "x"); err != nil {
			t.Fatal(err)
		}
	}
	res, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(res.Body); err != nil || string(body) != "xxxxx" {
		t.Errorf("%s %q, %v", res.Status, body, err)
	}
}

// TestClientThatStopsReading cuts off a client that stops reading, so that it does not occupy its
// endpoint.
func TestClientThatStopsReading(t *testing.T) {
	fx := start(t, Options{ClientTimeout: 50 * time.Millisecond})
	address := fx.service("web")
	a := fx.replica("a", func(w http.ResponseWriter, _ *http.Request) {
		block := bytes.Repeat([]byte("x"), 1<<16)
		for {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	fx.endpoints("web", at("a", a.address))
	_, _ = raw(t, address, "GET / HTTP/1.1\r\nHost: web\r\n\r\n")
	eventually(t, "it got in", func() bool { return a.seen.Load() == 1 })
	eventually(t, "it was cut off", func() bool { return fx.state().Endpoints[0].InFlight == 0 })
}
