package proxy

import (
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/probity-run/probity/test/ports"
)

// TestRestartInPlace breaks a GET that is in flight at a Pod whose next process already listens on
// the same port, but was never ready. net/http by itself would send the GET again to that process.
func TestRestartInPlace(t *testing.T) {
	fx := start(t, Options{})
	url := "http://" + fx.service("web")
	arrived, hang := make(chan struct{}), atomic.Bool{}
	a := fx.replicaAt(fmt.Sprintf("127.0.0.1:%d", ports.Free(t)), "a", func(w http.ResponseWriter, r *http.Request) {
		if hang.Load() {
			arrived <- struct{}{}
			<-r.Context().Done()
		}
	})
	fx.endpoints("web", at("a", a.address))
	client := client(t)
	// so that the next request finds a kept connection
	if code, body := get(client, url); code != http.StatusOK {
		t.Fatalf("%d %s", code, body)
	}
	hang.Store(true)
	answer := make(chan int, 1)
	go func() {
		code, _ := get(client, url)
		answer <- code
	}()
	<-arrived
	b := fx.replica("b", nil)
	fx.endpoints("web", at("a", a.address), at("b", b.address))
	if err := a.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	fx.proxy.Exited("a", "was killed by SIGKILL")
	next, err := net.Listen("tcp", a.address)
	if err != nil {
		t.Fatal(err)
	}
	var early atomic.Int64
	server := http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { early.Add(1) })}
	served := make(chan error, 1)
	go func() { served <- server.Serve(next) }()
	a.kill()
	if code := <-answer; code != http.StatusOK || b.seen.Load() != 1 {
		t.Errorf("status %d, the other replica saw %d requests, want 200 and 1", code, b.seen.Load())
	}
	if n := early.Load(); n > 0 {
		t.Errorf("a process that is not ready got %d requests", n)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	<-served
}
