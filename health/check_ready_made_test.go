package health

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestHTTPCheck(t *testing.T) {
	release := make(chan struct{})
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { t.Error("a redirect is followed") }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		case "/down":
			http.Error(w, "out of order", http.StatusServiceUnavailable)
		case "/gone":
			http.NotFound(w, r)
		case "/slow":
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
	}))
	defer server.Close()
	defer close(release)
	secret := strings.Replace(server.URL, "://", "://user:secret@", 1)
	for path, want := range map[string]string{
		"/": "", "/moved": "", "/down?key=secret": "the answer is 503", "/gone": "the answer is 404", "/slow?key=secret": "deadline",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		err := HTTPCheck(secret + path)(ctx)
		cancel()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error has the password or the query: %v", path, err)
		}
	}
	server.Close()
	if err := HTTPCheck(secret)(t.Context()); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("without a server: %v", err)
	}
	for _, address := range []string{"", "billing", "billing:80/x", "ftp://billing", "http://", "http://a\x7f:secret@b"} {
		if err := HTTPCheck(address)(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot check: its URL") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestTCPCheck(t *testing.T) {
	addr := freeAddr(t)
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := TCPCheck(addr)(t.Context()); err != nil {
		t.Error(err)
	}
	listener.Close()
	if err := TCPCheck(addr)(t.Context()); err == nil {
		t.Error("nobody listens, and the check passes")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := TCPCheck(addr)(ctx); !errors.Is(err, context.Canceled) && !strings.Contains(err.Error(), "canceled") {
		t.Errorf("its context has ended: %v", err)
	}
	for _, address := range []string{"", "queue", "queue:1:2"} {
		if err := TCPCheck(address)(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot check: its address") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestDNSCheck(t *testing.T) {
	if err := DNSCheck("localhost")(t.Context()); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := DNSCheck("nobody.invalid")(ctx); err == nil { // RFC 2606
		t.Error("a name that cannot be has an address")
	}
	if err := DNSCheck("")(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot check: its host") {
		t.Errorf("no name: %v", err)
	}
}
