package system

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/test/ports"
)

// asServer makes this test binary a program that answers "from NAME" at an address: its value, in
// which variables are replaced.
const asServer = "SYSTEM_TEST_SERVER"

func serve() {
	err := http.ListenAndServe(os.ExpandEnv(os.Getenv(asServer)), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "from "+os.Getenv("NAME"))
	}))
	panic(err)
}

// webOf is a manifest of a Service whose port is the containerPort of its only Pod.
func webOf(t *testing.T, port int, command, readiness string) string {
	t.Helper()
	path := filepath.Join(folder(t), "web.yaml")
	text := fmt.Sprintf(`apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: %[1]d}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: app
    command: [%[2]s]
    ports: [{containerPort: %[1]d}]%[3]s
`, port, command, readiness)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func addressOf(s *System, port int) string {
	service, err := store.Get[*corev1.Service](s.Store(), "default", "web")
	if err != nil {
		return ""
	}
	return service.Annotations[manifest.AnnotationAddress+fmt.Sprint(port)]
}

func answerOf(address string) string {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	res, err := client.Get("http://" + address)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return fmt.Sprint(res.StatusCode, " ", string(body), err)
}

func eventsOf(s *System, reason string) (messages []string) {
	events, _ := store.List[*corev1.Event](s.Store(), store.Selector{})
	for _, e := range events {
		if e.Reason == reason {
			messages = append(messages, e.Message)
		}
	}
	return messages
}

// TestStrangerOnPrivatePort takes the private port of a Pod that is Ready without any probe before
// the Pod's program does. It must not get what clients of the Service send.
func TestStrangerOnPrivatePort(t *testing.T) {
	port := ports.Free(t)
	s := started(t, context.Background(), Options{Manifests: []string{webOf(t, port, `sleep, "60"`, fmt.Sprintf("\n    env: [{name: PORT, value: %q}]", fmt.Sprint(port)))}})
	var private string
	eventually(t, "the private port", func() bool {
		pod, err := store.Get[*corev1.Pod](s.Store(), "default", "web")
		if err != nil {
			return false
		}
		_, private, _ = strings.Cut(pod.Annotations[manifest.AnnotationPrivatePorts+"app"], ":")
		return private != "" && addressOf(s, port) != ""
	})
	stranger, err := net.Listen("tcp", "127.0.0.1:"+private)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	got := make(chan string, 100)
	go func() {
		for {
			conn, err := stranger.Accept()
			if err != nil {
				close(got)
				return
			}
			b, _ := io.ReadAll(io.LimitReader(conn, 1))
			got <- string(b)
			_ = conn.Close()
		}
	}()
	eventually(t, "a refusal that says who listens there", func() bool {
		answer := answerOf(addressOf(s, port))
		return strings.HasPrefix(answer, "503 ") && strings.Contains(answer, "port "+private+" does not belong to the Pod: process ")
	})
	_ = stranger.Close()
	for b := range got {
		if b != "" {
			t.Errorf("the stranger was sent %q", b)
		}
	}
}
