package registry

import (
	"errors"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// newRegistry makes a registry whose store has the namespace default.
func newRegistry(opts Options) *Registry {
	opts.Store = store.New(store.Options{Kinds: store.Kubernetes()})
	r := New(opts)
	if _, err := Create(r, namespace("default")); err != nil {
		panic(err)
	}
	return r
}

func namespace(name string) *corev1.Namespace {
	return &corev1.Namespace{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: metav1.ObjectMeta{Name: name}}
}

func pod(change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "web"}}},
	}
	for _, c := range change {
		c(p)
	}
	return p
}

// TestCreatePod: a new Pod has its defaults, is bound, and carries nothing that only a server sets.
func TestCreatePod(t *testing.T) {
	r := newRegistry(Options{NodeName: "here", Commands: map[string]string{"app": "./web", "other": "./other"}})
	given := pod(func(p *corev1.Pod) {
		p.Status.Phase, p.UID, p.ResourceVersion = corev1.PodRunning, "mine", "7"
		p.Spec.NodeName = "elsewhere"
	})
	got, err := Create(r, given)
	if err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]string{
		"namespace":                              {got.Namespace, "default"},
		"node":                                   {got.Spec.NodeName, "here"},
		"phase":                                  {string(got.Status.Phase), "Pending"},
		"QoS class":                              {string(got.Status.QOSClass), "BestEffort"},
		"restart policy":                         {string(got.Spec.RestartPolicy), "Always"},
		"command":                                {got.Annotations[manifest.AnnotationCommand+"app"], "./web"},
		"command of a container that it has not": {got.Annotations[manifest.AnnotationCommand+"other"], ""},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %q, want %q", what, pair[0], pair[1])
		}
	}
	if got.UID == "mine" || got.UID == "" || got.ResourceVersion == "7" {
		t.Errorf("UID %q, resource version %q: want the store's", got.UID, got.ResourceVersion)
	}
	if given.Namespace != "" || given.Spec.NodeName != "elsewhere" || given.Annotations != nil {
		t.Error("the caller's object was changed")
	}
}

func TestCreateRefuses(t *testing.T) {
	noRoom := errors.New("no room")
	for name, test := range map[string]struct {
		opts Options
		pod  *corev1.Pod
		want func(error) bool
		text string
	}{
		"an invalid Pod": {
			pod:  pod(func(p *corev1.Pod) { p.Spec.Containers[0].Image = "" }),
			want: apierrors.IsInvalid, text: `Pod "web" is invalid: spec.containers[0].image: Required value`,
		},
		"one that the command line spoils": {
			opts: Options{Commands: map[string]string{"app": "'"}},
			pod:  pod(), want: apierrors.IsInvalid, text: "metadata.annotations[probity.run/command.app]",
		},
		"one that is not admitted": {
			opts: Options{Admit: func(p *corev1.Pod) error {
				if p.Spec.RestartPolicy == "" || p.Spec.NodeName != "here" {
					t.Error("the Pod has no defaults or is not bound yet")
				}
				return noRoom
			}, NodeName: "here"},
			pod: pod(), want: func(err error) bool { return errors.Is(err, noRoom) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRegistry(test.opts)
			if _, err := Create(r, test.pod); err == nil || !test.want(err) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v, want %q", err, test.text)
			}
			if pods, _ := store.List[*corev1.Pod](r.opts.Store, store.Selector{}); len(pods) != 0 {
				t.Errorf("stored all the same: %v", pods)
			}
		})
	}
}

func TestCreateTwice(t *testing.T) {
	r := newRegistry(Options{})
	if _, err := Create(r, pod()); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(r, pod()); !apierrors.IsAlreadyExists(err) {
		t.Errorf("error %v, want AlreadyExists", err)
	}
}

func deployment() *appsv1.Deployment {
	labels := map[string]string{"app": "web"}
	return &appsv1.Deployment{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}, ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod().Spec},
		},
	}
}

func TestUpdate(t *testing.T) {
	r := newRegistry(Options{})
	created, err := Create(r, deployment())
	if err != nil {
		t.Fatal(err)
	}
	scaled := created.DeepCopy()
	scaled.Spec.Replicas = new(int32(3))
	updated, err := Update(r, scaled)
	if err != nil || *updated.Spec.Replicas != 3 || updated.UID != created.UID {
		t.Errorf("updated to %d replicas, UID %s, %v", *updated.Spec.Replicas, updated.UID, err)
	}
	if _, err := Update(r, scaled); !apierrors.IsConflict(err) {
		t.Errorf("a stale object: error %v, want Conflict", err)
	}
	bad := updated.DeepCopy()
	bad.Spec.Replicas = new(int32(-1))
	if _, err := Update(r, bad); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec.replicas: Invalid value: -1") {
		t.Errorf("a bad object: error %v, want Invalid", err)
	}
	other := updated.DeepCopy()
	other.Spec.Selector.MatchLabels = map[string]string{"app": "other"}
	other.Spec.Template.Labels = map[string]string{"app": "other"}
	if _, err := Update(r, other); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec.selector: Invalid value") || !strings.Contains(err.Error(), "field is immutable") {
		t.Errorf("another selector: error %v, want Invalid", err)
	}
	stray := deployment()
	stray.Name, stray.Namespace = "nope", "default"
	manifest.Default(stray)
	if _, err := Update(r, stray); !apierrors.IsNotFound(err) {
		t.Errorf("a stray object: error %v, want NotFound", err)
	}
}

func service(clusterIP string, change ...func(*corev1.Service)) *corev1.Service {
	s := &corev1.Service{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: corev1.ServiceSpec{ClusterIP: clusterIP, Ports: []corev1.ServicePort{{Port: 80}}},
	}
	for _, c := range change {
		c(s)
	}
	return s
}

// TestServiceAddress: a Service gets its address when it is made and keeps it; None stays None.
func TestServiceAddress(t *testing.T) {
	external := func(s *corev1.Service) {
		s.Spec.Type, s.Spec.ExternalName, s.Spec.Ports = corev1.ServiceTypeExternalName, "example.org", nil
	}
	for name, test := range map[string]struct {
		made, changed *corev1.Service
		want          string
	}{
		"without one":                {service(""), service(""), "127.64.0.1"},
		"the manifest's is replaced": {service("10.0.0.7"), service("10.0.0.8"), "127.64.0.1"},
		"headless":                   {service("None"), service("None"), "None"},
		"headless before":            {service("None"), service(""), "None"},
		"ExternalName":               {service("", external), service("", external), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRegistry(Options{ServiceAddress: func(namespace, name string) netip.Addr {
				if namespace != "default" || name != "web" {
					t.Errorf("address of %s/%s", namespace, name)
				}
				return netip.MustParseAddr("127.64.0.1")
			}})
			check := func(s *corev1.Service, err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
				if s.Spec.ClusterIP != test.want || test.want == "127.64.0.1" && !slices.Equal(s.Spec.ClusterIPs, []string{test.want}) {
					t.Errorf("clusterIP %q, clusterIPs %q, want %q", s.Spec.ClusterIP, s.Spec.ClusterIPs, test.want)
				}
			}
			check(Create(r, test.made))
			test.changed.Namespace = "default"
			check(Update(r, test.changed))
		})
	}
	r := newRegistry(Options{ServiceAddress: func(string, string) netip.Addr { return netip.MustParseAddr("127.64.0.1") }})
	if _, err := Create(r, service("")); err != nil {
		t.Fatal(err)
	}
	headless := service("None")
	headless.Namespace = "default"
	if _, err := Update(r, headless); !apierrors.IsInvalid(err) {
		t.Errorf("error %v, want Invalid: a clusterIP may not change", err)
	}
}

// TestConcurrentUpdates writes an object without its version while it is deleted and made anew:
// what cannot be changed of an object is what it was made with.
func TestConcurrentUpdates(t *testing.T) {
	r := newRegistry(Options{})
	wish := func(app string) *corev1.Pod { return pod(func(p *corev1.Pod) { p.Spec.Hostname = app }) }
	var writers sync.WaitGroup
	made := map[types.UID]string{}
	writers.Go(func() {
		for i := range 300 {
			created, err := Create(r, wish([]string{"a", "b"}[i%2]))
			if err != nil {
				t.Error(err)
				return
			}
			made[created.UID] = created.Spec.Hostname
			runtime.Gosched()
			if err := store.Delete[*corev1.Pod](r.opts.Store, "default", "web", store.DeleteOptions{Grace: new(int64(0))}); err != nil {
				t.Error(err)
			}
		}
	})
	updated := map[types.UID]string{}
	for range 2000 {
		next, err := Update(r, wish("a"))
		if err == nil {
			updated[next.UID] = next.Spec.Hostname
		} else if !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) && !apierrors.IsInvalid(err) {
			t.Fatal(err)
		}
	}
	writers.Wait()
	for uid, now := range updated {
		if made[uid] != now {
			t.Errorf("Pod %s was made with host name %s, and has %s", uid, made[uid], now)
		}
	}
}

// TestUpdateKeeps: what was observed or given stays, whatever an update says of it.
func TestUpdateKeeps(t *testing.T) {
	r := newRegistry(Options{})
	service := &corev1.Service{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: corev1.ServiceSpec{ClusterIP: "127.0.0.5", ClusterIPs: []string{"127.0.0.5"}, Ports: []corev1.ServicePort{{Port: 80}}},
	}
	created, err := Create(r, service)
	if err != nil {
		t.Fatal(err)
	}
	observed := created.DeepCopy()
	observed.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "127.0.0.1"}}
	if _, err := store.UpdateStatus(r.opts.Store, observed); err != nil {
		t.Fatal(err)
	}
	next := service.DeepCopy()
	next.Namespace, next.Spec.ClusterIP, next.Spec.ClusterIPs, next.Spec.Ports[0].Port = "default", "", nil, 81
	got, err := Update(r, next)
	if err != nil || got.Spec.ClusterIP != "127.0.0.5" || len(got.Spec.ClusterIPs) != 1 || len(got.Status.LoadBalancer.Ingress) != 1 || got.Spec.Ports[0].Port != 81 {
		t.Errorf("updated to %+v, %v, want address and status kept", got, err)
	}
	next.Spec.ClusterIP = "127.0.0.6"
	if _, err := Update(r, next); !apierrors.IsInvalid(err) {
		t.Errorf("another address: %v, want Invalid", err)
	}
	next.ResourceVersion = created.ResourceVersion
	if _, err := Update(r, next); !apierrors.IsConflict(err) {
		t.Errorf("another address in a stale object: %v, want Conflict", err)
	}
}

// TestDryRun: all is checked, and nothing is stored.
func TestDryRun(t *testing.T) {
	asked := 0
	r := newRegistry(Options{NodeName: "here", Admit: func(*corev1.Pod) error { asked++; return nil }})
	seen := WriteOptions{DryRun: true}
	created, err := r.CreateObject(pod(), seen)
	if err != nil {
		t.Fatal(err)
	}
	got := created.(*corev1.Pod)
	if got.Spec.NodeName != "here" || got.UID == "" || asked != 1 {
		t.Errorf("created %+v, %v, asked %d times", got, err, asked)
	}
	if _, err := r.CreateObject(pod(func(p *corev1.Pod) { p.Spec.Containers[0].Image = "" }), seen); !apierrors.IsInvalid(err) {
		t.Errorf("an invalid Pod: %v, want Invalid", err)
	}
	made, err := Create(r, deployment())
	if err != nil {
		t.Fatal(err)
	}
	scaled := made.DeepCopy()
	scaled.Spec.Replicas = new(int32(3))
	if got, err := r.UpdateObject(scaled, seen); err != nil || *got.(*appsv1.Deployment).Spec.Replicas != 3 || got.GetGeneration() != 2 {
		t.Errorf("scaled to %+v, %v", got, err)
	}
	pods, _ := store.List[*corev1.Pod](r.opts.Store, store.Selector{})
	deployments, _ := store.List[*appsv1.Deployment](r.opts.Store, store.Selector{})
	if len(pods) != 0 || *deployments[0].Spec.Replicas != 1 {
		t.Errorf("%d Pods, %d replicas: a dry run was stored", len(pods), *deployments[0].Spec.Replicas)
	}
}

// TestUpdateAmongOthers: an update that names no version is not refused because somebody else wrote
// in between, up to four times.
func TestUpdateAmongOthers(t *testing.T) {
	r := newRegistry(Options{})
	created, err := Create(r, deployment())
	if err != nil {
		t.Fatal(err)
	}
	next := created.DeepCopy()
	next.ResourceVersion = ""
	for round := range 300 {
		var other sync.WaitGroup
		other.Go(func() {
			for i := range tries - 1 {
				if _, err := store.Modify(r.opts.Store, "default", "web", func(d *appsv1.Deployment) error { d.Status.ObservedGeneration = int64(round*tries + i); return nil }); err != nil {
					t.Error(err)
				}
				runtime.Gosched()
			}
		})
		next.Spec.Replicas = new(int32(round))
		if _, err := Update(r, next); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		other.Wait()
	}
}

// TestDryRunOfEveryVerb: whatever a client tries, nothing moves.
func TestDryRunOfEveryVerb(t *testing.T) {
	r := newRegistry(Options{NodeName: "here", ManagedFields: func(w FieldsWrite) []metav1.ManagedFieldsEntry { return fieldsOf(w.Manager) }})
	there, gone := made(t, r, deployment()), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "c", Namespace: "default"}}
	made(t, r, pod(func(p *corev1.Pod) {
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: there.Name, UID: there.UID}}
	}))
	changed := func(store.Object) (store.Object, error) {
		next := there.DeepCopy()
		next.Spec.Replicas, next.Status.Replicas = new(int32(5)), 5
		return next, nil
	}
	scaled, _ := changed(nil)
	dry := WriteOptions{DryRun: true, Manager: "kubectl"}
	deletion := func(like store.Object, policy metav1.DeletionPropagation) func() (store.Object, error) {
		return func() (store.Object, error) {
			last, _, err := r.DeleteObject(like, metav1.DeleteOptions{DryRun: []string{"All"}, PropagationPolicy: &policy})
			return last, err
		}
	}
	_, version := r.opts.Store.ListObjects(there, store.Selector{})
	for name, write := range map[string]func() (store.Object, error){
		"create":             func() (store.Object, error) { return r.CreateObject(gone, dry) },
		"update":             func() (store.Object, error) { return r.UpdateObject(scaled, dry) },
		"update or create":   func() (store.Object, error) { return r.UpdateObject(gone, WriteOptions{DryRun: true, OrCreate: true}) },
		"modify":             func() (store.Object, error) { return r.ModifyObject(there, changed, dry) },
		"update the status":  func() (store.Object, error) { return r.UpdateStatus(scaled, dry) },
		"modify the status":  func() (store.Object, error) { return r.ModifyStatus(there, changed, dry) },
		"delete":             deletion(there, metav1.DeletePropagationBackground),
		"delete, foreground": deletion(there, metav1.DeletePropagationForeground),
		"delete, orphan":     deletion(there, metav1.DeletePropagationOrphan),
		"delete a Pod":       deletion(pod(func(p *corev1.Pod) { p.Namespace = "default" }), metav1.DeletePropagationBackground),
	} {
		if got, err := write(); got == nil || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if _, now := r.opts.Store.ListObjects(there, store.Selector{}); now != version {
			t.Fatalf("%s: the store went from %s to %s", name, version, now)
		}
	}
}
