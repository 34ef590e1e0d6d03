package registry

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/store"
)

// made creates an object as a client does.
func made[T store.Object](t *testing.T, r *Registry, object T) T {
	t.Helper()
	created, err := r.CreateObject(object, WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return created.(T)
}

// TestCreateInNamespace: what is made needs a Namespace that is there and stays, and learns of that
// before anything else.
func TestCreateInNamespace(t *testing.T) {
	r := newRegistry(Options{NodeName: "here"})
	inNamespace := func(name string, change ...func(*corev1.Pod)) *corev1.Pod {
		return pod(append(change, func(p *corev1.Pod) { p.Namespace = name })...)
	}
	made(t, r, namespace("going"))
	made(t, r, inNamespace("going"))
	if _, gone, err := r.DeleteObject(namespace("going"), metav1.DeleteOptions{}); gone || err != nil {
		t.Fatalf("gone: %v, %v, want it to wait for its Pod", gone, err)
	}
	bad := func(p *corev1.Pod) { p.TypeMeta, p.Spec.Containers[0].Image = metav1.TypeMeta{}, "" } // as protobuf has it
	made(t, r, pod())
	for name, test := range map[string]struct {
		pod  *corev1.Pod
		want func(error) bool
		text string
	}{
		"missing":                    {inNamespace("x"), apierrors.IsNotFound, `namespaces "x" not found`},
		"missing, and a bad Pod":     {inNamespace("x", bad), apierrors.IsNotFound, `namespaces "x" not found`},
		"going":                      {inNamespace("going"), apierrors.IsForbidden, `pods "web" is forbidden: unable to create new content in namespace going because it is being terminated`},
		"there, and a bad Pod twice": {inNamespace("default", bad), apierrors.IsInvalid, `Pod "web" is invalid: spec.containers[0].image`},
		"there twice":                {inNamespace("default"), apierrors.IsAlreadyExists, `pods "web" already exists`},
	} {
		for _, dryRun := range []bool{true, false} {
			got, err := r.CreateObject(test.pod, WriteOptions{DryRun: dryRun})
			if got != nil || !test.want(err) || !strings.HasPrefix(err.Error(), test.text) {
				t.Errorf("%s: %v, %v, want %s", name, got, err, test.text)
			}
			if test.text[:4] == "pods" && apierrors.IsForbidden(err) != apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
				t.Errorf("%s: %v has not the cause", name, err)
			}
		}
	}
}

// TestNamespaceGoesMeanwhile: nothing gets into a Namespace that goes while it is checked.
func TestNamespaceGoesMeanwhile(t *testing.T) {
	var r *Registry
	r = newRegistry(Options{Admit: func(*corev1.Pod) error {
		_, _, err := r.DeleteObject(namespace("team"), metav1.DeleteOptions{})
		return err
	}})
	made(t, r, namespace("team"))
	if got, err := r.CreateObject(pod(func(p *corev1.Pod) { p.Namespace = "team" }), WriteOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("%v, %v, want NotFound", got, err)
	}
}

// TestWritesOfKinds: a creation clears the status, an update keeps it, a write of the status keeps
// the rest; and each kind counts its generations as on a cluster.
func TestWritesOfKinds(t *testing.T) {
	meta := metav1.ObjectMeta{Name: "a", Generation: 7}
	labels := map[string]string{"app": "web"}
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod().Spec}
	selector := &metav1.LabelSelector{MatchLabels: labels}
	for _, test := range []struct {
		object        store.Object
		spec, status  func(store.Object) // change it
		hasStatus     func(store.Object) bool
		first, second int64 // generations, before and after a change of the spec
	}{
		{
			&corev1.Pod{ObjectMeta: meta, Spec: pod().Spec},
			func(o store.Object) { o.(*corev1.Pod).Spec.Containers[0].Image = "other" }, func(o store.Object) { o.(*corev1.Pod).Status.Message = "x" },
			func(o store.Object) bool { return o.(*corev1.Pod).Status.Message == "x" }, 1, 2,
		},
		{
			&appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Selector: selector, Template: template}},
			func(o store.Object) { o.(*appsv1.Deployment).Spec.Paused = true }, func(o store.Object) { o.(*appsv1.Deployment).Status.Replicas = 3 },
			func(o store.Object) bool { return o.(*appsv1.Deployment).Status.Replicas == 3 }, 1, 2,
		},
		{
			&appsv1.ReplicaSet{ObjectMeta: meta, Spec: appsv1.ReplicaSetSpec{Selector: selector, Template: template}},
			func(o store.Object) { o.(*appsv1.ReplicaSet).Spec.MinReadySeconds = 2 }, func(o store.Object) { o.(*appsv1.ReplicaSet).Status.Replicas = 3 },
			func(o store.Object) bool { return o.(*appsv1.ReplicaSet).Status.Replicas == 3 }, 1, 2,
		},
		{
			&appsv1.StatefulSet{ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{Selector: selector, Template: template}},
			func(o store.Object) { o.(*appsv1.StatefulSet).Spec.MinReadySeconds = 2 }, func(o store.Object) { o.(*appsv1.StatefulSet).Status.Replicas = 3 },
			func(o store.Object) bool { return o.(*appsv1.StatefulSet).Status.Replicas == 3 }, 1, 2,
		},
		{
			&corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Type: "LoadBalancer", Ports: []corev1.ServicePort{{Port: 80}}}},
			func(o store.Object) { o.(*corev1.Service).Spec.Ports[0].Port = 81 },
			func(o store.Object) {
				o.(*corev1.Service).Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "127.0.0.1"}}
			},
			func(o store.Object) bool { return len(o.(*corev1.Service).Status.LoadBalancer.Ingress) == 1 }, 0, 0,
		},
		{
			&corev1.Namespace{ObjectMeta: meta}, func(o store.Object) { o.SetAnnotations(labels) },
			func(o store.Object) { o.(*corev1.Namespace).Status.Conditions = []corev1.NamespaceCondition{{}} },
			func(o store.Object) bool { return len(o.(*corev1.Namespace).Status.Conditions) == 1 }, 0, 0,
		},
		{&corev1.Node{ObjectMeta: meta}, func(o store.Object) { o.(*corev1.Node).Spec.Unschedulable = true }, nil, nil, 0, 0},
		{&corev1.ConfigMap{ObjectMeta: meta}, func(o store.Object) { o.(*corev1.ConfigMap).Data = labels }, nil, nil, 0, 0},
		{&corev1.Secret{ObjectMeta: meta}, func(o store.Object) { o.(*corev1.Secret).StringData = labels }, nil, nil, 0, 0},
		{&coordinationv1.Lease{ObjectMeta: meta}, func(o store.Object) { o.(*coordinationv1.Lease).Spec.HolderIdentity = new("me") }, nil, nil, 0, 0},
		{
			&discoveryv1.EndpointSlice{ObjectMeta: meta, AddressType: "IPv4"},
			func(o store.Object) {
				o.(*discoveryv1.EndpointSlice).Endpoints = []discoveryv1.Endpoint{{Addresses: []string{"127.0.0.1"}}}
			}, nil, nil, 1, 2,
		},
	} {
		t.Run(fmt.Sprintf("%T", test.object), func(t *testing.T) {
			r := newRegistry(Options{})
			given := test.object.DeepCopyObject().(store.Object)
			if test.status != nil {
				test.status(given)
			}
			created := made(t, r, given)
			if created.GetGeneration() != test.first || test.status != nil && test.hasStatus(created) {
				t.Errorf("created %+v, want generation %d and no status", created, test.first)
			}
			if test.status != nil {
				seen := created.DeepCopyObject().(store.Object)
				test.status(seen)
				test.spec(seen)
				seen.SetLabels(labels)
				observed, err := r.UpdateStatus(seen, WriteOptions{})
				if err != nil || !test.hasStatus(observed) || observed.GetGeneration() != test.first || observed.GetLabels()["app"] == "web" {
					t.Fatalf("status written: %+v, %v, want it alone", observed, err)
				}
			}
			next := created.DeepCopyObject().(store.Object) // with the status that it was created with
			next.SetResourceVersion("")
			test.spec(next)
			updated, err := r.UpdateObject(next, WriteOptions{})
			if err != nil || updated.GetGeneration() != test.second || test.status != nil && !test.hasStatus(updated) {
				t.Errorf("updated: %+v, %v, want generation %d and the status kept", updated, err, test.second)
			}
		})
	}
}

// TestNoChange: an update that says what there is stores nothing, whoever sends it, and nobody who
// watches sees anything.
func TestNoChange(t *testing.T) {
	r := newRegistry(Options{})
	service := made(t, r, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: corev1.ServiceSpec{ClusterIP: "127.0.0.5", Ports: []corev1.ServicePort{{Port: 80}}},
	})
	_, version := store.List[*corev1.Service](r.opts.Store, store.Selector{})
	sparse := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}
	for name, write := range map[string]func() (store.Object, error){
		"the same":        func() (store.Object, error) { return r.UpdateObject(service, WriteOptions{}) },
		"what was given":  func() (store.Object, error) { return r.UpdateObject(sparse, WriteOptions{}) },
		"the same status": func() (store.Object, error) { return r.UpdateStatus(service, WriteOptions{}) },
	} {
		if got, err := write(); err != nil || got.GetResourceVersion() != service.ResourceVersion {
			t.Errorf("%s: %v, %v, want version %s", name, got, err, service.ResourceVersion)
		}
	}
	if _, now := store.List[*corev1.Service](r.opts.Store, store.Selector{}); now != version {
		t.Errorf("the store went from %s to %s", version, now)
	}
}

// TestSecretText: stringData goes into data, also in an update.
func TestSecretText(t *testing.T) {
	r := newRegistry(Options{})
	secret := made(t, r, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s"}, Data: map[string][]byte{"a": []byte("x")}, StringData: map[string]string{"b": "y"}})
	next := secret.DeepCopy()
	next.StringData = map[string]string{"a": "z"}
	got, err := r.UpdateObject(next, WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range []*corev1.Secret{secret, got.(*corev1.Secret)} {
		if a := string(s.Data["a"]); a != []string{"x", "z"}[i] || string(s.Data["b"]) != "y" || s.StringData != nil || s.Type != corev1.SecretTypeOpaque {
			t.Errorf("Secret %+v", s)
		}
	}
}

// TestPreconditions: what an update carries must be the current version and UID; and whatever else
// is wrong comes after that.
func TestPreconditions(t *testing.T) {
	r := newRegistry(Options{})
	old := made(t, r, deployment())
	current, err := r.ModifyObject(old, func(o store.Object) (store.Object, error) {
		o = o.DeepCopyObject().(store.Object)
		o.SetLabels(map[string]string{"a": "b"})
		return o, nil
	}, WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	with := func(version, uid string) *appsv1.Deployment {
		d := current.DeepCopyObject().(*appsv1.Deployment)
		d.ResourceVersion = version
		if uid != "" {
			d.UID = "another"
			d.Spec.Replicas = new(int32(-1)) // wrong as well
		}
		return d
	}
	const modified = `Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again`
	for name, test := range map[string]struct {
		object *appsv1.Deployment
		want   string
	}{
		"none":                 {with("", ""), ""},
		"the current version":  {with(current.GetResourceVersion(), ""), ""},
		"an old version":       {with(old.ResourceVersion, ""), modified},
		"a version of the day": {with("1", ""), modified},
		"another UID": {with("", "another"), `Operation cannot be fulfilled on deployments.apps "web": the UID in the precondition (another) does not match ` +
			"the UID in record (" + string(old.UID) + "). The object might have been deleted and then recreated"},
	} {
		for what, write := range map[string]func(store.Object, WriteOptions) (store.Object, error){"object": r.UpdateObject, "status": r.UpdateStatus} {
			_, err := write(test.object, WriteOptions{})
			if (err == nil) != (test.want == "") || err != nil && (err.Error() != test.want || !apierrors.IsConflict(err)) {
				t.Errorf("%s of the %s: %v, want %q", name, what, err, test.want)
			}
		}
	}
}

// TestRetries: a change is made again when somebody else writes meanwhile, five times, unless the
// client itself says what it knows; and no other error is tried again.
func TestRetries(t *testing.T) {
	own := apierrors.NewConflict(corev1.Resource("configmaps"), "c", errors.New("of the manager's"))
	for name, test := range map[string]struct {
		disturbed int // so many times
		version   func(current string) string
		fails     error
		calls     int
		want      func(error) bool
	}{
		"undisturbed":               {calls: 1},
		"five times":                {disturbed: 5, calls: 6},
		"too often":                 {disturbed: 6, calls: 6, want: apierrors.IsConflict},
		"the version that it got":   {disturbed: 1, version: func(string) string { return "" }, calls: 2},
		"a version of its own":      {disturbed: 1, version: func(string) string { return "1" }, calls: 1, want: apierrors.IsConflict},
		"a conflict of its own":     {fails: own, calls: 1, want: func(err error) bool { return errors.Is(err, own) }},
		"something else goes wrong": {disturbed: 1, fails: errors.New("no"), calls: 1, want: func(err error) bool { return err.Error() == "no" }},
	} {
		for _, status := range []bool{false, true} {
			r := newRegistry(Options{})
			made(t, r, deployment())
			like := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}}
			calls := 0
			change := func(current store.Object) (store.Object, error) {
				calls++
				next := current.DeepCopyObject().(*appsv1.Deployment)
				next.Spec.Replicas, next.Status.Replicas = new(int32(5)), 5
				if test.version != nil {
					next.ResourceVersion = test.version(current.GetResourceVersion())
				}
				if calls <= test.disturbed {
					if _, err := store.Modify(r.opts.Store, "default", "web", func(d *appsv1.Deployment) error { d.Status.ObservedGeneration++; return nil }); err != nil {
						t.Fatal(err)
					}
				}
				return next, test.fails
			}
			write := r.ModifyObject
			if status {
				write = r.ModifyStatus
			}
			got, err := write(like, change, WriteOptions{})
			if calls != test.calls {
				t.Errorf("%s: called %d times, want %d", name, calls, test.calls)
			}
			if test.want != nil {
				if got != nil || err == nil || !test.want(err) {
					t.Errorf("%s: %v, %v", name, got, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			d := got.(*appsv1.Deployment)
			if int(d.Status.ObservedGeneration) != test.disturbed || (*d.Spec.Replicas == 5) == status || (d.Status.Replicas == 5) != status {
				t.Errorf("%s, status %v: got %+v", name, status, d)
			}
		}
	}
}

// TestOrCreate: a change may make what is not there, also if somebody else makes it meanwhile.
func TestOrCreate(t *testing.T) {
	for name, race := range map[string]bool{"alone": false, "among others": true} {
		r := newRegistry(Options{})
		like := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "c"}}
		var seen []bool
		got, err := r.ModifyObject(like, func(current store.Object) (store.Object, error) {
			seen = append(seen, current != nil)
			next := like.DeepCopy()
			if current != nil {
				next = current.DeepCopyObject().(*corev1.ConfigMap)
			} else if race {
				made(t, r, &corev1.ConfigMap{ObjectMeta: like.ObjectMeta, Data: map[string]string{"theirs": "x"}})
			}
			if next.Data == nil {
				next.Data = map[string]string{}
			}
			next.Data["ours"] = "y"
			return next, nil
		}, WriteOptions{OrCreate: true})
		if err != nil {
			t.Fatal(err)
		}
		if data := got.(*corev1.ConfigMap).Data; len(seen) != 1+len(data)-1 || seen[0] || (data["theirs"] == "x") != race || data["ours"] != "y" {
			t.Errorf("%s: data %v, seen %v", name, data, seen)
		}
	}
	r := newRegistry(Options{})
	missing := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "c"}}
	for name, write := range map[string]func() (store.Object, error){
		"update": func() (store.Object, error) { return r.UpdateObject(missing, WriteOptions{}) },
		"status": func() (store.Object, error) {
			return r.ModifyStatus(deployment(), func(store.Object) (store.Object, error) { return deployment(), nil }, WriteOptions{OrCreate: true})
		},
		"in the namespace": func() (store.Object, error) {
			return r.UpdateObject(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "x", Name: "c"}}, WriteOptions{OrCreate: true})
		},
	} {
		if got, err := write(); got != nil || !apierrors.IsNotFound(err) {
			t.Errorf("%s of what is not there: %v, %v, want NotFound", name, got, err)
		}
	}
	if got, err := r.UpdateObject(missing, WriteOptions{OrCreate: true}); err != nil || got.GetUID() == "" {
		t.Errorf("an update that may create: %v, %v", got, err)
	}
}

// TestChangeHasItsName: what a change returns is the object that was meant.
func TestChangeHasItsName(t *testing.T) {
	r := newRegistry(Options{})
	made(t, r, namespace("team"))
	config := made(t, r, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "c"}})
	change := func(namespace, name string) Change {
		return func(store.Object) (store.Object, error) {
			return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: map[string]string{"a": "b"}}, nil
		}
	}
	if got, err := r.ModifyObject(config, change("", "c"), WriteOptions{}); err != nil || got.GetNamespace() != "team" {
		t.Errorf("without its namespace: %v, %v", got, err)
	}
	for _, other := range []Change{change("team", "d"), change("default", "c")} {
		if _, err := r.ModifyObject(config, other, WriteOptions{}); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "field is immutable") {
			t.Errorf("under another name: %v, want Invalid", err)
		}
	}
}
