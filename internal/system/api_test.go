package system

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/internal/apiserver/credentials"
)

// apiOf is a client for the API of a running system.
func apiOf(t *testing.T, s *System) (client *http.Client, url string) {
	t.Helper()
	<-s.api.ready
	root, err := os.OpenRoot(s.state.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	client, url, err = credentials.Client(root)
	if err != nil {
		t.Fatal(err)
	}
	return client, url
}

func fetch(t *testing.T, client *http.Client, url string) (code int, body []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body
}

// TestAPI: the API shows what runs, to who has the token, at the same port from run to run, and
// ends with the system.
func TestAPI(t *testing.T) {
	dir := folder(t)
	path := podOf(t, filepath.Join(folder(t), "pod.yaml"), "web", "Always", "exec sleep 60")
	var urls, tokens []string
	for _, again := range []bool{false, true} {
		s := started(t, t.Context(), Options{StateDir: dir, Manifests: []string{path}, NewToken: again})
		runs(t, s, "web")
		client, url := apiOf(t, s)
		code, body := fetch(t, client, url+"/api/v1/namespaces/default/pods")
		var pods corev1.PodList
		if err := json.Unmarshal(body, &pods); err != nil || code != http.StatusOK || len(pods.Items) != 1 || pods.Items[0].Name != "web" {
			t.Errorf("answered %d %s, %v", code, body, err)
		}
		if code, body := fetch(t, client, url+"/healthz"); code != http.StatusOK || string(body) != "ok" {
			t.Errorf("health: %d %s", code, body)
		}
		var config struct {
			Users []struct{ User struct{ Token string } }
		}
		if text, err := os.ReadFile(filepath.Join(dir, credentials.KubeconfigName)); err != nil || yaml.Unmarshal(text, &config) != nil || len(config.Users) != 1 {
			t.Fatalf("kubeconfig %s, %v", text, err)
		}
		if got := strings.Join(s.CommandEnvironment(), " "); !strings.Contains(got, "KUBECONFIG="+filepath.Join(dir, credentials.KubeconfigName)) {
			t.Errorf("environment of commands: %s", got)
		}
		urls, tokens = append(urls, url), append(tokens, config.Users[0].User.Token)
		// a watch ends with the system
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/v1/pods?watch=true", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		s.Stop()
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Errorf("the watch ended by %v, want a clean end", err)
		}
		response.Body.Close()
		if err := ended(t, s); err != nil {
			t.Error(err)
		}
		if _, err := client.Get(url + "/healthz"); err == nil {
			t.Error("the API goes on when the system has ended")
		}
	}
	if urls[0] != urls[1] || tokens[0] == tokens[1] {
		t.Errorf("at %v with the tokens %v, want the same place, and another token as asked", urls, tokens)
	}
}

// TestNoAPI: without it nothing is there that could lead to one.
func TestNoAPI(t *testing.T) {
	dir := folder(t)
	s := started(t, t.Context(), Options{StateDir: dir, NoAPI: true})
	<-s.api.ready
	if _, err := os.Lstat(filepath.Join(dir, credentials.KubeconfigName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("kubeconfig: %v", err)
	}
	if got := strings.Join(s.CommandEnvironment(), " "); strings.Contains(got, "KUBECONFIG") {
		t.Errorf("environment of commands: %s", got)
	}
	path := podOf(t, filepath.Join(folder(t), "pod.yaml"), "web", "Always", "exec sleep 60")
	if _, err := s.Apply(t.Context(), []string{path}); err != nil {
		t.Error(err)
	}
	runs(t, s, "web")
}

// TestAPIInTheWay: what keeps the API from being served is said, and the Pods run.
func TestAPIInTheWay(t *testing.T) {
	dir := folder(t)
	path := podOf(t, filepath.Join(folder(t), "pod.yaml"), "web", "Always", "exec sleep 60")
	first := started(t, t.Context(), Options{StateDir: dir})
	<-first.api.ready
	first.Stop()
	if err := ended(t, first); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("x"), 0o644); err != nil || os.Chmod(filepath.Join(dir, "token"), 0o644) != nil {
		t.Fatal(err)
	}
	notices := make(chan string, 100)
	s := started(t, t.Context(), Options{StateDir: dir, Manifests: []string{path}, Notice: func(line string) { notices <- line }})
	runs(t, s, "web")
	for line := range notices {
		if strings.Contains(line, "no Kubernetes API") {
			if !strings.Contains(line, "token") || !strings.Contains(line, "--no-api") {
				t.Errorf("notice %q, want the file and the remedy", line)
			}
			break
		}
	}
}

// TestKubeconfig: a file of the user's gets a context besides.
func TestKubeconfig(t *testing.T) {
	config := filepath.Join(folder(t), "config")
	s := started(t, t.Context(), Options{Kubeconfig: config})
	<-s.api.ready
	if text, err := os.ReadFile(config); err != nil || !strings.Contains(string(text), "probity-"+filepath.Base(s.state.dir)) {
		t.Errorf("%s, %v", text, err)
	}
}
