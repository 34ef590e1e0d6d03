package kube

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestRedirect: a server may send on to itself, but nobody else is asked: neither the credentials
// nor what is applied reaches another server.
func TestRedirect(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		t.Errorf("another server is asked: %s %s with %q (%v)", r.Method, r.URL, body, err)
	}))
	defer other.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/pods/moved"):
			http.Redirect(w, r, strings.TrimSuffix(r.URL.Path, "moved")+"web", http.StatusTemporaryRedirect)
		case strings.HasSuffix(r.URL.Path, "/pods/web"):
			if _, err := io.WriteString(w, `{"metadata":{"name":"web"}}`); err != nil {
				t.Error(err)
			}
		case strings.HasSuffix(r.URL.Path, "/pods/round"):
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		default:
			http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
		}
	}))
	defer server.Close()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	config := "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: '" + server.URL + "'}}]\n"
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	connected, err := Connect(Config{Kubeconfig: path})
	if err != nil {
		t.Fatal(err)
	}
	defer connected.Close()
	for name, c := range map[string]*Client{"connected": connected.Client, "made": New(server.Client(), server.URL)} {
		t.Run(name, func(t *testing.T) {
			want := "the server answers 307 Temporary Redirect, and sends to " + other.URL + "/api/v1/namespaces/shop/secrets/s, which is not asked"
			if _, err := c.Apply(t.Context(), Ref{Secrets, "shop", "s"}, []byte("{}"), ApplyOptions{Manager: "m"}); err == nil || err.Error() != want {
				t.Errorf("error %v, want %s", err, want)
			}
			var pod corev1.Pod
			if err := c.Get(t.Context(), Ref{Pods, "shop", "moved"}, &pod); err != nil || pod.Name != "web" {
				t.Errorf("got %q, error %v", pod.Name, err)
			}
			if err := c.Get(t.Context(), Ref{Pods, "shop", "round"}, &pod); err == nil || !strings.Contains(err.Error(), "from one address of its own to the next") {
				t.Errorf("error %v of a server that sends on and on", err)
			}
			_, _, err := c.Upgrade(t.Context(), http.MethodGet, Ref{Pods, "shop", "away"}, "exec", nil, http.Header{})
			if err == nil || !strings.Contains(err.Error(), "which is not asked") {
				t.Errorf("error %v of an exec that is sent on", err)
			}
		})
	}
}
