package table

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/store"
)

// now is the time of all tests.
var now = time.Date(2026, time.November, 29, 12, 0, 0, 0, time.UTC)

// ago is the API's time of something in the past.
func ago(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(-d)) }

// named is the metadata of an object that is five minutes old.
func named(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: "default", CreationTimestamp: ago(5 * time.Minute)}
}

// kinds are the kinds that are known, with their columns: * is for one of priority 1, and what is
// not a string has its type behind it.
func kinds() []knownKind {
	return []knownKind{
		{&corev1.Pod{}, "Name, Ready, Status, Restarts, Age, IP*, Node*, Nominated Node*, Readiness Gates*"},
		{&appsv1.Deployment{}, "Name, Ready, Up-to-date, Available, Age, Containers*, Images*, Selector*"},
		{&appsv1.ReplicaSet{}, "Name, Desired integer, Current integer, Ready integer, Age, Containers*, Images*, Selector*"},
		{&appsv1.StatefulSet{}, "Name, Ready, Age, Containers*, Images*"},
		{&appsv1.ControllerRevision{}, "Name, Controller, Revision, Age"},
		{&autoscalingv1.Scale{}, "Name, Desired integer, Available integer, Age"},
		{&corev1.Service{}, "Name, Type, Cluster-IP, External-IP, Port(s), Age, Selector*"},
		{&discoveryv1.EndpointSlice{}, "Name, AddressType, Ports, Endpoints, Age"},
		{&corev1.ConfigMap{}, "Name, Data, Age"},
		{&corev1.Secret{}, "Name, Type, Data, Age"},
		{&corev1.Namespace{}, "Name, Status, Age"},
		{&corev1.Node{}, "Name, Status, Roles, Age, Version, Internal-IP*, External-IP*, OS-Image*, Kernel-Version*, Container-Runtime*"},
		{&corev1.Event{}, "Last Seen, Type, Reason, Object, Subobject*, Source*, Message, First Seen*, Count*, Name*"},
		{&eventsv1.Event{}, "Last Seen, Type, Reason, Object, Subobject*, Source*, Message, First Seen*, Count*, Name*"},
		{&coordinationv1.Lease{}, "Name, Holder, Age"},
		{&node.ProbeReport{}, "Name, Probes integer, Worst, Outcome, Latency, Age"},
		{&corev1.PersistentVolume{}, "Name, Created At date"}, // not known
	}
}

type knownKind struct {
	kind    store.Object
	columns string
}

func TestColumns(t *testing.T) {
	for _, test := range kinds() {
		var list []string
		for _, c := range Columns(test.kind) {
			text := c.Name + strings.Repeat("*", int(c.Priority))
			if c.Type != "string" {
				text += " " + c.Type
			}
			list = append(list, text)
			if c.Description == "" {
				t.Errorf("%T: the column %s has no description", test.kind, c.Name)
			}
			_, isScale := test.kind.(*autoscalingv1.Scale)
			if isName := c.Name == "Name" && !isScale; isName != (c.Format == "name") {
				t.Errorf("%T: the column %s has the format %q", test.kind, c.Name, c.Format)
			}
		}
		if diff := cmp.Diff(test.columns, strings.Join(list, ", ")); diff != "" {
			t.Errorf("columns of %T (-want +got):\n%s", test.kind, diff)
		}
		nobody := reflect.Zero(reflect.TypeOf(test.kind)).Interface().(store.Object)
		if diff := cmp.Diff(Columns(test.kind), Columns(nobody)); diff != "" {
			t.Errorf("columns of %T without an object (-with +without):\n%s", test.kind, diff)
		}
	}
}

// TestEmpty prints objects of which nothing is known.
func TestEmpty(t *testing.T) {
	want := map[string]string{
		"Pod":                "|0/0||0|<unknown>|<none>|<none>|<none>|<none>",
		"Deployment":         "|0/1|0|0|<unknown>|||",
		"ReplicaSet":         "|1|0|0|<unknown>|||<none>",
		"StatefulSet":        "|0/1|<unknown>||",
		"ControllerRevision": "|<none>|0|<unknown>",
		"Scale":              "|0|0|<unknown>",
		"Service":            "||<none>|<unknown>|<none>|<unknown>|<none>",
		"EndpointSlice":      "||<unset>|<unset>|<unknown>",
		"ConfigMap":          "|0|<unknown>",
		"Secret":             "||0|<unknown>",
		"Namespace":          "||<unknown>",
		"Node":               "|Unknown|<none>|<unknown>||<none>|<none>|<unknown>|<unknown>|<unknown>",
		"Event":              "<unknown>|||||||<unknown>|1|",
		"Lease":              "||<unknown>",
		"ProbeReport":        "|0|<none>|<none>|<none>|<unknown>",
		"PersistentVolume":   "|0001-01-01T00:00:00Z",
	}
	for _, test := range kinds() {
		if diff := cmp.Diff(want[kindOf(test.kind)], cellsOf(t, test.kind)); diff != "" {
			t.Errorf("an empty %T (-want +got):\n%s", test.kind, diff)
		}
	}
}

func TestRow(t *testing.T) {
	for name, test := range map[string]struct {
		object store.Object
		want   string
	}{
		"ConfigMap": {&corev1.ConfigMap{ObjectMeta: named("settings"), Data: map[string]string{"a": "1", "b": "2"}, BinaryData: map[string][]byte{"c": nil}}, "settings|3|5m"},
		"Secret": {
			&corev1.Secret{ObjectMeta: named("settings"), Type: corev1.SecretTypeOpaque, Data: map[string][]byte{"a": nil}, StringData: map[string]string{"b": ""}},
			"settings|Opaque|1|5m",
		},
		"Namespace": {&corev1.Namespace{ObjectMeta: named("default"), Status: corev1.NamespaceStatus{Phase: corev1.NamespaceActive}}, "default|Active|5m"},
		"a Namespace that goes away": {
			&corev1.Namespace{ObjectMeta: named("old"), Status: corev1.NamespaceStatus{Phase: corev1.NamespaceTerminating}}, "old|Terminating|5m",
		},
		"Lease": {&coordinationv1.Lease{ObjectMeta: named("leader"), Spec: coordinationv1.LeaseSpec{HolderIdentity: new("manager-0")}}, "leader|manager-0|5m"},
		"a kind that says itself what is printed": {
			&node.ProbeReport{ObjectMeta: named("web"), Probes: []node.ProbeRecord{
				{Container: "web", Type: lifecycle.Liveness, Outcome: "failure", Latency: 1200 * time.Microsecond, Result: lifecycle.ResultSuccess, Run: 2, Threshold: 3},
			}},
			"web|1|web liveness 2/3|failure|1.2ms|5m",
		},
		"a kind that is not known": {&corev1.PersistentVolume{ObjectMeta: named("disk")}, "disk|2026-11-29T11:55:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, cellsOf(t, test.object)); diff != "" {
				t.Errorf("cells (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAge(t *testing.T) {
	for want, created := range map[string]metav1.Time{
		"<unknown>": {},
		"0s":        ago(0),
		"119s":      ago(119 * time.Second),
		"2m":        ago(2 * time.Minute),
		"5m30s":     ago(5*time.Minute + 30*time.Second),
		"3h":        ago(3 * time.Hour),
		"7d23h":     ago(8*24*time.Hour - time.Hour),
		"2y6d":      ago(736 * 24 * time.Hour),
	} {
		if got := age(created.Time, now); got != want {
			t.Errorf("the age of %v is %s, want %s", created, got, want)
		}
	}
	if got := age(now.Add(time.Hour), now); got != "0s" {
		t.Errorf("what will be made in an hour is as old as %s, want 0s", got)
	}
}

// cellsOf prints an object and sees to it that there is a cell for each column.
func cellsOf(t *testing.T, o store.Object) string {
	t.Helper()
	row := Row(o, now)
	if len(row.Cells) != len(Columns(o)) {
		t.Errorf("%T: %d cells for %d columns", o, len(row.Cells), len(Columns(o)))
	}
	return joined(t, row.Cells)
}
