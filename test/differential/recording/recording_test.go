package recording

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/test/differential/trace"
)

func TestRoundTrip(t *testing.T) {
	want := trace.Trace{Scenario: "A01", System: "Kubernetes v1", Period: 3, Seconds: 9.5, Tracks: []trace.Track{
		{Name: "web phase", Entries: []trace.Entry{{At: 0.25, What: "Pending"}, {At: 1, What: `a "word"`}}},
		{Name: "web/app#1 life", Entries: []trace.Entry{{At: 0, What: "start"}}},
	}}
	path := filepath.Join(t.TempDir(), "trace.json")
	if err := Write(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the trace has changed (-want +got):\n%s", diff)
	}
}

func TestRefusalsRoundTrip(t *testing.T) {
	want := Refusals{System: "Kubernetes v1", Causes: map[string][]string{"L01": {"a: b"}, "M01": nil}}
	path := filepath.Join(t.TempDir(), "refusals.json")
	if err := WriteRefusals(path, want); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadRefusals(path); err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("the refusals have changed: %v, %s", err, cmp.Diff(want, got))
	}
}
