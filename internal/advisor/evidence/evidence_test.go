package evidence

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/advisor/rules"
	"github.com/probity-run/probity/internal/manifest"
)

// TestContainers: what objects tell of the containers of a workload.
// An Event that is renewed counts kills of longer than Events are kept.
func TestRenewedKills(t *testing.T) {
	first, second := anEvent(1, "Killing", killedByLiveness, 40), anEvent(2, "Killing", killedByLiveness, 1)
	first.FirstTimestamp = metav1.NewTime(first.LastTimestamp.Add(-10 * time.Hour))
	second.FirstTimestamp = second.LastTimestamp
	got := observe(Options{}, []*corev1.Pod{aPod(1), aPod(2)}, first, second).Containers()
	if p := got[0].Probes[liveness]; p.Kills != 41 || p.Renewed != 10*time.Hour {
		t.Errorf("%d kills over %v more than Events are kept, want 41 and 10 h", p.Kills, p.Renewed)
	}
}

func TestContainers(t *testing.T) {
	web := func(c Container) Container {
		c.Workload, c.Name, c.Age = manifest.Ref{Kind: "Deployment", Namespace: "shop", Name: "web"}, "web", time.Duration(c.Pods)*10*time.Hour
		return c
	}
	starts := func(seconds ...int) (list []time.Duration) {
		for _, s := range seconds {
			list = append(list, time.Duration(s)*time.Second)
		}
		return list
	}
	fresh := func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }
	going := func(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.Now()) }
	starting := func(p *corev1.Pod) {
		away(time.Minute)(p)
		p.Status.ContainerStatuses[0].State.Running.StartedAt = metav1.NewTime(now().Add(-30 * time.Second))
	}
	series := anEvent(1, "Unhealthy", livenessFailed, 0)
	series.Series = &corev1.EventSeries{Count: 7}
	for name, c := range map[string]struct {
		pods   []*corev1.Pod
		events []*corev1.Event
		want   Container
	}{
		"starts": {
			[]*corev1.Pod{aPod(1), aPod(2, readyAfter(9*time.Second)), aPod(3, readyAfter(4*time.Second))}, nil,
			web(Container{Pods: 3, Starts: starts(2, 4, 9)}),
		},
		"what came back is no start": {
			[]*corev1.Pod{aPod(1), aPod(2), aPod(3, readyAfter(8*time.Hour))}, nil,
			web(Container{Pods: 3, Starts: starts(2, 2), Back: 1}),
		},
		"a start of a later instance is none": {
			[]*corev1.Pod{aPod(1, restarted(3, 137)), aPod(2)}, nil,
			web(Container{Pods: 2, Starts: starts(2), Restarts: 3, Restarted: 1, Exits: []Exit{{"Error", 137, 0, 1}}}),
		},
		"ended, going": {
			[]*corev1.Pod{aPod(1, fresh), aPod(2, going), aPod(3)}, nil,
			web(Container{Pods: 1, Starts: starts(2)}),
		},
		"not Ready any more, and not yet": {
			[]*corev1.Pod{aPod(1, away(time.Minute)), aPod(2, away(time.Hour)), aPod(3, starting)}, nil,
			web(Container{Pods: 3, NotReady: 2, Longest: time.Hour}),
		},
		"Events": {
			[]*corev1.Pod{aPod(1), aPod(2)},
			[]*corev1.Event{
				anEvent(1, "Unhealthy", livenessFailed, 3), anEvent(2, "Killing", killedByLiveness, 2), anEvent(2, "Unhealthy", readinessFailed, 0), series,
				anEvent(9, "Unhealthy", livenessFailed, 3), anEvent(1, "Killing", "Stopping container web", 5), anEvent(1, "BackOff", livenessFailed, 5),
				anEvent(1, "Unhealthy", "Liveness probe warning: x", 5), anEvent(1, "Unhealthy", "Other probe failed: x", 5),
			},
			web(Container{Pods: 2, Starts: starts(2, 2), Probes: [probeTypes]Probe{
				readiness: {Failures: 1, Failed: 1, Words: "dial tcp 10.0.0.1:80: connect: connection refused"},
				liveness:  {Failures: 10, Failed: 1, Kills: 2, Killed: 1, Words: "HTTP probe failed with statuscode: 500"},
			}}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := observe(Options{}, c.pods, c.events...).Containers()
			if diff := cmp.Diff([]Container{c.want}, got, cmpopts.IgnoreUnexported(Probe{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestListBeginsAgain: what is told twice counts once.
func TestListBeginsAgain(t *testing.T) {
	o := observe(Options{}, []*corev1.Pod{aPod(1)}, anEvent(1, "Unhealthy", livenessFailed, 3))
	o.ForgetEvents("elsewhere")
	if c := o.Containers()[0]; c.Probes[liveness].Failures != 3 {
		t.Errorf("%d failures, want 3: another namespace's list has begun again", c.Probes[liveness].Failures)
	}
	o.ForgetEvents(aPod(1).Namespace)
	o.AddEvent(anEvent(1, "Unhealthy", livenessFailed, 4))
	o.AddPod(aPod(2))
	o.AddPod(aPod(2))
	if c := o.Containers()[0]; c.Pods != 2 || c.Probes[liveness].Failures != 4 {
		t.Errorf("%d Pods and %d failures, want 2 and 4", c.Pods, c.Probes[liveness].Failures)
	}
}

// TestOwners: of Pods that something else has made, the first stands for all.
func TestOwners(t *testing.T) {
	o := New(Options{Now: now()})
	by := func(kind string) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: "it", UID: "it", Controller: new(true)}}
		}
	}
	alone := func(p *corev1.Pod) { p.OwnerReferences = nil }
	for i, c := range []struct {
		change func(*corev1.Pod)
		judge  bool
	}{{by("Rollout"), true}, {by("Rollout"), false}, {by("DaemonSet"), false}, {alone, true}, {alone, true}} {
		if judge := o.AddPod(aPod(i, c.change)); judge != c.judge {
			t.Errorf("Pod %d: judge %v, want %v", i, judge, c.judge)
		}
	}
	var names []string
	for _, c := range o.Containers() {
		names = append(names, c.Workload.String())
	}
	if want := []string{"DaemonSet it", "Pod web-0", "Pod web-3", "Pod web-4"}; !cmp.Equal(names, want) {
		t.Errorf("workloads %v, want %v", names, want)
	}
}

// TestMetrics: the counters of a kubelet are exact, where all Pods have some.
func TestMetrics(t *testing.T) {
	const text = `# HELP prober_probe_total Cumulative number
# TYPE prober_probe_total counter
prober_probe_total{container="web",namespace="shop",pod="web-1",pod_uid="u1",probe_type="Liveness",result="failed"} 83
prober_probe_total{container="web",namespace="shop",pod="web-1",pod_uid="u1",probe_type="Liveness",result="successful"} 1e+03
prober_probe_total{container="web",namespace="shop",pod="web-1",pod_uid="u1",probe_type="Readiness",result="failed"} 2 1700000000000
prober_probe_total{container="other",namespace="shop",pod="web-1",pod_uid="u1",probe_type="Readiness",result="failed"} 9
prober_probe_total{pod_uid="gone",probe_type="Liveness",result="failed"} 9
prober_probe_total_bucket{pod_uid="u1",probe_type="Liveness",result="failed"} 9
prober_probe_duration_seconds_sum{container="web"} 3
`
	o := observe(Options{}, []*corev1.Pod{aPod(1), aPod(2)}, anEvent(1, "Unhealthy", livenessFailed, 25))
	if err := o.AddMetrics(strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	p := o.Containers()[0].Probes
	if p[liveness].Failures != 83 || p[readiness].Failures != 2 || p[liveness].Exact {
		t.Errorf("counted %+v", p)
	}
	if err := o.AddMetrics(strings.NewReader(strings.ReplaceAll(text, "u1", "u2"))); err != nil {
		t.Fatal(err)
	}
	if p := o.Containers()[0].Probes[liveness]; p.Failures != 166 || !p.Exact {
		t.Errorf("counted %+v", p)
	}
	for _, line := range []string{
		"prober_probe_total", "prober_probe_total{", `prober_probe_total{a="b"`, `prober_probe_total{a="b"} x`, `prober_probe_total{a=b} 1`,
		`prober_probe_total{a="b"} NaN`, `prober_probe_total{a="\`, "prober_probe_total 1 2 3",
	} {
		if err := o.AddMetrics(strings.NewReader("x 1\n" + line)); line != "prober_probe_total" && (err == nil || !strings.Contains(err.Error(), "line 2")) {
			t.Errorf("%q: error %v", line, err)
		}
	}
}

// TestShown: the rules that can be seen are rules.
func TestShown(t *testing.T) {
	for _, id := range Shown() {
		if _, err := rules.Find(id); err != nil {
			t.Error(err)
		}
	}
}

// FuzzMetrics: whatever a kubelet answers, nothing panics, and what is counted is a number.
func FuzzMetrics(f *testing.F) {
	f.Add(`prober_probe_total{container="web",pod_uid="u1",probe_type="Liveness",result="failed"} 83`)
	f.Add(`prober_probe_total{container="we\"b\\\n",pod_uid="u1",} +Inf 5`)
	f.Add("prober_probe_total 1")
	f.Fuzz(func(t *testing.T, text string) {
		o := observe(Options{}, []*corev1.Pod{aPod(1)})
		_ = o.AddMetrics(strings.NewReader(text)) // any error is right
		for _, p := range o.Containers()[0].Probes {
			if p.Failures < 0 {
				t.Errorf("%d failures", p.Failures)
			}
		}
	})
}
