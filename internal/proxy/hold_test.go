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

func (c *cluster) crashingPod(name string) {
	c.t.Helper()
	pod, err := store.Create(c.store, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{"app": "web"}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{Name: "main", Started: new(true)}}},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, message := range []string{"Readiness probe failed: old", "Readiness probe failed: HTTP probe failed with statuscode: 500"} {
		c.store.Record(store.Occurrence{About: podReference(nameOf(pod), pod.UID), Type: corev1.EventTypeWarning, Reason: "Unhealthy", Message: message})
	}
}

func TestUnavailable(t *testing.T) {
	c := start(t, Options{})
	url := "http://" + c.service("web")
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
	c.crashingPod("web-1")
	e := &c.proxy.ports[onlyKey(c)].explanation
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
	c := start(t, Options{})
	url := "http://" + c.service("web", annotated(manifest.AnnotationHold, "10s"))
	const n = 20
	answers := make(chan string, n)
	client := client(t)
	for range n {
		go func() {
			code, body := do(client, http.MethodPost, url, "x")
			answers <- fmt.Sprint(code, " ", body)
		}()
	}
	eventually(t, "requests wait", func() bool { return c.state().Waiting == n })
	a := c.replica("a", nil)
	c.endpoints("web", at("a", a.address))
	for range n {
		if answer := <-answers; answer != "200 a" {
			t.Error(answer)
		}
	}
	if a.seen.Load() != n || c.state().Waiting != 0 {
		t.Errorf("%d requests arrived, %d wait", a.seen.Load(), c.state().Waiting)
	}
}

// TestHoldThroughRestart swaps the process of the only replica, on the same port, under requests of
// which none may fail (case: stop-first).
func TestHoldThroughRestart(t *testing.T) {
	c := start(t, Options{})
	url := "http://" + c.service("web", annotated(manifest.AnnotationHold, "10s"))
	a := c.replica("a", nil)
	c.endpoints("web", at("a", a.address))
	client, answers := client(t), make(chan string, 100)
	ask := func(method string) {
		code, body := do(client, method, url, "")
		answers <- fmt.Sprint(code, " ", body)
	}
	ask(http.MethodGet)
	c.proxy.Withdraw("a")
	go ask(http.MethodPost)
	eventually(t, "it waits, although its replica is alive", func() bool { return c.state().Waiting == 1 })
	a.kill()
	c.proxy.Exited("a", "exited with code 0 on SIGTERM")
	go ask(http.MethodGet)
	eventually(t, "both wait", func() bool { return c.state().Waiting == 2 })
	b := c.replica("b", nil)
	c.endpoints("web", at("a", b.address)) // not yet ready says the node
	c.proxy.Admit("a")
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
	c := start(t, Options{})
	url := "http://" + c.service("web", annotated(manifest.AnnotationHold, "100ms"))
	began := time.Now()
	code, body := get(client(t), url)
	if took := time.Since(began); code != http.StatusServiceUnavailable || !strings.Contains(body, "no replica is ready after 100ms") || took < 100*time.Millisecond {
		t.Errorf("%d after %v: %s", code, took, body)
	}
	a := c.replica("a", nil)
	c.endpoints("web", terminating(at("a", a.address)))
	if code, body := get(client(t), url); code != http.StatusOK || body != "a" {
		t.Errorf("R198 after the hold: %d %s", code, body)
	}
}

func TestHoldEndsWithTheProxy(t *testing.T) {
	c := start(t, Options{})
	url := "http://" + c.service("web", annotated(manifest.AnnotationHold, "1h"))
	answers := make(chan int)
	client := client(t)
	go func() {
		code, _ := get(client, url)
		answers <- code
	}()
	eventually(t, "it waits", func() bool { return c.state().Waiting == 1 })
	c.stop()
	if code := <-answers; code != http.StatusServiceUnavailable {
		t.Errorf("answer %d", code)
	}
}

func TestWaitingIsBounded(t *testing.T) {
	c := start(t, Options{})
	url := "http://" + c.service("web", annotated(manifest.AnnotationHold, "1h"))
	c.proxy.ports[onlyKey(c)].waiting.Store(maxWaiting)
	if code, body := get(client(t), url); code != http.StatusServiceUnavailable || !strings.Contains(body, "1024 requests are waiting already") {
		t.Errorf("%d %s", code, body)
	}
	c.proxy.ports[onlyKey(c)].waiting.Store(0)
}

func TestLastResort(t *testing.T) { // R198, R199
	c := start(t, Options{})
	url := "http://" + c.service("web")
	a, b := c.replica("a", nil), c.replica("b", nil)
	client := client(t)
	c.endpoints("web", terminating(at("a", a.address)))
	if _, body := get(client, url); body != "a" {
		t.Errorf("serving and terminating: %s", body)
	}
	c.endpoints("web", terminating(at("a", a.address)), at("b", b.address))
	for range 5 {
		if _, body := get(client, url); body != "b" {
			t.Errorf("a ready one exists: %s", body)
		}
	}
	c.proxy.Exited("b", "exited")
	if _, body := get(client, url); body != "a" {
		t.Errorf("the ready one is dead: %s", body)
	}
	c.proxy.Exited("a", "exited")
	if code, _ := get(client, url); code != http.StatusServiceUnavailable {
		t.Errorf("a dead one was asked: %d", code)
	}
}
