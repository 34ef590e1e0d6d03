package rollout_test

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/rollout"
)

// TestUp: when each kind of workload is up.
func TestUp(t *testing.T) {
	meta := metav1.ObjectMeta{Namespace: "d", Name: "x", UID: "x", Generation: 2}
	template := corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{app()}}}
	set := func(change func(*appsv1.StatefulSet)) metav1.Object {
		s := &appsv1.StatefulSet{ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{Replicas: new(int32(1)), Template: template}}
		s.Status = appsv1.StatefulSetStatus{ObservedGeneration: 2, Replicas: 1, ReadyReplicas: 1, AvailableReplicas: 1, UpdatedReplicas: 1, CurrentRevision: "a", UpdateRevision: "a"}
		change(s)
		return s
	}
	daemons := appsv1.DaemonSetStatus{ObservedGeneration: 2, DesiredNumberScheduled: 1, CurrentNumberScheduled: 1, UpdatedNumberScheduled: 1, NumberAvailable: 1}
	pod := func(phase corev1.PodPhase, ready corev1.ConditionStatus) metav1.Object {
		return &corev1.Pod{ObjectMeta: meta, Spec: template.Spec, Status: corev1.PodStatus{Phase: phase, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}}}
	}
	job := func(t batchv1.JobConditionType) metav1.Object {
		return &batchv1.Job{ObjectMeta: meta, Spec: batchv1.JobSpec{Template: template}, Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{{Type: t, Status: corev1.ConditionTrue}}}}
	}
	for name, test := range map[string]struct {
		object  metav1.Object
		outcome rollout.Outcome // "" for none
	}{
		"a StatefulSet":     {set(func(*appsv1.StatefulSet) {}), rollout.IsUp},
		"one not available": {set(func(s *appsv1.StatefulSet) { s.Status.AvailableReplicas = 0 }), ""},
		"one not observed":  {set(func(s *appsv1.StatefulSet) { s.Status.ObservedGeneration = 1 }), ""},
		"one with OnDelete": {set(func(s *appsv1.StatefulSet) {
			s.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType
			s.Status.Replicas = 2
		}), rollout.NotFollowed},
		"a DaemonSet":              {&appsv1.DaemonSet{ObjectMeta: meta, Spec: appsv1.DaemonSetSpec{Template: template}, Status: daemons}, rollout.IsUp},
		"a DaemonSet not observed": {&appsv1.DaemonSet{ObjectMeta: meta, Spec: appsv1.DaemonSetSpec{Template: template}}, ""},
		"a Job":                    {job(batchv1.JobComplete), rollout.IsUp},
		"a Job that runs":          {job("Running"), ""},
		"a Job that has failed":    {job(batchv1.JobFailed), rollout.Failed},
		"a CronJob":                {&batchv1.CronJob{ObjectMeta: meta}, rollout.NotFollowed},
		"a Pod":                    {pod(corev1.PodRunning, corev1.ConditionTrue), rollout.IsUp},
		"a Pod not ready":          {pod(corev1.PodRunning, corev1.ConditionFalse), ""},
		"a Deployment paused":      {&appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Paused: true}, Status: appsv1.DeploymentStatus{ObservedGeneration: 2}}, rollout.NotFollowed},
		"one paused, not observed": {&appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Paused: true}, Status: appsv1.DeploymentStatus{ObservedGeneration: 1}}, ""},
		"a Pod that has ended":     {pod(corev1.PodSucceeded, corev1.ConditionFalse), rollout.IsUp},
		"another object":           {&corev1.ConfigMap{ObjectMeta: meta}, rollout.IsUp},
	} {
		facts := rollout.Facts{Now: begun.Add(time.Second), Begun: begun, Workload: test.object, Generation: 2}
		if _, ok := test.object.(*appsv1.StatefulSet); ok { // it is up by its Pods alone
			first := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: "x-0", Labels: map[string]string{"controller-revision-hash": "a"}, OwnerReferences: owner("x")},
				Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}}
			facts.Pods = []*corev1.Pod{&first}
		}
		r, _ := rollout.Explain(facts, rollout.Memory{})
		got := rollout.Outcome("")
		if r.Verdict != nil {
			got = r.Verdict.Outcome
		}
		if got != test.outcome || r.Up != (got == rollout.IsUp) {
			t.Errorf("%s: %q, want %q (%+v)", name, got, test.outcome, r)
		}
	}
}

// TestRestartedJob: a Job that is complete is so at once, whatever its containers did before.
func TestRestartedJob(t *testing.T) {
	w := newWorld(corev1.Container{Name: "web"})
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: "migrate", UID: "job"}, Spec: batchv1.JobSpec{Template: w.deployment.Spec.Template}}
	w.facts.Workload = job
	pod := w.podOf("job", "migrate-a")
	crash(w, 3, pod, 1, 2, 17)
	w.at(60, func() {
		pod.Status.Phase = corev1.PodSucceeded
		job.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue}}
	})
	if at, r := w.play(100); at != 60 || !r.Up {
		t.Errorf("after %d s %+v, want up after 60 s", at, r.Verdict)
	}
}

// TestCrashIsReadyWhileItLives: what nobody asks is ready for the second that it lives.
func TestCrashIsReadyWhileItLives(t *testing.T) {
	w := newWorld(corev1.Container{Name: "web"})
	pod := w.pod("web-new-x2x4z")
	live := func() { w.start(pod); w.ready(pod, true) }
	w.at(1, live)
	w.at(3, func() { w.end(pod, 3, 2) })
	w.at(4, live)
	w.at(6, func() { w.end(pod, 3, 2) })
	w.at(20, live)
	w.at(22, func() { w.end(pod, 3, 2) })
	if at, r := w.play(100); at != 33 || r.Verdict.Kind != rollout.Crash {
		t.Errorf("after %d s %+v, want a crash after 33 s", at, r.Verdict)
	}
}

// TestLivenessThreatens: what is ready is not up until its liveness probe has been asked, or for
// 10 s, nor while that fails, until it is known that the probe does not kill.
func TestLivenessThreatens(t *testing.T) {
	for name, test := range map[string]struct{ period, delay, late, fails, up int }{
		"never":                             {period: 10, up: 13},
		"never, and it is asked soon":       {period: 2, up: 7},
		"never, and it is not asked yet":    {period: 2, delay: 7, up: 12},
		"never, and it is asked much later": {period: 60, delay: 600, up: 13},
		"never, and the Pod tells it late":  {period: 2, late: 9, up: 16},
		"once":                              {period: 10, fails: 3, up: 35},
		"once, after it is ready":           {period: 10, fails: 12, up: 35},
	} {
		c := app()
		c.LivenessProbe = get("/livez", 9999)
		c.LivenessProbe.PeriodSeconds, c.LivenessProbe.InitialDelaySeconds = int32(test.period), int32(test.delay)
		w := newWorld(c)
		pod := w.pod("web-new-x2x4z")
		w.at(1, func() { w.start(pod) })
		w.at(3+test.late, func() {
			w.ready(pod, true)
			pod.Status.Conditions[0].LastTransitionTime = metav1.NewTime(begun.Add(3 * time.Second))
		})
		if test.fails > 0 {
			w.at(test.fails, func() {
				w.event(pod.UID, "web", "Unhealthy", "Liveness probe failed: "+fmt.Sprintf(refused, 9999, "/livez"))
			})
		}
		if at, r := w.play(100); at != test.up || !r.Up {
			t.Errorf("%s: after %d s %+v, want up after %d s", name, at, r.Verdict, test.up)
		}
	}
}

// TestEstablished: a deployment that changes nothing of what has long been up is up at once.
func TestEstablished(t *testing.T) {
	w := newWorld(corev1.Container{Name: "web"})
	pod := w.pod("web-new-x2x4z")
	w.start(pod)
	w.ready(pod, true)
	pod.CreationTimestamp, pod.Status.Conditions[0].LastTransitionTime = metav1.NewTime(begun.Add(-time.Hour)), metav1.NewTime(begun.Add(-time.Hour))
	if at, r := w.play(5); at != 0 || !r.Up {
		t.Errorf("after %d s %+v, want up at once", at, r.Verdict)
	}
}

// TestServices: whose endpoints are ready counts once; a Service that selects nobody is warned of.
func TestServices(t *testing.T) {
	service := func(name, app string) *corev1.Service {
		return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: name}, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": app}}}
	}
	slice := func(uid types.UID, address string, ready *bool) *discoveryv1.EndpointSlice {
		return &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Labels: map[string]string{discoveryv1.LabelServiceName: "web"}},
			Endpoints: []discoveryv1.Endpoint{{Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: ready}, TargetRef: &corev1.ObjectReference{UID: uid}}}}
	}
	w := newWorld(app())
	w.facts.Services = []*corev1.Service{service("web", "web"), service("wbe", "wbe")}
	w.facts.Slices = []*discoveryv1.EndpointSlice{slice("a", "10.0.0.1", nil), slice("a", "fd00::1", new(true)), slice("b", "10.0.0.2", new(false))}
	if r := w.explain(); len(r.Services) != 1 || r.Services[0] != (rollout.Service{Name: "web", Ready: 1}) {
		t.Errorf("%+v, want web with one endpoint", r.Services)
	}
	if all := rollout.Unserved(w.facts); len(all) != 1 || all[0].Text != "nobody is behind service wbe: selector app=wbe" {
		t.Errorf("%+v", all)
	}
}

// TestEndpointsLag: that a Service has nobody behind it is not said while its endpoints come a
// little later than its Pods are ready, also of Pods that were ready for long.
func TestEndpointsLag(t *testing.T) {
	for name, test := range map[string]struct {
		ready    time.Duration // since when the Pod is ready
		endpoint int           // the second at which its endpoint is; 0 means never
		up       int
		warnings int
	}{
		"at once":          {0, 1, 1, 0},
		"a second later":   {0, 2, 2, 0},
		"never":            {0, 0, 4, 1},
		"ready for long":   {-time.Hour, 2, 2, 0},
		"for long, nobody": {-time.Hour, 0, 4, 1},
	} {
		w := newWorld(app())
		w.facts.Services = []*corev1.Service{{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: "web"}, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"}}}}
		pod := w.pod("web-new-x2x4z")
		w.at(1, func() {
			w.ready(pod, true)
			pod.Status.Conditions[0].LastTransitionTime = metav1.NewTime(w.now.Add(test.ready))
		})
		if test.endpoint > 0 {
			w.at(test.endpoint, func() {
				w.facts.Slices = []*discoveryv1.EndpointSlice{{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Labels: map[string]string{discoveryv1.LabelServiceName: "web"}},
					Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}}}}}
			})
		}
		if at, r := w.play(60); at != test.up || !r.Up || len(r.Verdict.Warnings) != test.warnings {
			t.Errorf("%s: after %d s %+v, want up after %d s with %d warnings", name, at, r.Verdict, test.up, test.warnings)
		}
	}
}

// TestLogs: which log of an instance is asked for, and how; what is there is not asked for again.
func TestLogs(t *testing.T) {
	w := newWorld(app())
	pod := w.pod("web-new-x2x4z")
	crash(w, 3, pod, 1)
	_, r := w.play(1)
	want := rollout.LogRequest{Instance: rollout.Instance{Pod: pod.UID, Container: "web", Number: 0}, Namespace: "d", Name: pod.Name}
	if len(r.Logs) != 1 || r.Logs[0] != want {
		t.Errorf("while it waits: %+v, want %+v", r.Logs, want)
	}
	w.restart(pod)
	want.Previous = true
	if r = w.explain(); len(r.Logs) != 1 || r.Logs[0] != want {
		t.Errorf("while the next one runs: %+v, want %+v", r.Logs, want)
	}
	w.facts.Logs = map[rollout.Instance][]string{want.Instance: {"a", "b"}}
	if r = w.explain(); len(r.Logs) != 0 || len(r.Causes) != 1 || len(r.Causes[0].Logs) != 1 || r.Causes[0].Logs[0].Instance != "previous" {
		t.Errorf("when it is there: %+v", r)
	}
	if len(r.Shown) != 1 || r.Shown[0] != want {
		t.Errorf("shown %+v, want %+v", r.Shown, want)
	}
	w.end(pod, 3, 1) // the next one's log is not there yet
	if r = w.explain(); len(r.Logs) != 1 || r.Logs[0].Number != 1 || len(r.Causes[0].Logs) != 1 || r.Causes[0].Logs[0].Lines[1] != "b" {
		t.Errorf("of the instance before: %+v", r)
	}
	w.facts.Logs[rollout.Instance{Pod: pod.UID, Container: "web", Number: 1}] = nil // it printed nothing, or its log cannot be read
	if r = w.explain(); len(r.Logs) != 0 || len(r.Causes[0].Logs) != 1 || r.Causes[0].Logs[0].Lines[1] != "b" {
		t.Errorf("in place of an empty one: %+v", r)
	}
	if rollout.IsLog("unable to retrieve container logs for containerd://abc") || !rollout.IsLog("ready") {
		t.Error("what is no log is taken for one, or the other way round")
	}
}

// TestEventsForbidden: without Events it is not known which probe it was, and never "completed".
func TestEventsForbidden(t *testing.T) {
	c := app()
	c.LivenessProbe = get("/livez", 8080)
	w := newWorld(c)
	w.facts.EventsForbidden = true
	crash(w, 0, w.pod("web-new-x2x4z"), 1, 2, 17)
	at, r := w.play(100)
	want := "container web is stopped from outside, 3 times; Events are forbidden, so which probe is not known"
	if at != 31 || r.Verdict.Text != want {
		t.Errorf("after %d s %+v, want %q", at, r.Verdict, want)
	}
}

// TestPodKnowsFirst: a Pod may know before its workload that it is not ready any more.
func TestPodKnowsFirst(t *testing.T) {
	w := newWorld(app())
	w.pod("web-new-x2x4z")
	w.count()
	w.facts.Now, w.deployment.Status.AvailableReplicas = begun, 1
	if r, _ := rollout.Explain(w.facts, rollout.Memory{}); r.Up || r.Verdict != nil {
		t.Errorf("%+v, want no verdict", r)
	}
}

// TestUpCounts: a Deployment that is complete by its status has all its Pods, also if of one
// nothing was told yet.
func TestUpCounts(t *testing.T) {
	meta := metav1.ObjectMeta{Namespace: "d", Name: "x", UID: "x", Generation: 2}
	d := &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Replicas: new(int32(2)), Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{app()}}}}}
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 2, UpdatedReplicas: 2, ReadyReplicas: 2, AvailableReplicas: 2}
	facts := rollout.Facts{Now: begun.Add(time.Second), Begun: begun, Workload: d, Generation: 2}
	_, memory := rollout.Explain(facts, rollout.Memory{})
	facts.Now = begun.Add(time.Minute)
	r, _ := rollout.Explain(facts, memory)
	if !r.Up || r.Desired != 2 || r.Updated != 2 || r.Available != 2 {
		t.Errorf("up: %v, %d of %d available, %d updated", r.Up, r.Available, r.Desired, r.Updated)
	}
}
