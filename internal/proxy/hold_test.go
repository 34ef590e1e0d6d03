package proxy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

func (fx *fixture) unreadyPod(name string) {
	fx.t.Helper()
	pod, err := store.Create(fx.store, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{"app": "web"}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{Name: "main", Started: new(true)}}},
	})
	if err != nil {
		fx.t.Fatal(err)
	}
	for _, message := range []string{"Readiness probe failed: old", "Readiness probe failed: HTTP probe failed with statuscode: 500"} {
		fx.store.Record(store.Occurrence{About: podReference(nameOf(pod), pod.UID), Type: corev1.EventTypeWarning, Reason: "Unhealthy", Message: message})
	}
}

func TestUnavailable(t *testing.T) {
	fx := start(t, Options{})
	url := "http://" + fx.service("web")
	ask := func(accept string) (*http.Response, string) {
		req, _ := http.NewRequest(http.MethodPost, url, strings.NewReader("x"))
		req.Header.Set("Accept", accept)
		res, err := client(t).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		return res, string(body)
	}
	if res, body := ask(""); res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "no Pod has the labels app=web") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	fx.unreadyPod("web-1")
	e := &fx.proxy.ports[onlyKey(fx)].explanation
	e.mu.Lock()
	e.made = e.made.Add(-explanationAge) // as if that time had passed
	e.mu.Unlock()
	res, body := ask("text/html")
	const want = "no replica is ready\n  web-1: container main is not ready: Readiness probe failed: HTTP probe failed with statuscode: 500\n"
	if res.Header.Get("Retry-After") != "1" || !strings.HasSuffix(body, want) || !strings.HasPrefix(body, "Service default/web, port ") {
		t.Errorf("%v %q", res.Header, body)
	}
	res, body = ask("application/json")
	var status metav1.Status
	if err := json.Unmarshal([]byte(body), &status); err != nil || res.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%v %s", err, body)
	}
	if d := status.Details; status.Kind != "Status" || status.Code != 503 || d.RetryAfterSeconds != 1 || len(d.Causes) != 1 || d.Causes[0].Field != "web-1" || d.Causes[0].Type != "NotReady" {
		t.Errorf("%+v %+v", status, d)
	}
}

func TestHold(t *testing.T) {
	fx := start(t, Options{})
	url := "http://" + fx.service("web", annotated(manifest.AnnotationHold, "10s"))
	const n = 20
	answers := make(chan string, n)
	client := client(t)
	for range n {
		go func() {
			code, body := do(client, http.MethodPost, url, "x")
			answers <- fmt.Sprint(code, " ", body)
		}()
	}
	eventually(t, "requests wait", func() bool { return fx.state().Waiting == n })
	a := fx.replica("a", nil)
	fx.endpoints("web", at("a", a.address))
	for range n {
		if answer := <-answers; answer != "200 a" {
			t.Error(answer)
		}
	}
	if a.seen.Load() != n || fx.state().Waiting != 0 {
		t.Errorf("%d requests arrived, %d wait", a.seen.Load(), fx.state().Waiting)
	}
}

// TestHoldThroughRestart replaces the process of the only replica, as a Deployment that stops the
// old Pod first does. No request may fail.
func TestHoldThroughRestart(t *testing.T) {
	fx := start(t, Options{})
	url := "http://" + fx.service("web", annotated(manifest.AnnotationHold, "10s"))
	a := fx.replica("a", nil)
	fx.endpoints("web", at("a", a.address))
	client, answers := client(t), make(chan string, 100)
	ask := func(method string) {
		code, body := do(client, method, url, "")
		answers <- fmt.Sprint(code, " ", body)
	}
	ask(http.MethodGet)
	fx.proxy.Withdraw("a")
	go ask(http.MethodPost)
	eventually(t, "it waits, although its replica is alive", func() bool { return fx.state().Waiting == 1 })
	a.kill()
	fx.proxy.Exited("a", "exited with code 0 on SIGTERM")
	go ask(http.MethodGet)
	eventually(t, "both wait", func() bool { return fx.state().Waiting == 2 })
	b := fx.replica("b", nil)
	fx.endpoints("web", at("a", b.address)) // the node has not admitted it yet
	fx.proxy.Admit("a")
	for range 3 {
		if answer := <-answers; answer != "200 a" && answer != "200 b" {
			t.Error(answer)
		}
	}
	if b.seen.Load() != 2 {
		t.Errorf("%d requests after the restart, want 2", b.seen.Load())
	}
}

func TestHoldEnds(t *testing.T) {
	fx := start(t, Options{})
	url := "http://" + fx.service("web", annotated(manifest.AnnotationHold, "100ms"))
	began := time.Now()
	code, body := get(client(t), url)
	if took := time.Since(began); code != http.StatusServiceUnavailable || !strings.Contains(body, "no replica is ready after 100ms") || took < 100*time.Millisecond {
		t.Errorf("%d after %v: %s", code, took, body)
	}
	a := fx.replica("a", nil)
	fx.endpoints("web", terminating(at("a", a.address)))
	if code, body := get(client(t), url); code != http.StatusOK || body != "a" {
		t.Errorf("R198 after the hold: %d %s", code, body)
	}
}

func TestHoldEndsWithTheProxy(t *testing.T) {
	fx := start(t, Options{})
	url := "http://" + fx.service("web", annotated(manifest.AnnotationHold, "1h"))
	answers := make(chan int)
	client := client(t)
	go func() {
		code, _ := get(client, url)
		answers <- code
	}()
	eventually(t, "it waits", func() bool { return fx.state().Waiting == 1 })
	fx.stop()
	if code := <-answers; code != http.StatusServiceUnavailable {
		t.Errorf("answer %d", code)
	}
}

func TestWaitingIsBounded(t *testing.T) {
	fx := start(t, Options{})
	url := "http://" + fx.service("web", annotated(manifest.AnnotationHold, "1h"))
	fx.proxy.ports[onlyKey(fx)].waiting.Store(maxWaiting)
	if code, body := get(client(t), url); code != http.StatusServiceUnavailable || !strings.Contains(body, "1024 requests are waiting already") {
		t.Errorf("%d %s", code, body)
	}
	fx.proxy.ports[onlyKey(fx)].waiting.Store(0)
}

func TestLastResort(t *testing.T) { // R198, R199
	fx := start(t, Options{})
	url := "http://" + fx.service("web")
	a, b := fx.replica("a", nil), fx.replica("b", nil)
	client := client(t)
	fx.endpoints("web", terminating(at("a", a.address)))
	if _, body := get(client, url); body != "a" {
		t.Errorf("serving and terminating: %s", body)
	}
	fx.endpoints("web", terminating(at("a", a.address)), at("b", b.address))
	for range 5 {
		if _, body := get(client, url); body != "b" {
			t.Errorf("a ready one exists: %s", body)
		}
	}
	fx.proxy.Exited("b", "exited")
	if _, body := get(client, url); body != "a" {
		t.Errorf("the ready one is dead: %s", body)
	}
	fx.proxy.Exited("a", "exited")
	if code, _ := get(client, url); code != http.StatusServiceUnavailable {
		t.Errorf("a dead one was asked: %d", code)
	}
}
