package probetest

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"testing"

	"github.com/probity-run/probity/test/healthserver"
)

// ServeHealth starts a gRPC server on 127.0.0.1 and returns its port. A nil check leaves the health
// service out. All ends with the test.
func ServeHealth(t testing.TB, check healthserver.Check) int {
	t.Helper()
	return serveHealth(t, healthserver.New(check))
}

// ServeHealthTLS is [ServeHealth] by TLS.
func ServeHealthTLS(t testing.TB, check healthserver.Check, certificate tls.Certificate) int {
	t.Helper()
	server := healthserver.New(check)
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	return serveHealth(t, server)
}

func serveHealth(t testing.TB, server *http.Server) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server.ErrorLog = log.New(io.Discard, "", 0)
	served := make(chan error, 1)
	go func() {
		if server.TLSConfig != nil {
			served <- server.ServeTLS(listener, "", "")
			return
		}
		served <- server.Serve(listener)
	}()
	t.Cleanup(func() {
		if err := errors.Join(server.Close(), <-served); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serving ended with %v", err)
		}
	})
	return listener.Addr().(*net.TCPAddr).Port
}
