package rollout_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/rollout"
	"github.com/probity-run/probity/internal/rollout/render"
)

// observation is a line of a recording: a version of an object, and when it was seen, in
// milliseconds since the Deployment was applied.
type observation struct {
	At     int64           `json:"at"`
	Type   string          `json:"type"`
	Kind   string          `json:"kind"`
	Object json.RawMessage `json:"object"`
}

// recording reads what test/differential/rollouts has recorded of a rollout.
func recording(t *testing.T, path string) (began time.Time, all []observation) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(unpacked)
	lines.Buffer(nil, 1<<20)
	var head struct{ Began time.Time }
	for i := 0; lines.Scan(); i++ {
		var o observation
		into := any(&o)
		if i == 0 {
			into = &head
		}
		if err := json.Unmarshal(lines.Bytes(), into); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			all = append(all, o)
		}
	}
	slices.SortStableFunc(all, func(a, b observation) int { return int(a.At - b.At) })
	return head.Began, all
}

// replay is a cluster as a recording shows it.
type replay struct {
	deployment *appsv1.Deployment
	sets       map[types.UID]*appsv1.ReplicaSet
	pods       map[types.UID]*corev1.Pod
	events     map[types.UID]*corev1.Event
}

// see takes over a line of the recording.
func (r *replay) see(o observation) error {
	var err error
	switch o.Kind {
	case "*v1.Deployment":
		r.deployment = new(appsv1.Deployment)
		err = json.Unmarshal(o.Object, r.deployment)
	case "*v1.ReplicaSet":
		err = keep(r.sets, o, func(s *appsv1.ReplicaSet) types.UID { return s.UID })
	case "*v1.Pod":
		err = keep(r.pods, o, func(p *corev1.Pod) types.UID { return p.UID })
	case "*v1.Event":
		err = keep(r.events, o, func(e *corev1.Event) types.UID { return e.UID })
	}
	return err
}

func keep[T any](all map[types.UID]*T, o observation, uid func(*T) types.UID) error {
	object := new(T)
	if err := json.Unmarshal(o.Object, object); err != nil {
		return err
	}
	if o.Type == "DELETED" {
		delete(all, uid(object))
	} else {
		all[uid(object)] = object
	}
	return nil
}

// facts are what is to be seen at an instant.
func (r *replay) facts(began, now time.Time) rollout.Facts {
	f := rollout.Facts{Begun: began, Now: now, ReplicaSets: slices.Collect(maps.Values(r.sets)), Pods: slices.Collect(maps.Values(r.pods)), Events: slices.Collect(maps.Values(r.events))}
	if r.deployment != nil {
		f.Workload = r.deployment
	}
	return f
}

// TestKubelet plays what a real kubelet showed of rollouts that do not come up, or late. Verdicts
// come within the second after what decides them; which second that is, the recording says.
func TestKubelet(t *testing.T) {
	paths, err := filepath.Glob("testdata/kubelet/*.json.gz")
	if err != nil || len(paths) == 0 {
		t.Fatal("there are no recordings", err)
	}
	var golden strings.Builder
	for _, path := range paths {
		began, all := recording(t, path)
		r := replay{sets: map[types.UID]*appsv1.ReplicaSet{}, pods: map[types.UID]*corev1.Pod{}, events: map[types.UID]*corev1.Event{}}
		name := strings.TrimSuffix(filepath.Base(path), ".json.gz")
		at, result := r.play(t, began, all)
		text := strings.Join(render.Verdict(&result), "\n")
		if result.Verdict == nil {
			text = "none"
			for _, c := range result.Causes {
				text += fmt.Sprintf("\n  %s: %s", c.Degree, c.Short)
			}
		}
		for uid, pod := range r.pods { // names are chance
			text = strings.ReplaceAll(text, pod.Name, "POD")
			delete(r.pods, uid)
		}
		fmt.Fprintf(&golden, "%s, after %.1f s\n%s\n\n", name, at.Seconds(), text)
	}
	compare(t, "testdata/kubelet.txt", golden.String())
}

// play explains after each change, and each half second, until there is a verdict.
func (r *replay) play(t *testing.T, began time.Time, all []observation) (at time.Duration, result rollout.Result) {
	var memory rollout.Memory
	last := time.Duration(all[len(all)-1].At) * time.Millisecond
	for ; at <= last+15*time.Second; at += 500 * time.Millisecond {
		for ; len(all) > 0 && time.Duration(all[0].At)*time.Millisecond <= at; all = all[1:] {
			if err := r.see(all[0]); err != nil {
				t.Fatal(err)
			}
		}
		if result, memory = rollout.Explain(r.facts(began, began.Add(at)), memory); result.Verdict != nil {
			return at, result
		}
	}
	return at, result
}
