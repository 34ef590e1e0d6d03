package deploy

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// fixedSource has the same Pods always.
type fixedSource []*corev1.Pod

// All implements source.
func (s fixedSource) All() ([]*corev1.Pod, bool) { return s, true }

// TestAllOf: a Pod that two sources have counts once.
func TestAllOf(t *testing.T) {
	pod := func(uid types.UID) *corev1.Pod { return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: uid}} }
	var got []types.UID
	for _, p := range allOf([]source[corev1.Pod]{fixedSource{pod("a"), pod("b")}, fixedSource{pod("b"), pod("c")}}) {
		got = append(got, p.UID)
	}
	if want := []types.UID{"a", "b", "c"}; !slices.Equal(got, want) {
		t.Errorf("there are Pods %v, want %v", got, want)
	}
}

// TestPodsOf: each selector is watched once, all Pods if there are many, and none for
// what makes its Pods later.
func TestPodsOf(t *testing.T) {
	of := func(kind, version, selector string) *workload {
		o := &Object{Unstructured: object(t, "apiVersion: "+version+"\nkind: "+kind+"\nmetadata: {name: a}\nspec: {"+selector+"}")}
		return workloadOf(&Entry{Object: o, After: o.Unstructured})
	}
	web, same := of("Deployment", "apps/v1", "selector: {matchLabels: {app: web}}"), of("StatefulSet", "apps/v1", "selector: {matchLabels: {app: web}}")
	nothing, later := of("Deployment", "apps/v1", ""), of("CronJob", "batch/v1", "")
	var many []*workload
	for _, name := range "abcdefghi" {
		many = append(many, of("Deployment", "apps/v1", "selector: {matchLabels: {app: "+string(name)+"}}"))
	}
	for name, c := range map[string]struct {
		workloads []*workload
		want      []string
	}{
		"a CronJob":         {[]*workload{later}, nil},
		"two and a CronJob": {[]*workload{web, same, later}, []string{"app=web"}},
		"no selector":       {[]*workload{web, nothing}, []string{"app=web", ""}},
		"many":              {many, []string{""}},
	} {
		var got []string
		for _, list := range podsOf(c.workloads) {
			got = append(got, list.LabelSelector)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: watched are the Pods of %q, want %q", name, got, c.want)
		}
	}
}

// TestIsPausedByFile: what the server has says nothing of the file.
func TestIsPausedByFile(t *testing.T) {
	of := func(spec string) *Object {
		return &Object{Unstructured: object(t, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {"+spec+"}")}
	}
	for _, c := range []struct {
		file, live *Object
		want       bool
	}{{of("paused: true"), of("paused: true"), true}, {of(""), of("paused: true"), false}, {of(""), of(""), false}} {
		if got := workloadOf(&Entry{Object: c.file, After: c.live.Unstructured}).isPausedByFile(); got != c.want {
			t.Errorf("%v, live %v: paused by the file is %v", c.file.Object, c.live.Object, got)
		}
	}
}
