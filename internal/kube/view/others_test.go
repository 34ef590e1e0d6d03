package view

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
)

// others is what only a cluster has.
func others() *kube.Snapshot {
	owned := func(name, kind, by string) corev1.Pod {
		pod := running(name, true)
		pod.Namespace, pod.OwnerReferences = "ops", []metav1.OwnerReference{{Kind: kind, Name: by, UID: meta(by).UID, Controller: new(true)}}
		return pod
	}
	in := func(name string) metav1.ObjectMeta {
		m := meta(name)
		m.Namespace = "ops"
		return m
	}
	failed, nightly := in("import"), in("nightly-1")
	nightly.OwnerReferences = []metav1.OwnerReference{{Kind: "CronJob", Name: "nightly", UID: "c", Controller: new(true)}}
	condition := func(kind batchv1.JobConditionType, message string) []batchv1.JobCondition {
		return []batchv1.JobCondition{{Type: kind, Status: corev1.ConditionTrue, Message: message}}
	}
	return &kube.Snapshot{
		Silent: true,
		DaemonSets: []appsv1.DaemonSet{{ObjectMeta: in("agent"), Status: appsv1.DaemonSetStatus{
			ObservedGeneration: 1, CurrentNumberScheduled: 3, DesiredNumberScheduled: 3, UpdatedNumberScheduled: 2, NumberAvailable: 2,
		}}},
		Jobs: []batchv1.Job{
			{ObjectMeta: failed, Status: batchv1.JobStatus{Failed: 7, Conditions: condition(batchv1.JobFailed, "Job has reached\nits limit")}},
			{ObjectMeta: nightly, Spec: batchv1.JobSpec{Completions: new(int32(2))}, Status: batchv1.JobStatus{Succeeded: 1, Active: 1}},
			{ObjectMeta: in("seed"), Status: batchv1.JobStatus{Succeeded: 1, Conditions: condition(batchv1.JobComplete, "")}},
			{ObjectMeta: in("later"), Spec: batchv1.JobSpec{Suspend: new(true)}},
		},
		Pods: []corev1.Pod{owned("agent-1", "DaemonSet", "agent"), owned("nightly-1-a", "Job", "nightly-1")},
	}
}

// TestOthers: DaemonSets and Jobs have rows with their Pods below, with the namespaces in a column.
func TestOthers(t *testing.T) {
	s := others()
	want := `NAMESPACE  NAME               STATE     READY  RESTARTS  AGE    ADDRESS
ops        daemonset/agent    Rolling   2/3    0         1m30s  2 of 3 updated
ops          pod/agent-1      Ready     1/1    0         1m30s
ops        job/import         Failed    0/1    0         1m30s  Job has reached its limit
ops        job/later          Stopped   0/1    0         1m30s  it is suspended
ops        job/nightly-1      Running   1/2    0         1m30s
ops          pod/nightly-1-a  Ready     1/1    0         1m30s
ops        job/seed           Complete  1/1    0         1m30s
`
	if diff := cmp.Diff(want, TextByNamespace(Overview(s, nil, noon), noon, 0)); diff != "" {
		t.Errorf("overview (-want +got):\n%s", diff)
	}
	for name, part := range map[string]string{
		"agent":        "Replicas:       3 desired, 2 updated, 2 available\n",
		"nightly-1":    "Completions:    2 to complete, 1 succeeded, 1 active, 0 failed\n",
		"job/import":   "State:          Failed: Job has reached its limit\n",
		"pod/agent-1":  "Workload:       ops/daemonset/agent\n",
		"ds/agent":     "Pods:\n  NAME             STATE  READY",
		"jobs.batch/x": `there is no Service, workload or Pod "jobs.batch/x"; there are ops/job/import, `,
	} {
		text := ""
		o, err := s.Find(name)
		if err != nil {
			text = err.Error()
		} else {
			text = Description{Snapshot: s, Object: o, Now: noon}.Text()
		}
		if !strings.Contains(text, part) {
			t.Errorf("%s does not say %q:\n%s", name, part, text)
		}
	}
}

// TestEventNamespaces: the column is that of the Events, and objects are named without theirs.
func TestEventNamespaces(t *testing.T) {
	e := corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ops"}, InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: "ops", Name: "agent-1"},
		Type: "Normal", Reason: "Started", Message: "Started container app", FirstTimestamp: metav1.NewTime(noon),
	}
	table := EventTable{Namespaces: true}
	want := "NAMESPACE  LAST SEEN  TYPE    REASON   OBJECT       MESSAGE\nops        0s         Normal  Started  pod/agent-1  Started container app\n"
	if diff := cmp.Diff(want, table.Rows([]*corev1.Event{&e}, noon, 0)); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

// TestProcesses: of a run the process numbers are told, as its node has noted them; on a cluster an
// annotation of that name is none.
func TestProcesses(t *testing.T) {
	pod := running("web", true)
	pod.Annotations = map[string]string{"probity.run/pid.app": "4711", "probity.run/pid.gone": "1"}
	for silent, want := range map[bool]map[string]int{false: {"app": 4711}, true: nil} {
		rows := Overview(&kube.Snapshot{Silent: silent, Pods: []corev1.Pod{pod}}, nil, noon)
		if diff := cmp.Diff(want, rows[0].Processes); diff != "" {
			t.Errorf("of a cluster: %v (-want +got):\n%s", silent, diff)
		}
	}
}

// TestServicesOfOthers: a Service of a cluster without a selector is not told to be broken: who
// keeps its endpoints is not seen. One of a run has nobody behind it.
func TestServicesOfOthers(t *testing.T) {
	s := &kube.Snapshot{Silent: true, Services: []corev1.Service{
		{ObjectMeta: meta("kubernetes"), Spec: corev1.ServiceSpec{ClusterIP: "10.0.0.1", Ports: []corev1.ServicePort{{Name: "https", Port: 443}}}},
		{ObjectMeta: meta("store"), Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "db.example.com"}},
	}}
	want := `NAME                STATE  READY  RESTARTS  AGE    ADDRESS
service/kubernetes  –      0/0              1m30s  10.0.0.1:443; it has no selector: others say where it leads
service/store       –      0/0              1m30s  it is another name of db.example.com
`
	if diff := cmp.Diff(want, Text(Overview(s, nil, noon), noon, 0)); diff != "" {
		t.Errorf("overview of a cluster (-want +got):\n%s", diff)
	}
	s.Silent = false
	if got := Text(Overview(s, nil, noon), noon, 0); strings.Count(got, "Not ready") != 2 {
		t.Errorf("of a run it is\n%s", got)
	}
	if Overview(&kube.Snapshot{}, nil, noon) == nil {
		t.Error("nothing is no list for programs")
	}
}
