package rollout_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/rollout"
	"github.com/probity-run/probity/internal/rollout/render"
)

// chooser takes decisions from bytes; 0 when there are none left.
type chooser []byte

func (c *chooser) next() byte {
	if len(*c) == 0 {
		return 0
	}
	b := (*c)[0]
	*c = (*c)[1:]
	return b
}

func (c *chooser) yes() bool { return c.next()%2 == 1 }

func pick[T any](c *chooser, from ...T) T { return from[int(c.next())%len(from)] }

func (c *chooser) number() int32 {
	return pick(c, 0, 1, 2, 3, 10, 600, -1, 1<<31-1, -1<<31, int32(c.next()))
}

func (c *chooser) time() metav1.Time {
	return metav1.NewTime(pick(c, begun, time.Time{}, begun.Add(-time.Hour), begun.Add(time.Duration(c.next())*time.Second), time.Unix(1<<40, 0), begun.Add(90*time.Second)))
}

func (c *chooser) text() string {
	return pick(c, "", "web", "migrate", "\x1b[31mred\r\n", "Container web failed startup probe, will be restarted", "Container web failed liveness probe, will be restarted",
		"Readiness probe failed: HTTP probe failed with statuscode: 404", "Startup probe failed: "+fmt.Sprintf(refused, 8080, "/startupz"), "Liveness probe errored",
		`configmap "a" not found`, `" not found`, `MountVolume.SetUp failed for volume "`, pullAbsent, pullRefused, "back-off 5m0s restarting", "0/1 nodes: 1 Insufficient cpu.",
		`pods "x" is forbidden: exceeded quota`, "persistentvolumeclaim", "\xff\xfe", strings.Repeat("é", 700))
}

func (c *chooser) state() (s corev1.ContainerState) {
	switch c.next() % 5 {
	case 1:
		s.Waiting = &corev1.ContainerStateWaiting{Reason: pick(c, "CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError", "RunContainerError", "InvalidImageName",
			"ErrImageNeverPull", "ContainerCreating", c.text()), Message: c.text()}
	case 2:
		s.Running = &corev1.ContainerStateRunning{StartedAt: c.time()}
	case 3:
		s.Terminated = &corev1.ContainerStateTerminated{ExitCode: c.number(), Reason: pick(c, "Error", "Completed", "OOMKilled", "StartError", c.text()), Message: c.text(), StartedAt: c.time(), FinishedAt: c.time()}
	}
	return s
}

func (c *chooser) probe() *corev1.Probe {
	p := get(c.text(), int(c.number()))
	p.InitialDelaySeconds, p.PeriodSeconds, p.FailureThreshold, p.TimeoutSeconds = c.number(), c.number(), c.number(), c.number()
	return pick(c, nil, p, p, &corev1.Probe{}, &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{}}, PeriodSeconds: c.number()})
}

// hostile are facts in which everything may be wrong.
func hostile(data []byte) rollout.Facts {
	c := new(chooser(data))
	app := corev1.Container{Name: "web", Image: c.text(), Ports: []corev1.ContainerPort{{Name: c.text(), ContainerPort: c.number()}}, StartupProbe: c.probe(), ReadinessProbe: c.probe(), LivenessProbe: c.probe()}
	w := newWorld(app)
	if c.yes() {
		w.deployment.Spec.Template.Spec.InitContainers = []corev1.Container{{Name: "migrate", RestartPolicy: pick(c, nil, new(corev1.ContainerRestartPolicyAlways))}}
	}
	template := w.deployment.Spec.Template
	w.deployment.Spec.Replicas, w.deployment.Spec.MinReadySeconds = pick(c, nil, new(c.number())), c.number()
	w.facts.Workload = pick[metav1.Object](c, w.deployment, w.deployment, w.deployment,
		&appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "s", UID: "web-new"}, Spec: appsv1.StatefulSetSpec{Template: template}, Status: appsv1.StatefulSetStatus{UpdateRevision: c.text()}},
		&appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Name: "s", UID: "web-new"}, Spec: appsv1.DaemonSetSpec{Template: template}},
		&batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "s", UID: "web-new"}, Spec: batchv1.JobSpec{Template: template}, Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{
			{Type: pick(c, batchv1.JobFailed, batchv1.JobComplete), Status: pick(c, corev1.ConditionTrue, corev1.ConditionFalse), Reason: c.text()}}}},
		&appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: "s", UID: "web-new"}}, &corev1.Pod{}, &corev1.Service{}, nil)
	w.set.Status.Conditions = []appsv1.ReplicaSetCondition{{Type: pick(c, "", appsv1.ReplicaSetReplicaFailure), Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: c.text()}}
	for i := range c.next() % 4 {
		pod := w.pod(fmt.Sprint("web-new-", i))
		pod.OwnerReferences[0].UID = types.UID(pick(c, "web-new", "web-new", "web-new", "other"))
		pod.CreationTimestamp, pod.Status.Phase, pod.Status.Reason = c.time(), pick(c, corev1.PodRunning, corev1.PodPending, corev1.PodFailed, corev1.PodSucceeded, ""), c.text()
		for _, t := range []corev1.PodConditionType{corev1.PodReady, corev1.PodScheduled, corev1.ContainersReady} {
			w.condition(pod, t, pick(c, corev1.ConditionTrue, corev1.ConditionFalse, ""), pick(c, "", "SchedulingGated"), c.text())
			pod.Status.Conditions[len(pod.Status.Conditions)-1].LastTransitionTime = c.time()
		}
		for j := range pod.Status.ContainerStatuses {
			st := &pod.Status.ContainerStatuses[j]
			st.Name, st.RestartCount, st.State, st.LastTerminationState, st.Ready = pick(c, "web", "web", c.text()), c.number(), c.state(), c.state(), c.yes()
			st.Started = pick(c, nil, new(true), new(false))
		}
		if c.yes() {
			pod.Status.Conditions, pod.Spec.NodeName = nil, ""
		}
	}
	for range c.next() % 8 {
		e := w.event(types.UID(pick(c, "web-new-0", "web-new-1", "web-new", "deployment")), pick(c, "web", "", "migrate"), pick(c, "Unhealthy", "Killing", "Failed", "FailedMount", "FailedCreate", "FailedCreatePodSandBox", "Pulling"), c.text())
		e.FirstTimestamp, e.LastTimestamp, e.Count = c.time(), c.time(), c.number()
		if c.yes() {
			e.Series = &corev1.EventSeries{Count: c.number()}
		}
	}
	if c.yes() {
		w.facts.Pods, w.facts.Events, w.facts.Nodes = append(w.facts.Pods, nil), append(w.facts.Events, nil), []*corev1.Node{nil}
		w.facts.ReplicaSets, w.facts.Services = append(w.facts.ReplicaSets, nil), []*corev1.Service{nil}
	}
	w.facts.Now, w.facts.Begun, w.facts.EventsForbidden = c.time().Time, c.time().Time, c.yes()
	n := c.number()
	w.deployment.Status.Replicas, w.deployment.Status.UpdatedReplicas, w.deployment.Status.AvailableReplicas = n, n, n
	return w.facts
}

// shuffled are the same facts in another order.
func shuffled(f rollout.Facts, r *rand.Rand) rollout.Facts {
	f.Pods, f.Events, f.ReplicaSets = slices.Clone(f.Pods), slices.Clone(f.Events), slices.Clone(f.ReplicaSets)
	r.Shuffle(len(f.Pods), func(i, j int) { f.Pods[i], f.Pods[j] = f.Pods[j], f.Pods[i] })
	r.Shuffle(len(f.Events), func(i, j int) { f.Events[i], f.Events[j] = f.Events[j], f.Events[i] })
	r.Shuffle(len(f.ReplicaSets), func(i, j int) { f.ReplicaSets[i], f.ReplicaSets[j] = f.ReplicaSets[j], f.ReplicaSets[i] })
	return f
}

// checkFacts explains facts three times over a while: the same answer whatever the order, nothing
// that a terminal obeys in it, and not up while a new Pod is not ready.
func checkFacts(t *testing.T, f rollout.Facts, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	var memory, other rollout.Memory
	var before rollout.Result
	for range 3 {
		var r, again rollout.Result
		r, memory = rollout.Explain(f, memory)
		again, other = rollout.Explain(shuffled(f, random), other)
		if !reflect.DeepEqual(r, again) || !reflect.DeepEqual(memory, other) {
			t.Fatalf("in another order it is\n%+v\nnot\n%+v", again, r)
		}
		lines := slices.Concat(render.Verdict(&r), render.Live([]rollout.Result{r}, begun, 80), render.Changes(&before, &r))
		for _, line := range lines {
			if line != printable.Line(line) {
				t.Fatalf("%q holds what a terminal obeys", line)
			}
		}
		if _, err := json.Marshal(render.JSON(&before, &r)); err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(r.Pods, func(p rollout.Pod) bool { return !p.Ready && p.Phase != "failed" && p.Phase != "succeeded" }); r.Up && i >= 0 && !isJob(f) {
			t.Fatalf("up, and %+v is not ready", r.Pods[i])
		}
		if r.Verdict != nil && (r.Verdict.Outcome == rollout.IsUp) != r.Up {
			t.Fatalf("up is %v, the verdict %+v", r.Up, r.Verdict)
		}
		before, f.Now = r, f.Now.Add(20*time.Second)
	}
}

func isJob(f rollout.Facts) bool {
	_, ok := f.Workload.(*batchv1.Job)
	return ok
}

// FuzzExplain: facts that nobody has seen yet.
func FuzzExplain(f *testing.F) {
	f.Add([]byte{}, uint64(0))
	random := rand.New(rand.NewPCG(1, 2))
	for seed := range uint64(200) {
		data := make([]byte, 200)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		f.Add(data, seed)
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) { checkFacts(t, hostile(data), seed) })
}

// TestOrder: the order of objects and Events means nothing, in any row of the table at any time.
func TestOrder(t *testing.T) {
	for _, row := range rows() {
		w := row.make()
		for second := range min(row.at, 90) + 1 {
			w.now = begun.Add(time.Duration(second) * time.Second)
			for _, do := range w.steps[second] {
				do()
			}
			w.facts.Now = w.now
			w.count()
			if second%7 == 0 || second == row.at {
				checkFacts(t, w.facts, uint64(second))
			}
		}
	}
}

// BenchmarkExplain is a rollout of 500 Pods, of which each tenth is not ready, with 1,000 Events.
func BenchmarkExplain(b *testing.B) {
	w := newWorld(app())
	w.deployment.Spec.Replicas = new(int32(500))
	for i := range 500 {
		pod := w.pod(fmt.Sprintf("web-new-%03d", i))
		w.start(pod)
		w.ready(pod, i%10 > 0)
		w.facts.Events = append(w.facts.Events, &corev1.Event{InvolvedObject: corev1.ObjectReference{UID: pod.UID, FieldPath: "spec.containers{web}"}, Reason: "Unhealthy", Count: 2,
			Message: "Readiness probe failed: HTTP probe failed with statuscode: 404", LastTimestamp: metav1.NewTime(w.now)})
		w.facts.Events = append(w.facts.Events, &corev1.Event{InvolvedObject: corev1.ObjectReference{UID: pod.UID}, Reason: "Pulled"})
	}
	w.explain()
	for b.Loop() {
		w.explain()
	}
}
