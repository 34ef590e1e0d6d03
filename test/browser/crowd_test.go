package browser

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/store"
)

const (
	// mostFrame is how long a page may be busy at a time: else it stutters.
	mostFrame = 50 * time.Millisecond
	// mostStream is how many bytes the stream may bring a second.
	mostStream = 60_000
	// crowdPods is how many Pods the page is measured with, each with three probes a second.
	crowdPods = 200
)

// budget is how long a page may be busy at a time here. Processor time grows too when others use
// the caches, so the real one counts only where nothing else runs:
//
//	PROBITY_BUDGETS=1 GOWORK=off go test -run 'Crowd|LongLog' -v .
func budget() time.Duration {
	if os.Getenv("PROBITY_BUDGETS") != "" {
		return mostFrame
	}
	return 4 * mostFrame
}

// busy begins to measure how long the page of a tab keeps its thread busy. That is time of the
// processor, so it hardly grows when others use the machine too.
func busy(x *tab) *work {
	x.t.Helper()
	x.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
		return err
	}))
	w := &work{x: x}
	w.since()
	return w
}

// work is what a page has cost so far.
type work struct {
	x     *tab
	last  map[string]float64
	parts string // of the last time
}

// since is how long the page was busy since the last call.
func (w *work) since() time.Duration {
	w.x.t.Helper()
	before := w.last
	w.last = map[string]float64{}
	w.x.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		r, err := cdp.Call(ctx, t, performance.GetMetrics, cdp.Empty{})
		if err != nil {
			return err
		}
		for _, m := range r.Metrics {
			w.last[m.Name] = m.Value
		}
		return nil
	}))
	part := func(name string) time.Duration {
		return time.Duration((w.last[name] - before[name]) * float64(time.Second))
	}
	w.parts = fmt.Sprintf("scripts %v, styles %v, layout %v", part("ScriptDuration"), part("RecalcStyleDuration"), part("LayoutDuration"))
	return part("TaskDuration")
}

// crowd is a run of many Pods, three probes each.
type crowd struct {
	*stage
	pods   []*history.Pod
	probes [][]*asked
	beat   int
}

// newCrowd makes so many Pods, with some minutes behind them.
func newCrowd(t testing.TB, pods int) *crowd {
	t.Helper()
	c := &crowd{stage: newStage(t)}
	c.sec.Store(time.Now().Unix())
	for n := range pods {
		c.join(n)
	}
	for i := range 300 {
		c.ask(time.Now().Add(time.Duration(i-300) * time.Second))
	}
	return c
}

// join adds a Pod.
func (c *crowd) join(n int) {
	c.t.Helper()
	get := func(path string) *corev1.Probe {
		return &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromInt32(8080)}}}
	}
	started := metav1.Time{Time: time.Now().Add(-time.Hour)}
	c.made.Store(started.Unix())
	pod, err := store.Create(c.objects, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprintf("web-7d9c6b5f4-%05d", n)},
		Spec: corev1.PodSpec{NodeName: "here", Containers: []corev1.Container{{
			Name: "app", Ports: []corev1.ContainerPort{{ContainerPort: 8080}}, StartupProbe: get("/startupz"), ReadinessProbe: get("/readyz"), LivenessProbe: get("/livez"),
		}}},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: started}},
			// the startup probe has not passed: so there are three that are asked
			ContainerStatuses: []corev1.ContainerStatus{{Name: "app", Ready: true, Started: new(false), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: started}}}},
		},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	past, spec := c.past.Add(pod.UID), pod.Spec.Containers[0]
	c.pods = append(c.pods, past)
	c.probes = append(c.probes, []*asked{ask(past, "Startup", spec.StartupProbe), ask(past, "Readiness", spec.ReadinessProbe), ask(past, "Liveness", spec.LivenessProbe)})
}

// ask asks each probe once. Answers differ, as they do: some are late, some fail.
func (c *crowd) ask(at time.Time) {
	c.beat++
	for n, probes := range c.probes {
		for k, probe := range probes {
			is := well(n*31 + k*7 + c.beat)
			if (n*3+k+c.beat)%97 == 0 {
				is = answer{history.Failed, 2 * time.Millisecond, 503, "database: ping: connection refused"}
			}
			if n == 0 && k == 1 {
				is = answer{history.Answered, time.Duration(c.beat+10) * time.Millisecond, 200, "ok"} // the sign of this beat
			}
			probe.attempt(at, is)
		}
	}
}

// shown waits until the page shows the last beat.
func (c *crowd) shown(x *tab) {
	x.t.Helper()
	x.seen("the beat is shown", fmt.Sprintf(`document.querySelector('li.pod li.probe[data-type="readiness"] .lat')?.textContent === "%d ms"`, c.beat+10))
}

// TestCrowd: the page of many Pods keeps its thread busy for less than a frame at a time, and its
// stream brings little; also when a Pod changes, comes or goes.
func TestCrowd(t *testing.T) {
	c := newCrowd(t, crowdPods)
	x := open(t, c.link())
	x.live()
	c.ask(time.Now())
	c.shown(x)
	if n := eval[int](x, `document.querySelectorAll("li.pod").length`); n != crowdPods {
		t.Fatalf("the page shows %d Pods", n)
	}
	const beats = 8
	w := busy(x)
	_, before := x.open()
	var all []time.Duration
	for range beats {
		c.ask(time.Now())
		c.sec.Store(time.Now().Unix())
		c.shown(x)
		took := w.since()
		all = append(all, took)
		t.Logf("a beat keeps the page busy for %v: %s", took, w.parts)
	}
	_, after := x.open()
	stream := (after - before) / beats
	beat := median(all) // the machine has other things to do now and then
	t.Logf("%d Pods: a beat keeps the page busy for %v; the stream brings %d bytes a beat; %.1f MB of scripts' memory", crowdPods, beat, stream, w.last["JSHeapUsedSize"]/1e6)
	if beat > budget() || stream > mostStream {
		t.Errorf("a beat may keep the page busy for %v, and bring %d bytes", budget(), mostStream)
	}
	eval[bool](x, `(globalThis.kept = document.querySelectorAll("li.pod")[100], true)`)
	for _, step := range []struct {
		what, sign string
		change     func()
	}{
		{"a Pod that changes", `[...document.querySelectorAll("li.pod .line span")].some((n) => n.textContent === "Not ready")`, func() { c.setReady(7, corev1.ConditionFalse) }},
		{"a Pod that comes", fmt.Sprintf(`document.querySelectorAll("li.pod").length === %d`, crowdPods+1), func() { c.join(crowdPods) }},
		{"a Pod that goes", fmt.Sprintf(`document.querySelectorAll("li.pod").length === %d`, crowdPods), func() { c.leave(3) }},
	} {
		w.since()
		step.change()
		x.seen(step.what, step.sign)
		took := w.since()
		t.Logf("%s keeps the page busy for %v: %s", step.what, took, w.parts)
		if took > 2*budget() { // what has changed, and then its row
			t.Errorf("that may be %v", 2*budget())
		}
	}
	names := eval[[]string](x, `[...document.querySelectorAll("li.pod h3 a")].map((n) => n.textContent)`)
	if !slices.IsSorted(names) || slices.Contains(names, "web-7d9c6b5f4-00003") || !slices.Contains(names, fmt.Sprintf("web-7d9c6b5f4-%05d", crowdPods)) {
		t.Errorf("the list is %q", names)
	}
	if !eval[bool](x, "kept.isConnected") {
		t.Error("rows that have not changed were made anew")
	}
}

// setReady changes whether a Pod is ready.
func (c *crowd) setReady(n int, status corev1.ConditionStatus) {
	c.t.Helper()
	_, err := store.Modify(c.objects, "default", fmt.Sprintf("web-7d9c6b5f4-%05d", n), func(p *corev1.Pod) error {
		p.Status.Conditions[0].Status, p.Status.ContainerStatuses[0].Ready = status, status == corev1.ConditionTrue
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// leave deletes a Pod.
func (c *crowd) leave(n int) {
	c.t.Helper()
	if err := store.Delete[*corev1.Pod](c.objects, "default", fmt.Sprintf("web-7d9c6b5f4-%05d", n), store.DeleteOptions{Grace: new(int64(0))}); err != nil {
		c.t.Fatal(err)
	}
}
