package probe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// serveTLS starts a web server on 127.0.0.1 whose certificate is self-signed, expired and for
// another name.
func serveTLS(t *testing.T, handler http.HandlerFunc, configure func(*httptest.Server)) int {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{badCertificate(t)}}
	if configure != nil {
		configure(server)
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return portOf(t, server)
}

func badCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "other.example"},
		DNSNames:     []string{"other.example"},
		NotBefore:    time.Now().Add(-48 * time.Hour),
		NotAfter:     time.Now().Add(-24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// protocol answers with the protocol of the request.
func protocol(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }

// TestHTTPS goes through D31–D34 and D37.
func TestHTTPS(t *testing.T) {
	plain := serveHTTP(t, protocol)
	tests := map[string]struct {
		probe HTTPGet
		want  expectation
	}{
		"D31 bad certificate": {
			HTTPGet{Scheme: "HTTPS", Port: serveTLS(t, protocol, nil)},
			expectation{outcome: Success, output: "HTTP/1.1"},
		},
		"D32 with HTTP/2": {
			HTTPGet{Scheme: "https", Port: serveTLS(t, protocol, func(s *httptest.Server) { s.EnableHTTP2 = true })},
			expectation{outcome: Success, output: "HTTP/2.0"},
		},
		"D33 http to a TLS port": {
			HTTPGet{Port: serveTLS(t, protocol, nil)},
			expectation{outcome: Failure, output: "HTTP probe failed with statuscode: 400"},
		},
		"D34 https to a plain port": {
			HTTPGet{Scheme: "HTTPS", Port: plain},
			expectation{outcome: Failure, output: `Get "https://{addr}/": http: server gave HTTP response to HTTPS client`},
		},
		"D37 certificate of the client": {
			HTTPGet{Scheme: "HTTPS", Port: serveTLS(t, protocol, func(s *httptest.Server) { s.TLS.ClientAuth = tls.RequireAnyClientCert })},
			expectation{outcome: Failure, contains: "remote error: tls: "},
		},
		"R73 no HTTP/2 without TLS": {
			HTTPGet{Port: plain},
			expectation{outcome: Success, output: "HTTP/1.1"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.probe.Timeout = ample
			test.want.check(t, test.probe.Probe(t.Context()), address("", test.probe.Port))
		})
	}
}

// TestRedirectToTLS follows a redirect to another scheme on the same host (D11).
func TestRedirectToTLS(t *testing.T) {
	secure := serveTLS(t, protocol, nil)
	port := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, fmt.Sprintf("https://127.0.0.1:%d/", secure), http.StatusFound)
	})
	got := HTTPGet{Port: port, Timeout: ample}.Probe(t.Context())
	expectation{outcome: Success, output: "HTTP/1.1"}.check(t, got, "")
}

// TestServerName: no name is sent for an address, and a Host header changes neither that nor the
// target (D46).
func TestServerName(t *testing.T) {
	var name atomic.Value
	port := serveTLS(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host) }, func(s *httptest.Server) {
		s.TLS.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			name.Store(hello.ServerName)
			return nil, nil
		}
	})
	get := HTTPGet{Scheme: "HTTPS", Port: port, Timeout: ample, Headers: []Header{{"Host", "vh.example"}}}
	expectation{outcome: Success, output: "vh.example"}.check(t, get.Probe(t.Context()), "")
	if got := name.Load(); got != "" {
		t.Errorf("server name for an address = %q, want none", got)
	}
	get.Host = "localhost"
	expectation{outcome: Success, output: "vh.example"}.check(t, get.Probe(t.Context()), "")
	if got := name.Load(); got != "localhost" {
		t.Errorf("server name for a name = %q, want localhost", got)
	}
}
