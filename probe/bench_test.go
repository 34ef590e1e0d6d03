package probe

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkProbe measures one successful attempt of each handler on loopback, the server's part
// included.
func BenchmarkProbe(b *testing.B) {
	web := httptest.NewServer(http.HandlerFunc(protocol))
	defer web.Close()
	port := web.Listener.Addr().(*net.TCPAddr).Port
	client := new(HTTPClient)
	defer client.Close()
	probers := []struct {
		name   string
		prober Prober
	}{
		{"http", HTTPGet{Port: port, Timeout: ample, Client: client}},
		{"http-private-client", HTTPGet{Port: port, Timeout: ample}},
		{"tcp", TCPSocket{Port: port, Timeout: ample}},
		{"exec", Exec{Command: []string{"true"}, Timeout: ample}},
		{"heartbeat", Heartbeat{File: "bench_test.go", MaxAge: 1 << 62}},
	}
	for _, p := range probers {
		b.Run(p.name, func(b *testing.B) {
			for b.Loop() {
				if result := p.prober.Probe(b.Context()); result.Outcome != Success {
					b.Fatal(result)
				}
			}
		})
	}
}
