//go:build kubectl

package kubectl

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	appliedcorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"
)

// idle is a Deployment without Pods.
func idle(name string) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: appsv1.DeploymentSpec{
		Replicas: new(int32(0)), Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "web", Image: "example.com/web:1", Command: []string{"web"}, Env: []corev1.EnvVar{{Name: "A", Value: "1"}}}},
		}},
	}}
}

// TestPatch: each kind of patch, and what each makes of a list.
func TestPatch(t *testing.T) {
	c := connect(t)
	deployments := c.typed.AppsV1().Deployments(c.namespace)
	of := func(container string) string {
		return `{"spec":{"template":{"spec":{"containers":[` + container + `]}}}}`
	}
	tests := map[string]struct {
		form  types.PatchType
		patch string
		want  []string // containers with their environment
	}{
		"json":      {types.JSONPatchType, `[{"op":"add","path":"/spec/template/spec/containers/-","value":{"name":"b","image":"b","command":["web"]}}]`, []string{"web A=1", "b"}},
		"merge":     {types.MergePatchType, of(`{"name":"b","image":"b","command":["web"]}`), []string{"b"}},
		"strategic": {types.StrategicMergePatchType, of(`{"name":"b","image":"b","command":["web"]},{"name":"web","env":[{"name":"B","value":"2"}]}`), []string{"b", "web B=2 A=1"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			must(deployments.Create(t.Context(), idle(name), metav1.CreateOptions{}))(t)
			patched := must(deployments.Patch(t.Context(), name, test.form, []byte(test.patch), metav1.PatchOptions{}))(t)
			var got []string
			for _, container := range patched.Spec.Template.Spec.Containers {
				words := []string{container.Name}
				for _, v := range container.Env {
					words = append(words, v.Name+"="+v.Value)
				}
				got = append(got, strings.Join(words, " "))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("containers (-want +got):\n%s", diff)
			}
			again := must(deployments.Patch(t.Context(), name, types.MergePatchType, []byte("{}"), metav1.PatchOptions{}))(t)
			if again.Generation != patched.Generation {
				t.Errorf("a patch of nothing raises the generation from %d to %d", patched.Generation, again.Generation)
			}
		})
	}
	for name, bad := range map[string]struct {
		form  types.PatchType
		patch string
		is    func(error) bool
	}{
		"a test that fails":  {types.JSONPatchType, `[{"op":"test","path":"/spec/replicas","value":9}]`, apierrors.IsInvalid},
		"a path of nothing":  {types.JSONPatchType, `[{"op":"replace","path":"/spec/nope/more","value":9}]`, apierrors.IsInvalid},
		"no patch":           {types.JSONPatchType, `{}`, apierrors.IsBadRequest},
		"a wrong type":       {types.MergePatchType, `{"spec":{"replicas":"many"}}`, func(err error) bool { return apierrors.IsBadRequest(err) || apierrors.IsInvalid(err) }},
		"a wrong value":      {types.MergePatchType, `{"spec":{"replicas":-1}}`, apierrors.IsInvalid},
		"another version":    {types.MergePatchType, `{"metadata":{"resourceVersion":"1","labels":{"a":"b"}}}`, apierrors.IsConflict},
		"another name":       {types.MergePatchType, `{"metadata":{"name":"other"}}`, func(err error) bool { return apierrors.IsBadRequest(err) || apierrors.IsInvalid(err) }},
		"what is immutable":  {types.MergePatchType, `{"spec":{"selector":{"matchLabels":{"app":"x"}}}}`, apierrors.IsInvalid},
		"a directive of its": {types.StrategicMergePatchType, `{"$patch":"nonsense"}`, func(err error) bool { return err != nil }},
	} {
		if _, err := deployments.Patch(t.Context(), "json", bad.form, []byte(bad.patch), metav1.PatchOptions{}); !bad.is(err) {
			t.Errorf("%s: %v (%s)", name, err, apierrors.ReasonForError(err))
		}
	}
}

// TestConflict: who has read an older version does not overwrite a newer one; who names none does.
func TestConflict(t *testing.T) {
	c := connect(t)
	configMaps := c.typed.CoreV1().ConfigMaps(c.namespace)
	old := c.newConfigMap(t, "a", "1")
	must(configMaps.Update(t.Context(), configMap("a", "2"), metav1.UpdateOptions{}))(t)
	old.Data["value"] = "3"
	if _, err := configMaps.Update(t.Context(), old, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		t.Errorf("an update of an old version: %v, want Conflict", err)
	}
	other := configMap("a", "3")
	other.UID = "another"
	if _, err := configMaps.Update(t.Context(), other, metav1.UpdateOptions{}); !apierrors.IsConflict(err) && !apierrors.IsInvalid(err) {
		t.Errorf("an update of another object: %v, want Conflict", err)
	}

	// Many that count up together lose nothing.
	var running sync.WaitGroup
	for range 5 {
		running.Go(func() {
			for range 5 {
				err := retry.RetryOnConflict(wait.Backoff{Steps: 100, Duration: 10 * time.Millisecond, Jitter: 1}, func() error {
					o, err := configMaps.Get(t.Context(), "a", metav1.GetOptions{})
					if err != nil {
						return err
					}
					o.Data["count"] += "x"
					_, err = configMaps.Update(t.Context(), o, metav1.UpdateOptions{})
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	if got := must(configMaps.Get(t.Context(), "a", metav1.GetOptions{}))(t).Data["count"]; len(got) != 25 {
		t.Errorf("25 increments came to %d", len(got))
	}
}

// TestDelete: with conditions, with a dry run, with what it answers.
func TestDelete(t *testing.T) {
	c := connect(t)
	configMaps := c.typed.CoreV1().ConfigMaps(c.namespace)
	made := c.newConfigMap(t, "a", "1")
	for name, preconditions := range map[string]*metav1.Preconditions{
		"another UID":     {UID: new(types.UID("another"))},
		"another version": {ResourceVersion: new("1")},
	} {
		if err := configMaps.Delete(t.Context(), "a", metav1.DeleteOptions{Preconditions: preconditions}); !apierrors.IsConflict(err) {
			t.Errorf("%s: %v, want Conflict", name, err)
		}
	}
	right := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &made.UID, ResourceVersion: &made.ResourceVersion}}
	var answer metav1.Status
	if err := c.typed.CoreV1().RESTClient().Delete().Namespace(c.namespace).Resource("configmaps").Name("a").Body(&right).Do(t.Context()).Into(&answer); err != nil {
		t.Fatal(err)
	}
	want := &metav1.StatusDetails{Name: "a", Kind: "configmaps", UID: made.UID}
	if diff := cmp.Diff(want, answer.Details); diff != "" || answer.Status != metav1.StatusSuccess {
		t.Errorf("the answer is %s, details (-want +got):\n%s", answer.Status, diff)
	}
	if err := configMaps.Delete(t.Context(), "a", metav1.DeleteOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("once more: %v, want NotFound", err)
	}

	for i := range 4 {
		c.newConfigMap(t, fmt.Sprintf("c%d", i), fmt.Sprint(i%2))
	}
	if err := configMaps.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "value=1"}); err != nil {
		t.Fatal(err)
	}
	left := must(configMaps.List(t.Context(), metav1.ListOptions{LabelSelector: "value"}))(t)
	if len(left.Items) != 2 {
		t.Errorf("%d objects are left of the collection, want 2", len(left.Items))
	}
}

// TestNoChange: a write that changes nothing is none: the same version, and nobody is woken.
func TestNoChange(t *testing.T) {
	c := connect(t)
	configMaps := c.typed.CoreV1().ConfigMaps(c.namespace)
	made := c.newConfigMap(t, "a", "1")
	w := must(configMaps.Watch(t.Context(), metav1.ListOptions{ResourceVersion: made.ResourceVersion, LabelSelector: "value"}))(t)
	defer w.Stop()
	for name, write := range map[string]func() (*corev1.ConfigMap, error){
		"an update": func() (*corev1.ConfigMap, error) {
			return configMaps.Update(t.Context(), configMap("a", "1"), metav1.UpdateOptions{})
		},
		"a patch": func() (*corev1.ConfigMap, error) {
			return configMaps.Patch(t.Context(), "a", types.MergePatchType, []byte(`{"data":{"value":"1"}}`), metav1.PatchOptions{})
		},
	} {
		if got, err := write(); err != nil || got.ResourceVersion != made.ResourceVersion {
			t.Errorf("%s that changes nothing makes version %s of %s: %v", name, got.ResourceVersion, made.ResourceVersion, err)
		}
	}
	must(configMaps.Update(t.Context(), configMap("a", "2"), metav1.UpdateOptions{}))(t)
	if event := <-w.ResultChan(); event.Object.(*corev1.ConfigMap).Data["value"] != "2" {
		t.Errorf("the first event is %v, want the change", event)
	}
}

// TestStatus: the object and its status are written apart, and only a change of the spec is a new
// generation.
func TestStatus(t *testing.T) {
	c := connect(t)
	services := c.typed.CoreV1().Services(c.namespace)
	service := must(services.Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, Ports: []corev1.ServicePort{{Port: 80}}},
		Status: corev1.ServiceStatus{Conditions: []metav1.Condition{{Type: "Given"}}},
	}, metav1.CreateOptions{}))(t)
	if len(service.Status.Conditions) > 0 {
		t.Errorf("a new object has the status %v of its maker", service.Status)
	}
	service.Spec.Ports[0].Port = 81
	service.Status.Conditions = []metav1.Condition{{Type: "Seen", Status: "True", Reason: "Test", LastTransitionTime: metav1.Now()}}
	service = must(services.UpdateStatus(t.Context(), service, metav1.UpdateOptions{}))(t)
	if service.Spec.Ports[0].Port != 80 || len(service.Status.Conditions) != 1 {
		t.Errorf("a write of the status makes the port %d and the status %v", service.Spec.Ports[0].Port, service.Status)
	}
	service.Spec.Ports[0].Port = 82
	service.Status = corev1.ServiceStatus{}
	service = must(services.Update(t.Context(), service, metav1.UpdateOptions{}))(t)
	if service.Spec.Ports[0].Port != 82 || len(service.Status.Conditions) != 1 {
		t.Errorf("a write of the object makes the port %d and the status %v", service.Spec.Ports[0].Port, service.Status)
	}

	deployments := c.typed.AppsV1().Deployments(c.namespace)
	deployment := must(deployments.Create(t.Context(), idle("idle"), metav1.CreateOptions{}))(t)
	change := func(patch string) int64 {
		t.Helper()
		return must(deployments.Patch(t.Context(), "idle", types.MergePatchType, []byte(patch), metav1.PatchOptions{}))(t).Generation
	}
	got := []int64{deployment.Generation, change(`{"metadata":{"labels":{"a":"b"}}}`), change(`{"spec":{"minReadySeconds":1}}`), change(`{"spec":{"minReadySeconds":1}}`)}
	if want := []int64{1, 1, 2, 2}; !slices.Equal(got, want) {
		t.Errorf("generations %v, want %v", got, want)
	}
}

// TestDryRun: no verb keeps anything of a dry run.
func TestDryRun(t *testing.T) {
	c := connect(t)
	configMaps := c.typed.CoreV1().ConfigMaps(c.namespace)
	c.newConfigMap(t, "a", "1")
	all := []string{metav1.DryRunAll}
	before := must(configMaps.List(t.Context(), metav1.ListOptions{LabelSelector: "value"}))(t).Items
	dry := map[string]func() error{
		"create": func() error {
			_, err := configMaps.Create(t.Context(), configMap("b", "1"), metav1.CreateOptions{DryRun: all})
			return err
		},
		"update": func() error {
			_, err := configMaps.Update(t.Context(), configMap("a", "2"), metav1.UpdateOptions{DryRun: all})
			return err
		},
		"patch": func() error {
			_, err := configMaps.Patch(t.Context(), "a", types.MergePatchType, []byte(`{"data":{"value":"2"}}`), metav1.PatchOptions{DryRun: all})
			return err
		},
		"apply": func() error {
			_, err := configMaps.Apply(t.Context(), appliedcorev1.ConfigMap("c", c.namespace).WithLabels(map[string]string{"value": "1"}), metav1.ApplyOptions{DryRun: all, FieldManager: "test"})
			return err
		},
		"delete": func() error { return configMaps.Delete(t.Context(), "a", metav1.DeleteOptions{DryRun: all}) },
		"deletecollection": func() error {
			return configMaps.DeleteCollection(t.Context(), metav1.DeleteOptions{DryRun: all}, metav1.ListOptions{LabelSelector: "value"})
		},
	}
	for _, verb := range slices.Sorted(maps.Keys(dry)) {
		if err := dry[verb](); err != nil {
			t.Errorf("%s: %v", verb, err)
		}
		after := must(configMaps.List(t.Context(), metav1.ListOptions{LabelSelector: "value"}))(t).Items
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("a dry %s has changed (-before +after):\n%s", verb, diff)
		}
	}
	if err := configMaps.Delete(t.Context(), "a", metav1.DeleteOptions{DryRun: []string{"Some"}}); !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) {
		t.Errorf("a dry run of some kind: %v, want Invalid", err)
	}
}

// TestApply: fields have managers, and what one does not name any more goes.
func TestApply(t *testing.T) {
	c := connect(t)
	configMaps := c.typed.CoreV1().ConfigMaps(c.namespace)
	apply := func(manager string, force bool, data map[string]string) (*corev1.ConfigMap, error) {
		return configMaps.Apply(t.Context(), appliedcorev1.ConfigMap("a", c.namespace).WithData(data), metav1.ApplyOptions{FieldManager: manager, Force: force})
	}
	first := must(apply("one", false, map[string]string{"a": "1", "b": "1"}))(t)
	if same := must(apply("one", false, map[string]string{"a": "1", "b": "1"}))(t); same.ResourceVersion != first.ResourceVersion {
		t.Errorf("what is applied again makes version %s of %s", same.ResourceVersion, first.ResourceVersion)
	}
	_, err := apply("two", false, map[string]string{"a": "2"})
	if !apierrors.IsConflict(err) {
		t.Fatalf("another value: %v, want Conflict", err)
	}
	causes := err.(apierrors.APIStatus).Status().Details.Causes
	want := []metav1.StatusCause{{Type: metav1.CauseTypeFieldManagerConflict, Message: `conflict with "one"`, Field: ".data.a"}}
	if diff := cmp.Diff(want, causes); diff != "" {
		t.Errorf("causes (-want +got):\n%s", diff)
	}
	must(apply("two", true, map[string]string{"a": "2"}))(t)
	left := must(apply("one", false, nil))(t)
	if diff := cmp.Diff(map[string]string{"a": "2"}, left.Data); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if len(left.ManagedFields) != 1 || left.ManagedFields[0].Manager != "two" || left.ManagedFields[0].Operation != metav1.ManagedFieldsOperationApply {
		t.Errorf("managers %v, want two alone", left.ManagedFields)
	}
	if _, err := apply("", false, nil); err == nil {
		t.Error("an apply without a manager is taken")
	}
	patch := []byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","managedFields":[{"manager":"x","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{}}]}}`)
	if _, err := configMaps.Patch(t.Context(), "a", types.ApplyPatchType, patch, metav1.PatchOptions{FieldManager: "x"}); !apierrors.IsBadRequest(err) {
		t.Errorf("an apply of managed fields: %v, want BadRequest", err)
	}
}

// TestFieldValidation: an unknown field and one that is there twice are refused, warned of, or let
// through.
func TestFieldValidation(t *testing.T) {
	c := connect(t)
	var mu sync.Mutex
	var warnings []string
	config := rest.CopyConfig(c.config)
	config.WarningHandler = warner(func(text string) {
		mu.Lock()
		defer mu.Unlock()
		warnings = append(warnings, text)
	})
	typed := must(kubernetes.NewForConfig(config))(t)
	const body = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"1","a":"2"},"nope":1}`
	for _, test := range []struct {
		directive string
		refused   bool
		warnings  []string
	}{
		{"Strict", true, nil},
		{"Warn", false, []string{`duplicate field "data.a"`, `unknown field "nope"`}},
		{"", false, []string{`duplicate field "data.a"`, `unknown field "nope"`}},
		{"Ignore", false, nil},
	} {
		warnings = nil
		err := typed.CoreV1().RESTClient().Post().Namespace(c.namespace).Resource("configmaps").Param("dryRun", "All").Param("fieldValidation", test.directive).
			SetHeader("Content-Type", "application/json").Body([]byte(body)).Do(t.Context()).Error()
		if test.refused != apierrors.IsBadRequest(err) || test.refused != strings.Contains(fmt.Sprint(err), `strict decoding error: duplicate field "data.a", unknown field "nope"`) {
			t.Errorf("%q: %v", test.directive, err)
		}
		if diff := cmp.Diff(test.warnings, slices.Sorted(slices.Values(warnings))); diff != "" {
			t.Errorf("warnings with %q (-want +got):\n%s", test.directive, diff)
		}
	}
}

type warner func(text string)

func (w warner) HandleWarningHeader(code int, agent, text string) { w(text) }

// TestEvents: the two groups have the same Events.
func TestEvents(t *testing.T) {
	c := connect(t)
	made := must(c.typed.CoreV1().Events(c.namespace).Create(t.Context(), &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test."}, InvolvedObject: corev1.ObjectReference{Kind: "ConfigMap", Namespace: c.namespace, Name: "a"},
		Reason: "Tested", Message: "It is tested", Type: corev1.EventTypeNormal, Source: corev1.EventSource{Component: "test"},
		FirstTimestamp: metav1.Now(), LastTimestamp: metav1.Now(), Count: 1,
	}, metav1.CreateOptions{}))(t)
	seen := must(c.typed.EventsV1().Events(c.namespace).Get(t.Context(), made.Name, metav1.GetOptions{}))(t)
	if seen.Regarding.Name != "a" || seen.Note != "It is tested" || seen.DeprecatedCount != 1 || seen.DeprecatedSource.Component != "test" || seen.ResourceVersion != made.ResourceVersion {
		t.Errorf("through events.k8s.io it is %v", seen)
	}
	patched := must(c.typed.CoreV1().Events(c.namespace).Patch(t.Context(), made.Name, types.StrategicMergePatchType, []byte(`{"count":2}`), metav1.PatchOptions{}))(t)
	list := must(c.typed.EventsV1().Events(c.namespace).List(t.Context(), metav1.ListOptions{FieldSelector: "regarding.name=a,reason=Tested"}))(t)
	if len(list.Items) != 1 || list.Items[0].DeprecatedCount != 2 || patched.Count != 2 {
		t.Errorf("the list is %v", list.Items)
	}
}
