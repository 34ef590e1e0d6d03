package trace

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/test/differential/ledger"
)

func TestText(t *testing.T) {
	n := newNames(&Recorded{Player: "/player", Image: "test/player:1"})
	n.ports["45123"] = "8080"
	n.pods["web-5d8f-x2x4z"], n.revisions["web-5d8f"] = "web-r1", "web-r1"
	for in, want := range map[string]string{
		`Container image "test/player:1" already present`:                                          `Container image "IMAGE" already present`,
		`timed out: "/player do x"`:                                                                `timed out: "PLAYER do x"`,
		`Get "http://10.244.0.7:8080/live": dial tcp 10.244.0.7:8080: connect: connection refused`: `Get "http://HOST:8080/live": dial tcp HOST:8080: connect: connection refused`,
		`Get "http://127.0.0.1:45123/live"`:                                                        `Get "http://HOST:8080/live"`,
		`read tcp 10.244.0.1:39482->10.244.0.7:8080: read: connection reset by peer`:               `read tcp HOST:CLIENT->HOST:8080: read: connection reset by peer`,
		`failed container app in pod web_s-a01(12345678-1234-1234-1234-123456789abc)`:              `failed container app in pod web_NAMESPACE(UID)`,
		"kube-probe/1.36":                "kube-probe/VERSION",
		"Scaled up replica set web-5d8f": "Scaled up replica set web-r1",
		"lookup of web-5d8f-x2x4z":       "lookup of web-r1-POD",
	} {
		if got := n.text(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

// An Event of which the API server shows a count is as many as it counts (R221).
func TestGatherCountsEvents(t *testing.T) {
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	event := func(name, reason, message string, count int32) *corev1.Event {
		return &corev1.Event{
			ObjectMeta: metav1.ObjectMeta{Name: name}, Type: "Normal", Reason: reason, Message: message, Count: count,
			InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: "web", FieldPath: "spec.containers{app}"}, Source: corev1.EventSource{Component: "kubelet"},
		}
	}
	second := func(n int) time.Time { return began.Add(time.Duration(n) * time.Second) }
	got := Gather(Recorded{
		Scenario: "X", System: "test", End: second(9), Player: "/player", Image: "image",
		Ledgers: map[string][]ledger.Line{"web": {
			{At: began.UnixMicro(), Container: "app", Instance: 1, Kind: ledger.Start},
			{At: second(3).UnixMicro(), Container: "app", Instance: 1, Kind: ledger.Signal, Name: "SIGTERM"},
			{At: second(5).UnixMicro(), Container: "app", Instance: 1, Kind: ledger.Alive},
			{At: second(10).UnixMicro(), Container: "app", Instance: 2, Kind: ledger.Start},
		}},
		Observations: []Observation{
			{second(0), watch.Added, event("a", "Started", "Container started", 1)},
			{second(1), watch.Added, event("b", "Unhealthy", "Liveness probe failed: x", 1)},
			{second(2), watch.Modified, event("b", "Unhealthy", "Liveness probe failed: x", 2)},
			{second(6), watch.Modified, event("a", "Started", "Container started", 2)},
			{second(7), watch.Modified, event("b", "Unhealthy", "Liveness probe failed: x", 4)},
		},
	})
	failed := "Normal Unhealthy Liveness probe failed: x"
	want := []Track{
		at("web/app events", 0, "Normal Started Container started", 6, "Normal Started Container started"),
		at("web/app#1 Liveness", 1, failed, 2, failed),
		at("web/app#1 life", 0, "start", 3, "SIGTERM", 5, "killed"),
		at("web/app#2 Liveness", 7, failed, 7, failed),
	}
	if diff := cmp.Diff(want, got.Tracks); diff != "" {
		t.Errorf("tracks (-want +got):\n%s", diff)
	}
}

func TestEntryKeepsItsForm(t *testing.T) {
	want := Entry{1.5, `a "text"`}
	data, err := json.Marshal(want)
	if err != nil || string(data) != `[1.5,"a \"text\""]` {
		t.Fatalf("written as %s, %v", data, err)
	}
	var got Entry
	if err := json.Unmarshal(data, &got); err != nil || got != want {
		t.Errorf("read as %v, %v", got, err)
	}
}
