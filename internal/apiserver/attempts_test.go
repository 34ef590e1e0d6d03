package apiserver

import (
	"bufio"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/apiserver/guard"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/store"
)

// TestAttempts: all attempts that are kept, those since a time, and with follow those that come,
// until the Pod is gone.
func TestAttempts(t *testing.T) {
	var recorder history.Recorder
	c := newClient(t, func(o *Options) { o.History = recorder.Reader() })
	pod, err := store.Create(c.store, &corev1.Pod{ObjectMeta: named("web")})
	if err != nil {
		t.Fatal(err)
	}
	past, at := recorder.Add(pod.GetUID()), time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	attempt := func(second int) {
		probe := past.Probe(history.Key{Container: "app", Type: "Liveness"}, history.Probing{Asks: "exec true", SuccessThreshold: 1, FailureThreshold: 3})
		past.Attempt(probe, history.Attempt{Time: at.Add(time.Duration(second) * time.Second)}, history.Detail{Body: "secret"})
	}
	attempt(1)
	attempt(2)
	const path = "/apis/probity.run/v1/namespaces/default/probereports/web/attempts"
	seconds := func(response *http.Response) <-chan string {
		lines := make(chan string)
		go func() { // it ends with the answer
			defer close(lines)
			defer response.Body.Close() // it was only read
			for text := bufio.NewScanner(response.Body); text.Scan(); {
				found, uid, err := history.ParseFound(text.Bytes())
				if err != nil || uid != pod.GetUID() {
					t.Errorf("%s: of %s, %v", text.Bytes(), uid, err)
				}
				lines <- found.Attempt.Time.Format("05")
			}
		}()
		return lines
	}
	want := func(lines <-chan string, want ...string) {
		t.Helper()
		for _, w := range want {
			if got := <-lines; got != w {
				t.Errorf("an attempt at %q, want %q", got, w)
			}
		}
	}
	want(seconds(c.open(http.MethodGet, path, "")), "01", "02", "")
	want(seconds(c.open(http.MethodGet, path+"?sinceTime=2026-01-01T12:00:02Z", "")), "02", "")
	following := seconds(c.open(http.MethodGet, path+"?follow=true&sinceTime=2026-01-01T12:00:02Z", ""))
	want(following, "02")
	attempt(3)
	want(following, "03")
	attempt(4)
	if _, _, err := c.store.DeleteObject(pod, store.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	want(following, "04", "")

	c.fails(http.StatusNotFound, metav1.StatusReasonNotFound, `probereports.probity.run "web" not found`, http.MethodGet, path, "")
	c.fails(http.StatusBadRequest, metav1.StatusReasonBadRequest, "follow must be true or false", http.MethodGet, path+"?follow=perhaps", "")
	c.fails(http.StatusBadRequest, metav1.StatusReasonBadRequest, "sinceTime must be a time", http.MethodGet, path+"?sinceTime=now", "")
}

// TestFollowingIsBounded: there are so many slots for logs and attempts that are followed; what is
// only read takes none.
func TestFollowingIsBounded(t *testing.T) {
	var recorder history.Recorder
	c := newClient(t, func(o *Options) {
		o.History, o.Guard = recorder.Reader(), guard.New(guard.Options{Limits: guard.Limits{Follows: 1}})
	})
	pod := &corev1.Pod{ObjectMeta: named("web"), Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "x"}}}}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
	if _, err := store.Create(c.store, pod); err != nil {
		t.Fatal(err)
	}
	const path, log = "/apis/probity.run/v1/namespaces/default/probereports/web/attempts", "/api/v1/namespaces/default/pods/web/log"
	first := c.open(http.MethodGet, path+"?follow=true", "")
	for _, follow := range []string{path + "?follow=true", log + "?follow=true"} {
		c.fails(http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests, "there are 1 logs and attempts of probes that are followed already", http.MethodGet, follow, "")
	}
	if read := c.open(http.MethodGet, path, ""); read.StatusCode != http.StatusOK {
		t.Errorf("reading the attempts: %s", read.Status)
	}
	first.Body.Close()
}
