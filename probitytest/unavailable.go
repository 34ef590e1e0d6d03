package probitytest

import (
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
)

// unavailable answers every HTTP request with 503.
type unavailable struct {
	server  *http.Server
	address string
	serving sync.WaitGroup
}

func newUnavailable() (*unavailable, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	answer := func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "unready, as the test wants it", http.StatusServiceUnavailable)
	}
	u := &unavailable{address: l.Addr().String(), server: &http.Server{Handler: http.HandlerFunc(answer), ReadHeaderTimeout: time.Minute}}
	u.serving.Go(func() { _ = u.server.Serve(l) }) // it ends with close
	return u, nil
}

func (u *unavailable) instead(string, lifecycle.ProbeType) string { return u.address }

func (u *unavailable) close() error {
	err := u.server.Close()
	u.serving.Wait()
	return err
}
