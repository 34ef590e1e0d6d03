package kube

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// failing is a server that is not reached.
type failing struct{ err error }

// RoundTrip implements [http.RoundTripper].
func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

// TestUnheard: each error is one line that begins with the server, says what it does instead of
// answering, and is still the error that it was.
func TestUnheard(t *testing.T) {
	op := func(op string, err error) error { return &net.OpError{Op: op, Net: "tcp", Err: err} }
	certificate := &x509.Certificate{DNSNames: []string{"kubernetes"}, IPAddresses: []net.IP{net.IPv4(10, 0, 0, 1)}}
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"refused":               {op("dial", os.NewSyscallError("connect", syscall.ECONNREFUSED)), "does not answer: connection refused"},
		"late":                  {op("dial", os.ErrDeadlineExceeded), "does not answer in time: dial tcp: i/o timeout"},
		"no route":              {op("dial", os.NewSyscallError("connect", syscall.EHOSTUNREACH)), "cannot be asked: dial tcp: connect: no route to host"},
		"broken off":            {op("read", os.NewSyscallError("read", syscall.ECONNRESET)), "breaks the connection off: read tcp: read: connection reset by peer"},
		"at its end":            {io.EOF, "breaks the connection off: EOF"},
		"no such host":          {op("dial", &net.DNSError{Err: "no such host", Name: "nowhere.test", IsNotFound: true}), "is not found: there is no host nowhere.test (see server in the kubeconfig)"},
		"no DNS":                {op("dial", &net.DNSError{Err: "server misbehaving", Name: "nowhere.test"}), "is not found: lookup nowhere.test: server misbehaving"},
		"no TLS":                {http.ErrSchemeMismatch, "does not speak TLS (see server in the kubeconfig)"},
		"another name":          {x509.HostnameError{Certificate: certificate, Host: "127.0.0.2"}, "has a certificate that is not for 127.0.0.2 but for kubernetes, 10.0.0.1: set tls-server-name in the kubeconfig to one of these"},
		"an unknown authority":  {x509.UnknownAuthorityError{}, "has a certificate of an unknown authority (see certificate-authority-data in the kubeconfig)"},
		"expired":               {x509.CertificateInvalidError{Reason: x509.Expired, Detail: "it is 2026"}, "has a certificate that is not valid: x509: certificate has expired or is not yet valid: it is 2026"},
		"no client certificate": {op("remote error", errors.New("tls: certificate required")), "does not take the client certificate of the kubeconfig: tls: certificate required"},
		"no plugin":             {errors.New("getting credentials: exec: executable aws not found\n\nIt looks like\x1b you are"), "cannot be asked: getting credentials: exec: executable aws not found It looks like\\u001b you are"},
	} {
		t.Run(name, func(t *testing.T) {
			client := New(&http.Client{Transport: failing{test.err}}, "https://c")
			var list corev1.PodList
			err := client.List(t.Context(), Pods, "", metav1.ListOptions{}, &list)
			if want := "https://c " + test.want; err == nil || err.Error() != want {
				t.Errorf("error %q, want %q", err, want)
			}
			if !errors.Is(err, test.err) {
				t.Errorf("%v is not %v", err, test.err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := client.List(ctx, Pods, "", metav1.ListOptions{}, &list); errors.As(err, new(*UnheardError)) {
				t.Errorf("who gave up is told %v", err)
			}
		})
	}
}
