package deploy

import (
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestRecall: a deployment that was broken off is undone by what was before and what there is:
// only what it has made is deleted, and only what was there is restored.
func TestRecall(t *testing.T) {
	const old = "2026-11-28T10:00:00Z"
	made := time.Now().UTC().Format(time.RFC3339)
	live := func(uid, version, created, manager string) map[string]any {
		fields := []any{map[string]any{"manager": manager, "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": map[string]any{"f:data": map[string]any{"f:k": map[string]any{}}}}}
		return map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{"k": version}, "metadata": map[string]any{
			"name": "a", "namespace": "shop", "uid": uid, "resourceVersion": version, "creationTimestamp": created, "managedFields": fields,
		}}
	}
	before := live("u", "7", old, "probity")
	tests := map[string]struct {
		before, now map[string]any
		want        string // requests that change something
		told        string
	}{
		"never applied":         {nil, nil, "", ""},
		"created":               {nil, live("u", "8", made, "probity"), "DELETE", "a deleted"},
		"created by another":    {nil, live("u", "8", made, "helm"), "", "a stays: somebody else has made it"},
		"there all the time":    {nil, live("u", "8", old, "probity"), "", "a stays: somebody else has made it"},
		"configured":            {before, live("u", "8", old, "probity"), "PATCH", "a restored"},
		"not configured":        {before, before, "", ""},
		"deleted since":         {before, nil, "", "a stays away: somebody has deleted it"},
		"deleted and made anew": {before, live("v", "9", made, "probity"), "", "a stays: somebody else has made it"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var changes []string
			d, told := bound(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\n", func(r *http.Request) (int, any) {
				switch {
				case r.Method != http.MethodGet:
					changes = append(changes, r.Method)
					return 200, before
				case test.now == nil:
					return statusOf(404, metav1.StatusReasonNotFound, "no")
				}
				return 200, test.now
			})
			if test.before != nil {
				d.Entries[0].Before = &unstructured.Unstructured{Object: test.before}
			}
			memory, err := d.Remember(nil)
			if err != nil {
				t.Fatal(err)
			}
			again, err := Recall(t.Context(), d.options, memory)
			if err != nil {
				t.Fatal(err)
			}
			if err := again.Undo(t.Context()); err != nil {
				t.Error(err)
			}
			if got := strings.Join(changes, " "); got != test.want {
				t.Errorf("it sends %q, want %q", got, test.want)
			}
			if got := strings.Join(*told, ", "); got != test.told {
				t.Errorf("it tells %q, want %q", got, test.told)
			}
		})
	}
}

// TestRecallNothing: what is no memory, or a server that is away, is said.
func TestRecallNothing(t *testing.T) {
	d, _ := bound(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", func(*http.Request) (int, any) { return 0, nil })
	memory, err := d.Remember(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Recall(t.Context(), d.options, memory); !errors.Is(err, ErrNotKnown) {
		t.Errorf("error %v", err)
	}
	for _, bad := range [][]byte{nil, []byte("x"), memory[:len(memory)/2]} {
		if _, err := Recall(t.Context(), d.options, bad); err == nil || errors.Is(err, ErrNotKnown) {
			t.Errorf("of %q: %v", bad, err)
		}
	}
}

// TestUndoJob: a Job that is complete stays, one that is not goes.
func TestUndoJob(t *testing.T) {
	for name, test := range map[string]struct {
		complete bool
		want     string
	}{"complete": {true, "migrate stays: it is complete, and what it has done stays done"}, "failed": {false, "migrate deleted"}} {
		t.Run(name, func(t *testing.T) {
			d, told := bound(t, "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, namespace: shop, uid: u}\n", func(r *http.Request) (int, any) {
				job := jobList(test.complete).Items[0]
				job.APIVersion, job.Kind = "batch/v1", "Job"
				return 200, job
			})
			d.Entries[0].Result, d.Entries[0].After = Created, d.Entries[0].Unstructured
			if err := d.Undo(t.Context()); err != nil {
				t.Error(err)
			}
			if got := strings.Join(*told, ", "); got != test.want {
				t.Errorf("it tells %q, want %q", got, test.want)
			}
		})
	}
}

// TestRememberEarlier: a deployment that goes on where one was broken off remembers what was before
// that one, of all that both have.
func TestRememberEarlier(t *testing.T) {
	const both = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, namespace: shop}\n"
	nothing := func(*http.Request) (int, any) { return statusOf(404, metav1.StatusReasonNotFound, "no") }
	object := func(version string) *unstructured.Unstructured {
		o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
		o.SetResourceVersion(version)
		return o
	}
	first, _ := bound(t, both, nothing)
	first.Entries[0].Before = object("1")
	earlier, err := first.Remember(nil)
	if err != nil {
		t.Fatal(err)
	}
	since, err := Begun(earlier)
	if err != nil || since.IsZero() {
		t.Fatalf("the earlier one began at %v, error %v", since, err)
	}
	second, _ := bound(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: shop}\n---\n"+both, nothing)
	for _, e := range second.Entries {
		e.Before = object("2")
	}
	memory, err := second.Remember(earlier)
	if err != nil {
		t.Fatal(err)
	}
	all, err := unpack(memory)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, o := range all.Objects {
		got[o.At.Name] = "absent"
		if o.Before != nil {
			got[o.At.Name] = o.Before.GetResourceVersion()
		}
	}
	if want := map[string]string{"a": "1", "b": "absent", "c": "2"}; !maps.Equal(got, want) || len(all.Objects) != len(want) {
		t.Errorf("remembered %v of %d objects, want %v", got, len(all.Objects), want)
	}
	if begun, err := Begun(memory); err != nil || !begun.Equal(since) {
		t.Errorf("it began at %v, error %v", begun, err)
	}
	if _, err := second.Remember([]byte("no memory")); err == nil {
		t.Error("what cannot be read of an earlier deployment is lost without a word")
	}
}
