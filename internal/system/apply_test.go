package system

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

const deploymentText = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {tier: front}, annotations: {note: one}}
spec:
  REPLICAS
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: IMAGE, command: ["true"]}]}
`

const podText = `
apiVersion: v1
kind: Pod
metadata: {name: job}
spec: {containers: [{name: app, image: IMAGE, command: ["true"]}]}
`

const configText = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {key: VALUE}
`

// text puts values into a manifest: "IMAGE=one".
func text(manifest string, values ...string) string {
	for _, v := range values {
		name, value, _ := strings.Cut(v, "=")
		manifest = strings.ReplaceAll(manifest, name, value)
	}
	return manifest
}

func parsed(t *testing.T, texts ...string) *manifests {
	t.Helper()
	set, err := manifest.Load(manifest.Options{Stdin: strings.NewReader(strings.Join(texts, "---"))}, "-")
	if err != nil {
		t.Fatal(err)
	}
	return &manifests{set: set}
}

func applied(t *testing.T, a *applier, source string, texts ...string) []string {
	t.Helper()
	lines, err := a.apply(source, parsed(t, texts...), true)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func check(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestApply(t *testing.T) {
	objects := store.New(store.Options{Kinds: store.Kubernetes()})
	a := newApplier(registry.New(registry.Options{Store: objects, NodeName: "here"}), objects)
	deployment := text(deploymentText, "REPLICAS=replicas: 2", "IMAGE=one")
	config := text(configText, "VALUE=a")
	check(t, "the first time", applied(t, a, "f", deployment, config), "deployment/web created", "configmap/settings created")
	check(t, "again", applied(t, a, "f", deployment, config), "deployment/web unchanged", "configmap/settings unchanged")
	check(t, "a changed template", applied(t, a, "f", text(deployment, "one=two"), config), "deployment/web configured", "configmap/settings unchanged")
	check(t, "another source", applied(t, a, "g", text(configText, "settings=more")), "configmap/more created")
	check(t, "an object less", applied(t, a, "f", text(deployment, "one=two")), "deployment/web unchanged", "configmap/settings pruned")
	if _, err := store.Get[*corev1.ConfigMap](objects, "default", "more"); err != nil {
		t.Errorf("the other source's object: %v", err)
	}
}

// TestApplyLeavesOthersChanges: what people did to the live object stays unless the manifest
// changes just that.
func TestApplyLeavesOthersChanges(t *testing.T) {
	objects := store.New(store.Options{Kinds: store.Kubernetes()})
	a := newApplier(registry.New(registry.Options{Store: objects, NodeName: "here"}), objects)
	silent := text(deploymentText, "REPLICAS=minReadySeconds: 0", "IMAGE=one")
	applied(t, a, "f", silent)
	change := func(do func(*appsv1.Deployment)) {
		t.Helper()
		if _, err := store.Modify(objects, "default", "web", func(d *appsv1.Deployment) error { do(d); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	change(func(d *appsv1.Deployment) {
		d.Spec.Replicas = new(int32(5))
		d.Labels["theirs"] = "yes"
		d.Annotations["theirs"] = "yes"
		d.Status.Replicas = 5
	})
	check(t, "an unchanged manifest", applied(t, a, "f", silent), "deployment/web unchanged")
	check(t, "a changed one", applied(t, a, "f", text(silent, "note: one=comment: two", "image: one=image: two")), "deployment/web configured")
	d, err := store.Get[*appsv1.Deployment](objects, "default", "web")
	if err != nil {
		t.Fatal(err)
	}
	if *d.Spec.Replicas != 5 || d.Status.Replicas != 5 || d.Spec.Template.Spec.Containers[0].Image != "two" {
		t.Errorf("replicas %d, status %d, image %s: want 5, 5, two", *d.Spec.Replicas, d.Status.Replicas, d.Spec.Template.Spec.Containers[0].Image)
	}
	want := map[string]string{"theirs": "yes", "comment": "two"}
	got := map[string]string{"theirs": d.Annotations["theirs"], "comment": d.Annotations["comment"]}
	if diff := cmp.Diff(want, got); diff != "" || d.Labels["theirs"] != "yes" || d.Annotations["note"] != "" {
		t.Errorf("labels %v, annotations %v", d.Labels, d.Annotations)
	}
	check(t, "replicas said", applied(t, a, "f", text(deploymentText, "REPLICAS=replicas: 1", "IMAGE=two")), "deployment/web configured")
	if d, err = store.Get[*appsv1.Deployment](objects, "default", "web"); err != nil || *d.Spec.Replicas != 1 {
		t.Errorf("replicas = %d, %v, want 1", *d.Spec.Replicas, err)
	}
}

const serviceText = `
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80, targetPort: TARGET}], selector: {app: web}}
`

func newTestApplier() *applier {
	objects := store.New(store.Options{Kinds: store.Kubernetes()})
	return newApplier(registry.New(registry.Options{Store: objects, NodeName: "here"}), objects)
}

// modified changes a live object, as other clients do.
func modified[T store.Object](t *testing.T, a *applier, name string, change func(T)) T {
	t.Helper()
	object, err := store.Modify(a.store, "default", name, func(o T) error { change(o); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// TestApplyKeepsWhatItDidNotSay: what a server gave, what kubectl manages and what others changed
// outlives a change of another field, also where the file says something of it.
func TestApplyKeepsWhatItDidNotSay(t *testing.T) {
	a := newTestApplier()
	deployment := text(deploymentText, "REPLICAS=replicas: 2", "IMAGE=one")
	applied(t, a, "f", deployment, text(serviceText, "TARGET=http"))
	managed := []metav1.ManagedFieldsEntry{{Manager: "kubectl", Operation: "Update", APIVersion: "v1", FieldsV1: metav1.NewFieldsV1("{}")}}
	modified(t, a, "web", func(s *corev1.Service) {
		s.Spec.ClusterIP, s.Spec.ClusterIPs, s.ManagedFields = "127.0.0.5", []string{"127.0.0.5"}, managed
	})
	modified(t, a, "web", func(d *appsv1.Deployment) { d.Spec.Replicas, d.ManagedFields = new(int32(5)), managed })
	check(t, "changed files", applied(t, a, "f", text(deployment, "one=two"), text(serviceText, "TARGET=web")), "deployment/web configured", "service/web configured")
	service := modified(t, a, "web", func(*corev1.Service) {})
	if service.Spec.ClusterIP != "127.0.0.5" || service.Spec.Ports[0].TargetPort.StrVal != "web" || len(service.ManagedFields) != 1 {
		t.Errorf("Service = %+v, want its address and managed fields kept and the target changed", service)
	}
	d := modified(t, a, "web", func(*appsv1.Deployment) {})
	if *d.Spec.Replicas != 5 || d.Spec.Template.Spec.Containers[0].Image != "two" || len(d.ManagedFields) != 1 {
		t.Errorf("Deployment = %+v, want replicas and managed fields kept and the image changed", d)
	}
	check(t, "the field itself", applied(t, a, "f", text(deployment, "one=two", "replicas: 2=replicas: 3"), text(serviceText, "TARGET=web")),
		"deployment/web configured", "service/web unchanged")
	if d := modified(t, a, "web", func(*appsv1.Deployment) {}); *d.Spec.Replicas != 3 {
		t.Errorf("replicas = %d, want 3", *d.Spec.Replicas)
	}
}

// TestApplyTellsWhoseFields: a manifest that changes an object whose fields belong to clients takes
// part as probity, and makes nothing of objects of which nobody keeps the fields.
func TestApplyTellsWhoseFields(t *testing.T) {
	managed := []metav1.ManagedFieldsEntry{{Manager: "kubectl", Operation: "Update", APIVersion: "v1", FieldsV1: metav1.NewFieldsV1("{}")}}
	var asked []string
	objects := store.New(store.Options{Kinds: store.Kubernetes()})
	a := newApplier(registry.New(registry.Options{Store: objects, ManagedFields: func(w registry.FieldsWrite) []metav1.ManagedFieldsEntry {
		asked = append(asked, w.Manager+" "+w.New.GetName())
		fields := append(slices.Clone(w.Old.GetManagedFields()), managed...)
		fields[len(fields)-1].Manager = w.Manager
		return fields
	}}), objects)
	config, other := text(configText, "VALUE=a"), text(configText, "VALUE=a", "settings=other")
	applied(t, a, "f", config, other)
	modified(t, a, "settings", func(c *corev1.ConfigMap) { c.ManagedFields = managed })
	check(t, "unchanged", applied(t, a, "f", config, other), "configmap/settings unchanged", "configmap/other unchanged")
	check(t, "changed", applied(t, a, "f", text(config, "key: a=key: b"), text(other, "key: a=key: b")), "configmap/settings configured", "configmap/other configured")
	check(t, "asked", asked, "probity settings")
	got := modified(t, a, "settings", func(*corev1.ConfigMap) {}).ManagedFields
	if len(got) != 2 || got[0].Manager != "kubectl" || got[1].Manager != "probity" || managed[0].Manager != "kubectl" {
		t.Errorf("managed fields %v, want kubectl's and ours", got)
	}
	if fields := modified(t, a, "other", func(*corev1.ConfigMap) {}).ManagedFields; len(fields) > 0 {
		t.Errorf("managed fields of the other one: %v", fields)
	}
}

// TestApplyNotes: kubectl apply of the same file finds its own words, so that it says unchanged and
// does not warn.
func TestApplyNotes(t *testing.T) {
	a := newTestApplier()
	const want = `{"apiVersion":"v1","data":{"key":"a"},"kind":"ConfigMap","metadata":{"annotations":{},"name":"settings","namespace":"default"}}` + "\n"
	applied(t, a, "f", text(configText, "VALUE=a"), text(podText, "IMAGE=one"))
	config := modified(t, a, "settings", func(*corev1.ConfigMap) {})
	if got := config.Annotations[corev1.LastAppliedConfigAnnotation]; got != want {
		t.Errorf("noted %q\nwant  %q", got, want)
	}
	applied(t, a, "f", text(configText, "VALUE=b"), text(podText, "IMAGE=one"))
	config = modified(t, a, "settings", func(*corev1.ConfigMap) {})
	if got := config.Annotations[corev1.LastAppliedConfigAnnotation]; got != strings.Replace(want, `"a"`, `"b"`, 1) {
		t.Errorf("after a change noted %q", got)
	}
	// said in other words, a Pod is not replaced
	check(t, "a default said", applied(t, a, "f", text(configText, "VALUE=b"), text(podText, "IMAGE=one", "spec: {=spec: {restartPolicy: Always, ")),
		"configmap/settings unchanged", "pod/job configured")
	pod := modified(t, a, "job", func(*corev1.Pod) {})
	if got := pod.Annotations[corev1.LastAppliedConfigAnnotation]; !strings.Contains(got, `"restartPolicy":"Always"`) {
		t.Errorf("of the Pod noted %q", got)
	}
}

// TestApplyAfterKubectl: what kubectl applied is where a file goes on that was never read before.
// TestApplyOfLargeObjects: what is too large to be noted on its object is applied all the same, and
// changed.
func TestApplyOfLargeObjects(t *testing.T) {
	objects := store.New(store.Options{Kinds: store.Kubernetes()})
	a := newApplier(registry.New(registry.Options{Store: objects, NodeName: "here"}), objects)
	large := strings.Repeat("x", validation.TotalAnnotationSizeLimitB)
	for _, step := range []struct{ value, verb string }{{"small", "created"}, {large, "configured"}, {large, "unchanged"}, {large + "y", "configured"}, {"small", "configured"}} {
		check(t, "lines", applied(t, a, "one", text(configText, "VALUE="+step.value)), "configmap/settings "+step.verb)
		live, err := store.Get[*corev1.ConfigMap](objects, "default", "settings")
		if err != nil || live.Data["key"] != step.value {
			t.Fatalf("%s: %d bytes, %v, want %d", step.verb, len(live.Data["key"]), err, len(step.value))
		}
		if _, noted := live.Annotations[corev1.LastAppliedConfigAnnotation]; noted != (step.value == "small") {
			t.Errorf("%d bytes are noted: %v", len(step.value), noted)
		}
	}
}

func TestApplyAfterKubectl(t *testing.T) {
	first := newTestApplier()
	applied(t, first, "f", text(configText, "VALUE=a"), text(podText, "IMAGE=one"))
	modified(t, first, "settings", func(c *corev1.ConfigMap) { c.Data["theirs"] = "x" })
	a := newApplier(first.registry, first.store) // knows of nothing
	check(t, "the same", applied(t, a, "f", text(configText, "VALUE=a"), text(podText, "IMAGE=one")), "configmap/settings unchanged", "pod/job unchanged")
	a = newApplier(first.registry, first.store)
	check(t, "less", applied(t, a, "f", text(configText, "key: VALUE=other: b")), "configmap/settings configured")
	if got := modified(t, a, "settings", func(*corev1.ConfigMap) {}).Data; len(got) != 2 || got["theirs"] != "x" || got["other"] != "b" {
		t.Errorf("data = %v, want theirs and the new key, and the old one gone", got)
	}
	modified(t, a, "settings", func(c *corev1.ConfigMap) { delete(c.Annotations, corev1.LastAppliedConfigAnnotation) })
	a = newApplier(first.registry, first.store)
	check(t, "what nobody applied", applied(t, a, "f", text(configText, "VALUE=a")), "configmap/settings configured")
	if got := modified(t, a, "settings", func(*corev1.ConfigMap) {}).Data; len(got) != 3 {
		t.Errorf("data = %v, want all of it", got)
	}
	modified(t, a, "settings", func(c *corev1.ConfigMap) { c.Annotations[corev1.LastAppliedConfigAnnotation] = "{" })
	a = newApplier(first.registry, first.store)
	if _, err := a.apply("f", parsed(t, text(configText, "VALUE=b")), true); err == nil || !strings.Contains(err.Error(), "applied last") {
		t.Errorf("a broken note: %v, want an error that says so", err)
	}
}

// TestApplyReplacesPods: a bare Pod cannot be changed; the new one starts when the old one is gone.
func TestApplyReplacesPods(t *testing.T) {
	objects := store.New(store.Options{Kinds: store.Kubernetes()})
	a := newApplier(registry.New(registry.Options{Store: objects, NodeName: "here"}), objects)
	applied(t, a, "f", text(podText, "IMAGE=one"))
	check(t, "again", applied(t, a, "f", text(podText, "IMAGE=one")), "pod/job unchanged")
	check(t, "a changed one", applied(t, a, "f", text(podText, "IMAGE=two")), "pod/job replaced")
	images := func() (images []string) {
		pods, _ := store.List[*corev1.Pod](objects, store.Selector{})
		for _, pod := range pods {
			images = append(images, pod.Spec.Containers[0].Image)
		}
		return images
	}
	if err := a.resume(); err != nil || !slices.Equal(images(), []string{"one"}) {
		t.Fatalf("while the old Pod ends: %v, %v, want it alone", images(), err)
	}
	if err := store.Delete[*corev1.Pod](objects, "default", "job", store.DeleteOptions{Grace: new(int64(0))}); err != nil {
		t.Fatal(err)
	}
	if err := a.resume(); err != nil || !slices.Equal(images(), []string{"two"}) || len(a.waiting) != 0 {
		t.Errorf("when it is gone: %v, %v, want the new one", images(), err)
	}
}

// TestApplyOfOneFile: a file of several that a run was started with changes no more than it says.
func TestApplyOfOneFile(t *testing.T) {
	objects := store.New(store.Options{Kinds: store.Kubernetes()})
	a := newApplier(registry.New(registry.Options{Store: objects, NodeName: "here"}), objects)
	applied(t, a, "f\x00g", text(podText, "IMAGE=one"), text(configText, "VALUE=a"))
	check(t, "one of them", applied(t, a, "f", text(podText, "IMAGE=one")), "pod/job unchanged")
}

// TestApplyOfManyFiles: each file goes on from what was applied last, whichever file that was.
func TestApplyOfManyFiles(t *testing.T) {
	a := newTestApplier()
	for i, value := range []string{"a", "b", "a", "c", "a"} {
		applied(t, a, string(rune('a'+i)), text(configText, "VALUE="+value))
		if got := modified(t, a, "settings", func(*corev1.ConfigMap) {}).Data["key"]; got != value {
			t.Errorf("file %d: %q, want %q", i, got, value)
		}
	}
}

// TestApplyAfterARefusal: what was refused was not applied. It is refused again, and what is saved
// then is compared with what was applied before.
func TestApplyAfterARefusal(t *testing.T) {
	a := newTestApplier()
	good := text(deploymentText, "REPLICAS=replicas: 2", "IMAGE=one")
	bad := text(good, "app: web}=app: other}", "one}=two}", "image: one=image: two")
	applied(t, a, "f", good)
	for range 2 {
		if _, err := a.apply("f", parsed(t, bad), true); err == nil || !strings.Contains(err.Error(), "field is immutable") {
			t.Fatalf("a changed selector: %v", err)
		}
	}
	applied(t, a, "f", text(good, "image: one=image: two"))
	if got := modified(t, a, "web", func(*appsv1.Deployment) {}).Spec.Template.Spec.Containers[0].Image; got != "two" {
		t.Errorf("image %q, want what the file says", got)
	}
	check(t, "another object", applied(t, a, "f", text(configText, "VALUE=a")), "configmap/settings created", "deployment/web pruned")
}
