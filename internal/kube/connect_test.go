package kube

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/printable"
)

// kubeconfigOf writes a kubeconfig with a user, and returns its path.
func kubeconfigOf(t *testing.T, context, user string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), context)
	text := `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1/base/"}}]
users: [{name: ` + context + `-user, user: ` + user + `}]
contexts: [{name: ` + context + `, context: {cluster: c, user: ` + context + `-user, namespace: shop}}]
current-context: ` + context + `
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestConnectChooses: the first file of $KUBECONFIG has the current context, others have more;
// flags take precedence.
func TestConnectChooses(t *testing.T) {
	t.Setenv("KUBECONFIG", kubeconfigOf(t, "one", "{token: x}")+string(filepath.ListSeparator)+kubeconfigOf(t, "two", "{}"))
	third := kubeconfigOf(t, "three", "{}")
	tests := map[string]struct {
		config             Config
		context, namespace string
	}{
		"as kubectl without flags": {Config{}, "one", "shop"},
		"another context":          {Config{Context: "two"}, "two", "shop"},
		"another namespace":        {Config{Namespace: "eu"}, "one", "eu"},
		"another file":             {Config{Kubeconfig: third}, "three", "shop"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cluster, err := Connect(test.config)
			if err != nil {
				t.Fatal(err)
			}
			defer cluster.Close()
			if cluster.Context != test.context || cluster.Namespace != test.namespace || cluster.Server != "https://127.0.0.1:1/base" {
				t.Errorf("connected with %s, %s, %s, want %s, %s", cluster.Context, cluster.Namespace, cluster.Server, test.context, test.namespace)
			}
		})
	}
}

// TestPassword: one in the URL of a server is sent, and shown nowhere.
func TestPassword(t *testing.T) {
	answers := http.StatusUnauthorized
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "hunter2" {
			t.Errorf("the server is shown %q, %q", user, password)
		}
		w.WriteHeader(answers)
	}))
	path := filepath.Join(t.TempDir(), "kubeconfig")
	with := strings.Replace(server.URL, "//", "//me:hunter2@", 1)
	text := "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: '" + with + "'}}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cluster, err := Connect(Config{Kubeconfig: path})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	said := []string{cluster.Server}
	for _, answers = range []int{http.StatusUnauthorized, http.StatusNotFound} {
		_, err := cluster.Snapshot(t.Context(), "default")
		said = append(said, fmt.Sprint(err))
	}
	server.Close()
	_, err = cluster.Snapshot(t.Context(), "default")
	for _, text := range append(said, fmt.Sprint(err)) {
		if strings.Contains(text, "hunter2") || !strings.Contains(text, "me:xxxxx@") {
			t.Errorf("it says %s", text)
		}
	}
}

// TestKubectl: what people copy asks the same cluster, from whatever folder; a context of that name
// in their own kubeconfig may be another one.
func TestKubectl(t *testing.T) {
	path := kubeconfigOf(t, "one", "{}")
	t.Chdir(filepath.Dir(path))
	t.Setenv("KUBECONFIG", path)
	for want, config := range map[string]Config{
		"kubectl --context one": {},
		"kubectl --kubeconfig " + printable.Shell(path) + " --context one": {Kubeconfig: filepath.Base(path)},
	} {
		cluster, err := Connect(config)
		if err != nil {
			t.Fatal(err)
		}
		if got := cluster.Kubectl(); got != want {
			t.Errorf("with %+v: %s, want %s", config, got, want)
		}
		cluster.Close()
	}
	if got := (&Cluster{}).Kubectl(); got != "kubectl" {
		t.Errorf("in a cluster: %s", got)
	}
}

// TestConnectRefuses: each message says what to do.
func TestConnectRefuses(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	tests := map[string]struct {
		kubeconfig string // of $KUBECONFIG
		config     Config
		want       string
	}{
		"nothing":              {nowhere, Config{}, "nowhere, which $KUBECONFIG names"},
		"no such file":         {"", Config{Kubeconfig: nowhere}, "no such file"},
		"no such context":      {kubeconfigOf(t, "one", "{}"), Config{Context: "other"}, `context "other" does not exist`},
		"what Google had once": {kubeconfigOf(t, "one", "{auth-provider: {name: gcp}}"), Config{}, "gke-gcloud-auth-plugin"},
		"what Azure had once":  {kubeconfigOf(t, "one", "{auth-provider: {name: azure}}"), Config{}, "kubelogin"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", test.kubeconfig)
			_, err := Connect(test.config)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if got := errors.Is(err, ErrNoKubeconfig); got != (name == "nothing") {
				t.Errorf("ErrNoKubeconfig: %v", got)
			}
		})
	}
}

// TestMissingPlugin: the first request says which one, and how it is installed.
func TestMissingPlugin(t *testing.T) {
	// client-go keeps what it knows of a plugin as long as the process lives, and gives its hint
	// once
	name := fmt.Sprintf("no-such-plugin-%d", time.Now().UnixNano())
	plugin := "{exec: {apiVersion: client.authentication.k8s.io/v1, command: " + name + ", installHint: ask the moon, interactiveMode: Never}}"
	cluster, err := Connect(Config{Kubeconfig: kubeconfigOf(t, "one", plugin)})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	if _, err = cluster.Discover(t.Context()); err == nil || !strings.Contains(err.Error(), name+" not found") || !strings.Contains(err.Error(), "ask the moon") {
		t.Errorf("error %v", err)
	}
}
