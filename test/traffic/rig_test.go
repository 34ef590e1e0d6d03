package traffic

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/test/harness"
	"github.com/probity-run/probity/test/load/generator"
)

// rig is a [web] that probity runs, and the requests that clients send to it.
type rig struct {
	t   *testing.T
	web web
	run *harness.Run

	// when a process was killed, or stopped by SIGSTOP, by its id
	killed       map[int]time.Time
	reachableFor time.Duration // how long after that the process may still get requests
	round        int
	ended        bool // probity has ended, so no request is answered any more

	mu   sync.Mutex // guards sent
	sent map[string]time.Time
}

// begin runs a web and waits until all replicas are ready.
func begin(t *testing.T, w web) *rig {
	t.Helper()
	r := &rig{t: t, web: w, sent: map[string]time.Time{}, killed: map[int]time.Time{}}
	r.run = harness.StartWith(t, harness.Options{NoLogs: true, Args: []string{"--max-restart-period=1s"}}, w.manifest())
	r.waitReady(w.Replicas)
	r.run.WaitEvent(1, fmt.Sprintf("Normal Listening Serving port %d at 127.", w.Port))
	harness.WaitFor(t, "an answer", func() bool {
		response, err := http.Get(r.url())
		if err == nil {
			response.Body.Close()
		}
		return err == nil && response.StatusCode == http.StatusOK
	})
	return r
}

func (r *rig) url() string { return fmt.Sprintf("http://127.0.0.1:%d/work", r.web.Port) }

// save saves the manifest with a change.
func (r *rig) save(change func(w *web)) {
	change(&r.web)
	r.run.Save(r.web.manifest())
}

// underLoad calls do while clients send requests, until do has returned and they have sent enough.
// It tells do until when it has to go on.
func (r *rig) underLoad(opts generator.Options, length runLength, do func(until time.Time)) *generator.Report {
	r.t.Helper()
	if opts.URL == "" {
		opts.URL = r.url()
	}
	began := time.Now()
	opts.Observe = func(q generator.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.sent[q.ID] = q.Sent
	}
	ctx, stop := context.WithCancel(r.t.Context())
	defer stop()
	type result struct {
		report *generator.Report
		err    error
	}
	done := make(chan result, 1)
	go func() {
		report, err := generator.Run(ctx, opts)
		done <- result{report, err}
	}()
	do(began.Add(length.atLeast))
	if !r.ended {
		r.waitRequests(length.requests)
	}
	stop()
	got := <-done
	if got.err != nil {
		r.t.Fatal(got.err)
	}
	r.t.Log(got.report)
	return got.report
}

// completed is how many requests have ended.
func (r *rig) completed() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.sent)
}

func (r *rig) waitRequests(n int) {
	harness.WaitFor(r.t, fmt.Sprintf("%d requests", n), func() bool { return r.completed() >= n })
}

// checkRouting fails the test if requests were routed wrongly, by what clients and replicas wrote
// down.
func (r *rig) checkRouting(slack time.Duration) []processLog {
	r.t.Helper()
	logs := readProcessLogs(r.t, r.web.LogDir)
	r.t.Cleanup(func() {
		for _, l := range logs {
			if r.t.Failed() {
				r.t.Log(l.lifecycleLine())
			}
		}
	})
	reportSome(r.t, "a violation", routingCheck{logs, r.sent, slack}.violations())
	return logs
}

// checkFailures fails the test if requests failed that the condition does not allow to fail.
func (r *rig) checkFailures(logs []processLog, failures []generator.Request, allowed func(generator.Request) bool) {
	r.t.Helper()
	var wrong []string
	for _, q := range failures {
		if !allowed(q) {
			wrong = append(wrong, describeFailure(logs, q))
		}
	}
	reportSome(r.t, "a request failed", wrong)
}

// maxShown is how many failures of a kind are printed one by one.
const maxShown = 10

func reportSome(t *testing.T, what string, things []string) {
	t.Helper()
	if len(things) > 0 {
		t.Errorf("%d times %s, such as:\n%s", len(things), what, strings.Join(things[:min(len(things), maxShown)], "\n"))
	}
}

// waitReady waits until exactly n Pods exist, all of them ready and none being deleted.
func (r *rig) waitReady(n int) map[string]*corev1.Pod {
	r.t.Helper()
	var found map[string]*corev1.Pod
	r.run.Wait(fmt.Sprintf("%d ready Pods and no others", n), func(changes []harness.Change) bool {
		found = existingPods(changes)
		for _, pod := range found {
			if !harness.Ready(pod) || pod.DeletionTimestamp != nil {
				return false
			}
		}
		return len(found) == n
	})
	return found
}

// waitRolled waits until all Pods are ready and have another template than those before, which are
// gone.
func (r *rig) waitRolled(before map[string]*corev1.Pod) map[string]*corev1.Pod {
	r.t.Helper()
	old := ""
	for _, pod := range before {
		old = pod.Labels["pod-template-hash"]
	}
	var found map[string]*corev1.Pod
	r.run.Wait("the new replicas", func(changes []harness.Change) bool {
		found = existingPods(changes)
		for _, pod := range found {
			if !harness.Ready(pod) || pod.DeletionTimestamp != nil || pod.Labels["pod-template-hash"] == old {
				return false
			}
		}
		return len(found) == r.web.Replicas
	})
	return found
}

// existingPods are the Pods of the web that exist, by name.
func existingPods(changes []harness.Change) map[string]*corev1.Pod {
	pods := map[string]*corev1.Pod{}
	for _, c := range changes {
		switch {
		case c.Pod == nil || c.Pod.Labels["app"] != "web":
		case c.Type == "DELETED":
			delete(pods, c.Pod.Name)
		default:
			pods[c.Pod.Name] = c.Pod
		}
	}
	return pods
}

// answer changes what a replica answers from now on.
func (r *rig) answer(pod *corev1.Pod, script string) {
	r.t.Helper()
	harness.Answer(r.t, pod, script)
}

// signal sends a signal that keeps a replica from answering the requests that it has.
func (r *rig) signal(pod *corev1.Pod, sig syscall.Signal) (pid int) {
	r.t.Helper()
	pid = harness.PIDOf(r.t, pod, "app")
	r.killed[pid] = time.Now()
	if err := syscall.Kill(pid, sig); err != nil {
		r.t.Fatal(err)
	}
	if r.reachableFor = size().slack; sig == syscall.SIGSTOP {
		r.reachableFor = time.Minute // until readiness or liveness finds out
	}
	return pid
}

// next returns one Pod after the other.
func (r *rig) next() *corev1.Pod {
	pods := r.waitReady(r.web.Replicas)
	names := slices.Sorted(maps.Keys(pods))
	r.round++
	return pods[names[r.round%len(names)]]
}

// unchanged applies the manifest, and expects that probity says the text in message of an object
// and that no Pod is replaced or restarted.
func (r *rig) unchanged(before map[string]*corev1.Pod, message string) {
	r.t.Helper()
	out := r.run.Apply(r.web.manifest())
	// probity run may have noticed the saved file before probity apply did
	harness.WaitFor(r.t, "the message "+message, func() bool { return strings.Contains(out+r.run.Stderr(), message) })
	for name, pod := range r.waitReady(len(before)) {
		if was := before[name]; was == nil || was.UID != pod.UID || harness.PIDOf(r.t, was, "app") != harness.PIDOf(r.t, pod, "app") {
			r.t.Errorf("Pod %s is another one than before the reload", name)
		}
	}
}

// waitPod waits until the Pod of that name fulfils the condition.
func (r *rig) waitPod(name, what string, holds func(*corev1.Pod) bool) *corev1.Pod {
	r.t.Helper()
	return r.run.WaitPod(name+" "+what, func(pod *corev1.Pod) bool { return pod.Name == name && holds(pod) })
}
