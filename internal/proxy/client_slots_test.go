package proxy

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func usedSlots(p *Proxy) int {
	p.slots.mu.Lock()
	defer p.slots.mu.Unlock()
	return p.slots.used
}

func TestClientLimit(t *testing.T) {
	for descriptors, want := range map[uint64]int{
		0: 1, 16: 4, 256: 64, 512: 128, 1024: 341, 4096: 1365, 20000: 6667, 1 << 20: maxClients, 1<<64 - 1: maxClients,
	} {
		got := clientLimit(descriptors)
		if got != want {
			t.Errorf("clientLimit(%d) = %d, want %d", descriptors, got, want)
		}
		if left := descriptors - min(descriptors, uint64(got)*descriptorsPerClient); descriptors >= 256 && left < min(descriptors/3, minReserve) {
			t.Errorf("with %d descriptors %d are left for probes and starts", descriptors, left)
		}
	}
}

func TestPortShare(t *testing.T) {
	for _, tt := range []struct{ total, ports, want int }{
		{1, 1, 1}, {1, 10, 1}, {2, 1, 2}, {341, 1, 299}, {341, 2, 149}, {maxClients, 1, 14336}, {maxClients, 8, 1792}, {8, 0, 7},
	} {
		if got := portShare(tt.total, tt.ports); got != tt.want {
			t.Errorf("portShare(%d, %d) = %d, want %d", tt.total, tt.ports, got, tt.want)
		}
	}
}

// TestShares has a client take all that it can get of one Service. The others are served, those
// that come later too.
func TestShares(t *testing.T) {
	for _, protocol := range []string{"tcp", "http"} {
		t.Run(protocol, func(t *testing.T) {
			fx := start(t, Options{MaxConnections: 16, DrainTimeout: 50 * time.Millisecond})
			greedy := fx.service("greedy", named(protocol))
			fx.endpoints("greedy", at("g", hungReplica(t)))
			var last net.Conn
			for range 40 {
				last, _ = raw(t, greedy, "GET / HTTP/1.1\r\nHost: web\r\n\r\n")
			}
			eventually(t, "it has its share", func() bool { return fx.state().InFlight == portShare(16, 1) })
			eventually(t, "an Event says so", func() bool { return len(fx.events("TooManyClients")) == 1 })
			for _, name := range []string{"one", "two", "three", "four"} {
				a := fx.replica(name, nil)
				address := fx.service(name)
				fx.endpoints(name, at(name, a.address))
				if code, body := get(client(t), "http://"+address); code != http.StatusOK || body != name {
					t.Errorf("%s: %d %s", name, code, body)
				}
			}
			if events := fx.events("TooManyClients"); len(events) != 1 || !strings.Contains(events[0], "has 14 clients at a time") {
				t.Errorf("Events %q", events)
			}
			_ = last.Close()
		})
	}
}

// TestHTTP2StreamsCount sends many requests over one connection of HTTP/2, each of which needs a
// connection to the replica. They are bounded as connections are.
func TestHTTP2StreamsCount(t *testing.T) {
	fx := start(t, Options{MaxConnections: 8, DrainTimeout: 50 * time.Millisecond})
	url := "http://" + fx.service("web")
	release := make(chan struct{})
	a := fx.replica("a", func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/first" {
			<-release
		}
	})
	fx.endpoints("web", at("a", a.address))
	c := h2cClient(t)
	// requests that find no connection make one each
	if code, body := get(c, url+"/first"); code != http.StatusOK {
		t.Fatalf("%d %s", code, body)
	}
	ctx := t.Context()
	codes := make(chan int, 20)
	for range cap(codes) {
		go func() {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if err != nil {
				t.Error(err)
			}
			res, err := c.Do(request)
			if err != nil {
				codes <- 0
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			codes <- res.StatusCode
		}()
	}
	got := map[int]int{}
	free := portShare(8, 1) - 1 // beside the connection itself
	for range cap(codes) - free {
		got[<-codes]++
	}
	close(release)
	for range free {
		got[<-codes]++
	}
	if got[http.StatusOK] != free || got[http.StatusServiceUnavailable] != cap(codes)-free {
		t.Errorf("answers %v, want %d of 200 and the rest of 503", got, free)
	}
	c.CloseIdleConnections()
	eventually(t, "all slots are free", func() bool { return usedSlots(fx.proxy) == 0 })
}
