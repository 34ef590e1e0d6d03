package registry

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/store"
)

// managers are whose managed fields an object has.
func managers(o metav1.Object) string {
	var names []string
	for _, f := range o.GetManagedFields() {
		names = append(names, f.Manager+f.Subresource)
	}
	return strings.Join(names, " ")
}

func fieldsOf(names string) (fields []metav1.ManagedFieldsEntry) {
	for name := range strings.FieldsSeq(names) {
		fields = append(fields, metav1.ManagedFieldsEntry{Manager: name, Operation: "Update", FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1("{}")})
	}
	return fields
}

// TestManagedFields: a client's writes are told to who keeps the fields; Probity's own only if
// somebody has any; and all else stays as it is.
func TestManagedFields(t *testing.T) {
	create := func(r *Registry, before *corev1.Pod, opts WriteOptions) (store.Object, error) {
		before.Name, before.Spec.NodeName = "new", ""
		return r.CreateObject(before, opts)
	}
	update := func(r *Registry, before *corev1.Pod, opts WriteOptions) (store.Object, error) {
		before.Labels = map[string]string{"a": "b"}
		return r.UpdateObject(before, opts)
	}
	status := func(r *Registry, before *corev1.Pod, opts WriteOptions) (store.Object, error) {
		before.Status.Message = "x"
		return r.UpdateStatus(before, opts)
	}
	for name, test := range map[string]struct {
		write  func(*Registry, *corev1.Pod, WriteOptions) (store.Object, error)
		before string // managers of the object that there is
		comes  string // with the object that is written
		opts   WriteOptions
		keeps  bool // who keeps the fields says that they stay
		want   string
		asked  bool
	}{
		"created by a client":                  {create, "", "", WriteOptions{Manager: "kubectl"}, false, "kubectl", true},
		"created by a client, fields and all":  {create, "", "a", WriteOptions{Manager: "kubectl"}, false, "a kubectl", true},
		"created by Probity":                   {create, "", "a", WriteOptions{}, false, "", false},
		"created by Probity's manifests":       {create, "", "a", WriteOptions{Manager: Manager}, false, "", false},
		"created by an apply":                  {create, "", "a", WriteOptions{Manager: "kubectl", Applied: true}, false, "a", false},
		"created, and nobody keeps any":        {create, "", "a", WriteOptions{Manager: "kubectl"}, true, "", true},
		"updated by a client":                  {update, "a", "a", WriteOptions{Manager: "kubectl"}, false, "a kubectl", true},
		"updated by a client, with none":       {update, "a", "", WriteOptions{Manager: "kubectl"}, false, "kubectl", true},
		"updated by Probity":                   {update, "a", "b", WriteOptions{}, false, "a", false},
		"updated by Probity's manifests":       {update, "a", "a", WriteOptions{Manager: Manager}, false, "a probity", true},
		"updated by Probity's manifests alone": {update, "", "", WriteOptions{Manager: Manager}, false, "", false},
		"updated by an apply":                  {update, "a", "b", WriteOptions{Manager: "kubectl", Applied: true}, false, "b", false},
		"updated, and they stay":               {update, "a", "b", WriteOptions{Manager: "kubectl"}, true, "a", true},
		"status by a client":                   {status, "a", "a", WriteOptions{Manager: "kubectl"}, false, "a kubectlstatus", true},
		"status by an apply":                   {status, "a", "b", WriteOptions{Manager: "kubectl", Applied: true}, false, "b", false},
		"status by Probity":                    {status, "a", "", WriteOptions{}, false, "a", false},
	} {
		t.Run(name, func(t *testing.T) {
			asked := false
			var r *Registry
			r = newRegistry(Options{NodeName: "here", ManagedFields: func(w FieldsWrite) []metav1.ManagedFieldsEntry {
				asked = true
				next := w.New.(*corev1.Pod)
				switch {
				case w.Manager != test.opts.Manager || next.Spec.RestartPolicy == "":
					t.Errorf("asked about %s, %+v", w.Manager, next.Spec)
				case w.Old == nil && next.Spec.NodeName != "":
					t.Error("the node is taken for what the client said")
				case w.Old != nil && managers(w.Old) != test.before:
					t.Errorf("the fields that there are: %q, want %q", managers(w.Old), test.before)
				}
				store.List[*corev1.Pod](r.opts.Store, store.Selector{}) // no lock is held
				if test.keeps {
					return nil
				}
				fields := append(next.ManagedFields, fieldsOf(w.Manager)...)
				fields[len(fields)-1].Subresource = w.Subresource
				return fields
			}})
			made(t, r, pod())
			before, err := store.Modify(r.opts.Store, "default", "web", func(p *corev1.Pod) error { p.ManagedFields = fieldsOf(test.before); return nil })
			if err != nil {
				t.Fatal(err)
			}
			next := before.DeepCopy()
			next.ManagedFields = fieldsOf(test.comes)
			for _, dryRun := range []bool{true, false} {
				test.opts.DryRun = dryRun
				got, err := test.write(r, next.DeepCopy(), test.opts)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, managers(got)); diff != "" || asked != test.asked {
					t.Errorf("asked: %v, want %v; managers (-want +got):\n%s", asked, test.asked, diff)
				}
			}
		})
	}
}

// TestResetOfManagedFields: none at all is not the same as unchanged.
func TestResetOfManagedFields(t *testing.T) {
	r := newRegistry(Options{ManagedFields: func(FieldsWrite) []metav1.ManagedFieldsEntry { return []metav1.ManagedFieldsEntry{} }})
	config := made(t, r, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "c", ManagedFields: fieldsOf("a")}})
	if got, err := r.UpdateObject(config, WriteOptions{Manager: "kubectl"}); err != nil || len(got.GetManagedFields()) > 0 {
		t.Errorf("managed fields %v, %v, want none", got.GetManagedFields(), err)
	}
}
