package tunnel

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/apiserver/stream"
	"github.com/probity-run/probity/internal/kube"
)

// authority signs what a cluster and its users show.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	a.certificate, a.key = a.sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// sign makes a certificate of a template and its key; the first one signs itself.
func (a *authority) sign(t *testing.T, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.certificate, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

// encoded is a certificate or a key as a kubeconfig has it.
func encoded(kind string, der []byte) string {
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func (a *authority) data() string { return encoded("CERTIFICATE", a.certificate.Raw) }

// user is what a kubeconfig says of a user with a client certificate.
func (a *authority) user(t *testing.T, name string) string {
	t.Helper()
	certificate, key := a.sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("{client-certificate-data: %s, client-key-data: %s}", encoded("CERTIFICATE", certificate.Raw), encoded("EC PRIVATE KEY", der))
}

// caller is whom a request shows.
func caller(r *http.Request) string {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return token
	}
	if len(r.TLS.PeerCertificates) > 0 {
		return r.TLS.PeerCertificates[0].Subject.CommonName
	}
	return ""
}

// newCluster serves a Pod over TLS and HTTP/2, with a certificate for kubernetes.test alone, to
// who shows that it is jane: exec tells the caller, and the port echoes what is sent.
func newCluster(t *testing.T, a *authority) *httptest.Server {
	t.Helper()
	echo := listen(t, func(conn net.Conn) {
		_, _ = io.Copy(conn, conn) // to its end
	})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if who := caller(r); who != "jane" {
			http.Error(w, "who is "+who+"?", http.StatusUnauthorized)
			return
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/exec"):
			s, err := stream.Open(w, r, stream.Wants{Stdout: true, Stderr: true})
			if err != nil {
				t.Error(err)
				return
			}
			fmt.Fprintf(s.Stdout, "%s by HTTP/%d", caller(r), r.ProtoMajor)
			s.End(&metav1.Status{Status: metav1.StatusSuccess})
		case strings.HasSuffix(r.URL.Path, "/portforward"):
			_ = stream.Forward(w, r, func(ctx context.Context, _ int32) (net.Conn, error) { // the client sees to it
				return (&net.Dialer{}).DialContext(ctx, "tcp", echo)
			})
		default:
			if r.ProtoMajor != 2 {
				t.Errorf("a list comes by HTTP/%d", r.ProtoMajor)
			}
			io.WriteString(w, `{"items":[{}]}`) // a client that is gone fails the test itself
		}
	}))
	certificate, key := a.sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "server"}, DNSNames: []string{"kubernetes.test"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	clients := x509.NewCertPool()
	clients.AddCert(a.certificate)
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{certificate.Raw}, PrivateKey: key}},
		ClientAuth:   tls.VerifyClientCertIfGiven, ClientCAs: clients,
	}
	server.EnableHTTP2, server.Config.ErrorLog = true, log.New(io.Discard, "", 0) // some do not trust it
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// plugin writes an exec plugin that shows a token, and returns what a kubeconfig says of it.
func plugin(t *testing.T, token string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plugin")
	text := fmt.Sprintf("#!/bin/sh\necho '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":%q}}'\n", token)
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return "{exec: {apiVersion: client.authentication.k8s.io/v1, command: " + path + ", interactiveMode: Never}}"
}

// TestCluster: whatever a kubeconfig shows and trusts, it is for lists over HTTP/2 and for the
// connections of exec and port-forward, which HTTP/1.1 alone can upgrade.
func TestCluster(t *testing.T) {
	a := newAuthority(t)
	server := newCluster(t, a)
	trusted := "certificate-authority-data: " + a.data() + ", tls-server-name: kubernetes.test"
	for name, test := range map[string]struct {
		trust, user string
		err         string
	}{
		"a token":                {trusted, "{token: jane}", ""},
		"a client certificate":   {trusted, a.user(t, "jane"), ""},
		"a plugin":               {trusted, plugin(t, "jane"), ""},
		"trusts everybody":       {"insecure-skip-tls-verify: true", "{token: jane}", ""},
		"a wrong token":          {trusted, "{token: joe}", "does not take the credentials of the kubeconfig"},
		"a plugin that is wrong": {trusted, plugin(t, "joe"), "does not take the credentials of the kubeconfig"},
		"another name":           {"certificate-authority-data: " + a.data(), "{token: jane}", "has a certificate that is not for 127.0.0.1 but for kubernetes.test: set tls-server-name"},
		"an unknown authority":   {"tls-server-name: kubernetes.test", "{token: jane}", "has a certificate of an unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "kubeconfig")
			text := fmt.Sprintf("apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: %q, %s}}]\nusers: [{name: u, user: %s}]\n"+
				"contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n", server.URL, test.trust, test.user)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cluster, err := kube.Connect(kube.Config{Kubeconfig: path})
			if err != nil {
				t.Fatal(err)
			}
			defer cluster.Close()
			check := func(what string, err error) {
				t.Helper()
				if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), server.URL+" "+test.err)) {
					t.Errorf("%s: error %v, want %q", what, err, test.err)
				}
			}
			var list corev1.PodList
			check("list", cluster.List(t.Context(), kube.Pods, "", metav1.ListOptions{}, &list))
			var out bytes.Buffer
			_, err = Exec(t.Context(), cluster.Client, web(), Command{Argv: []string{"who"}, Stdout: &out, Stderr: io.Discard})
			check("exec", err)
			if got := out.String(); test.err == "" && got != "jane by HTTP/1" {
				t.Errorf("exec prints %q", got)
			}
			ours, theirs := socketPair(t)
			ended := make(chan error, 1)
			go func() { ended <- Forward(t.Context(), cluster.Client, web(), 8080, theirs) }()
			_, _ = io.WriteString(ours, "hello") // whoever is refused reads nothing
			_ = ours.CloseWrite()
			got, _ := io.ReadAll(ours)
			check("port-forward", <-ended)
			if test.err == "" && string(got) != "hello" {
				t.Errorf("port-forward echoes %q", got)
			}
		})
	}
}
