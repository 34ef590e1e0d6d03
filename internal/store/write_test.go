package store

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A cluster counts the generations of workloads and EndpointSlices, and of nothing else here.
func TestGeneration(t *testing.T) {
	meta := metav1.ObjectMeta{Namespace: "default", Name: "a"}
	label := func(o Object) { o.SetLabels(map[string]string{"a": "b"}) }
	for name, tt := range map[string]struct {
		object                    Object
		spec                      func(Object)
		created, inSpec, labelled int64
	}{
		"Pod":           {&corev1.Pod{ObjectMeta: meta}, func(o Object) { o.(*corev1.Pod).Spec.NodeName = "n" }, 1, 2, 1},
		"Deployment":    {&appsv1.Deployment{ObjectMeta: meta}, func(o Object) { o.(*appsv1.Deployment).Spec.Paused = true }, 1, 2, 1},
		"EndpointSlice": {&discoveryv1.EndpointSlice{ObjectMeta: meta}, func(o Object) { o.(*discoveryv1.EndpointSlice).AddressType = "IPv4" }, 1, 2, 2},
		"Service":       {&corev1.Service{ObjectMeta: meta}, func(o Object) { o.(*corev1.Service).Spec.Type = "NodePort" }, 0, 0, 0},
		"Node":          {&corev1.Node{ObjectMeta: meta}, func(o Object) { o.(*corev1.Node).Spec.Unschedulable = true }, 0, 0, 0},
		"Namespace":     {&corev1.Namespace{ObjectMeta: meta}, func(o Object) { o.(*corev1.Namespace).Spec.Finalizers = []corev1.FinalizerName{"a"} }, 0, 0, 0},
		"Lease":         {&coordinationv1.Lease{ObjectMeta: meta}, func(o Object) { o.(*coordinationv1.Lease).Spec.HolderIdentity = new("me") }, 0, 0, 0},
		"ConfigMap":     {&corev1.ConfigMap{ObjectMeta: meta}, func(o Object) { o.(*corev1.ConfigMap).Data = map[string]string{"a": "b"} }, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for what, step := range map[string]struct {
				change func(Object)
				want   int64
			}{
				"nothing":      {func(Object) {}, tt.created},
				"its spec":     {tt.spec, tt.inSpec},
				"a label":      {label, tt.labelled},
				"annotations":  {func(o Object) { o.SetAnnotations(map[string]string{"a": "b"}) }, tt.created},
				"its own idea": {func(o Object) { o.SetGeneration(7) }, tt.created},
			} {
				s := newStore(t, Options{})
				create(t, s, tt.object)
				if got := must[Object](t)(s.ModifyObject(tt.object, func(o Object) error { step.change(o); return nil })).GetGeneration(); got != step.want {
					t.Errorf("after a change of %s: generation %d, want %d", what, got, step.want)
				}
			}
		})
	}
}

// A write that says the same again, only at another time, changes nothing; one that says more keeps
// its time.
func TestTimesOfManagedFields(t *testing.T) {
	s := newStore(t, Options{})
	fields := func(at time.Time) []metav1.ManagedFieldsEntry {
		return []metav1.ManagedFieldsEntry{{Manager: "kubectl", Operation: "Apply", Time: new(metav1.NewTime(at)), FieldsV1: metav1.NewFieldsV1("{}")}}
	}
	pod := create(t, s, newPod("web", func(p *corev1.Pod) { p.ManagedFields = fields(start) }))
	later := start.Add(time.Hour)
	again := must[*corev1.Pod](t)(Modify(s, "default", "web", func(p *corev1.Pod) error { p.ManagedFields = fields(later); return nil }))
	if again.ResourceVersion != pod.ResourceVersion {
		t.Errorf("the time alone moved the version from %s to %s", pod.ResourceVersion, again.ResourceVersion)
	}
	more := must[*corev1.Pod](t)(Modify(s, "default", "web", func(p *corev1.Pod) error { p.ManagedFields, p.Spec.NodeName = fields(later), "n"; return nil }))
	if more.ResourceVersion == pod.ResourceVersion || !more.ManagedFields[0].Time.Time.Equal(later) {
		t.Errorf("a change: version %s, managed fields %v, want a new one, %v", more.ResourceVersion, more.ManagedFields, later)
	}
}

// Who makes an object anew learns whether the old one is about to go.
func TestCreateWhatExists(t *testing.T) {
	s := newStore(t, Options{})
	create(t, s, newPod("web", onNode))
	for _, want := range []string{`pods "web" already exists`, `object is being deleted: pods "web" already exists`} {
		if _, err := Create(s, newPod("web")); !apierrors.IsAlreadyExists(err) || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		if err := Delete[*corev1.Pod](s, "default", "web", DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUpdateKeepsTheStatus(t *testing.T) {
	s := newStore(t, Options{})
	create(t, s, newPod("web", func(p *corev1.Pod) { p.Status.Phase = corev1.PodRunning }))
	for _, opts := range [][]WriteOption{{KeepStatus, DryRun}, {KeepStatus}} {
		pod := must[*corev1.Pod](t)(Update(s, newPod("web", func(p *corev1.Pod) { p.Spec.NodeName, p.Status.Phase = "n", corev1.PodFailed }), opts...))
		if pod.Status.Phase != corev1.PodRunning || pod.Spec.NodeName != "n" {
			t.Errorf("Pod = %+v, want its status kept", pod)
		}
	}
	config := create(t, s, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "c"}}) // has none
	config = config.DeepCopy()
	config.Data = map[string]string{"a": "b"}
	if got := must[*corev1.ConfigMap](t)(Update(s, config, KeepStatus)); got.Data["a"] != "b" {
		t.Errorf("ConfigMap = %v, want it updated", got)
	}
}
