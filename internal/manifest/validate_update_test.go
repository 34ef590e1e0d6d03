package manifest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// updateTest changes a copy of an object. want are the first lines of the errors.
type updateTest[T Resource] struct {
	name   string
	change func(T)
	want   []string
}

func testUpdate[T Resource](t *testing.T, old T, tests []updateTest[T]) {
	t.Helper()
	Default(old)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			updated := old.DeepCopyObject().(T)
			tt.change(updated)
			Default(updated)
			before := updated.DeepCopyObject()
			var got []string
			for _, err := range ValidateUpdate(old, updated) {
				line, _, _ := strings.Cut(err.Error(), "\n")
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, updated.DeepCopyObject()); diff != "" {
				t.Errorf("ValidateUpdate changed the object (-before +after):\n%s", diff)
			}
		})
	}
}

func TestValidateMetaUpdate(t *testing.T) {
	at := metav1.NewTime(time.Date(2026, 11, 29, 1, 2, 3, 0, time.UTC))
	later := metav1.NewTime(at.Add(time.Hour))
	old := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Name: "a", UID: "1", ResourceVersion: "5", Generation: 2, CreationTimestamp: at,
		DeletionTimestamp: &at, DeletionGracePeriodSeconds: new(int64(30)), Finalizers: []string{"x/y"},
	}}
	testUpdate(t, old, []updateTest[*corev1.ConfigMap]{
		{"nothing", func(*corev1.ConfigMap) {}, nil},
		{"what a manifest does not have", func(c *corev1.ConfigMap) {
			c.ObjectMeta = metav1.ObjectMeta{Name: "a", Labels: map[string]string{"a": "b"}}
		}, nil},
		{"name and namespace", func(c *corev1.ConfigMap) { c.Name, c.Namespace = "b", "other" }, []string{
			`metadata.name: Invalid value: "b": field is immutable`,
			`metadata.namespace: Invalid value: "other": field is immutable`,
		}},
		{"uid", func(c *corev1.ConfigMap) { c.UID = "2" }, []string{`metadata.uid: Invalid value: "2": field is immutable`}},
		{"times", func(c *corev1.ConfigMap) { c.CreationTimestamp, c.DeletionTimestamp = later, &later }, []string{
			`metadata.creationTimestamp: Invalid value: "2026-11-29T02:02:03Z": field is immutable`,
			`metadata.deletionTimestamp: Invalid value: "2026-11-29T02:02:03Z": field is immutable`,
		}},
		{"grace period", func(c *corev1.ConfigMap) { c.DeletionGracePeriodSeconds = new(int64(1)) }, []string{
			`metadata.deletionGracePeriodSeconds: Invalid value: 1: field is immutable`,
		}},
		{"finalizer of an object that is being deleted", func(c *corev1.ConfigMap) { c.Finalizers = append(c.Finalizers, "x/z") }, []string{
			`metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"x/z"}`,
		}},
	})
	testUpdate(t, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a"}}, []updateTest[*corev1.ConfigMap]{
		{"deletion by an update", func(c *corev1.ConfigMap) { c.DeletionTimestamp = &at }, []string{
			`metadata.deletionTimestamp: Invalid value: "2026-11-29T01:02:03Z": field is immutable`,
		}},
		{"finalizer", func(c *corev1.ConfigMap) { c.Finalizers = []string{"x/z"} }, nil},
	})
}

func TestValidateUpdateOfAnotherType(t *testing.T) {
	if errs := ValidateUpdate(&corev1.Pod{}, &corev1.Service{}); len(errs) != 1 {
		t.Errorf("errors = %v, want one", errs)
	}
}

func TestValidatePodUpdate(t *testing.T) {
	const forbidden = "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`," +
		"`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)," +
		"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
	old := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: corev1.PodSpec{
		Containers:            []corev1.Container{{Name: "app", Image: "app:1"}},
		InitContainers:        []corev1.Container{{Name: "init", Image: "init:1"}},
		ActiveDeadlineSeconds: new(int64(60)),
		Tolerations:           []corev1.Toleration{{Key: "a", Operator: "Exists", TolerationSeconds: new(int64(5))}},
	}}
	testUpdate(t, old, []updateTest[*corev1.Pod]{
		{"labels, status", func(p *corev1.Pod) {
			p.Labels, p.Status.Phase = map[string]string{"a": "b"}, corev1.PodRunning
		}, nil},
		{"images", func(p *corev1.Pod) {
			p.Spec.Containers[0].Image, p.Spec.InitContainers[0].Image = "app:2", "init:2"
		}, nil},
		{"shorter deadline", func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = new(int64(59)) }, nil},
		{"longer deadline", func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = new(int64(61)) }, []string{
			"spec.activeDeadlineSeconds: Invalid value: 61: must be less than or equal to previous value",
		}},
		{"no deadline", func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = nil }, []string{
			"spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value",
		}},
		{"one more toleration", func(p *corev1.Pod) {
			p.Spec.Tolerations = append([]corev1.Toleration{{Key: "b", Operator: "Exists"}}, p.Spec.Tolerations...)
		}, nil},
		{"seconds of a toleration", func(p *corev1.Pod) { p.Spec.Tolerations[0].TolerationSeconds = nil }, nil},
		{"another toleration", func(p *corev1.Pod) { p.Spec.Tolerations[0].Key = "b" }, []string{
			"spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds",
		}},
		{"command", func(p *corev1.Pod) { p.Spec.Containers[0].Command = []string{"sh"} }, []string{forbidden}},
		{"init container's environment", func(p *corev1.Pod) {
			p.Spec.InitContainers[0].Env = []corev1.EnvVar{{Name: "A"}}
		}, []string{forbidden}},
		{"node", func(p *corev1.Pod) { p.Spec.NodeName = "other" }, []string{forbidden}},
		{"grace period", func(p *corev1.Pod) { p.Spec.TerminationGracePeriodSeconds = new(int64(1)) }, []string{forbidden}},
		{"another container", func(p *corev1.Pod) {
			p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "b", Image: "b"})
		}, []string{"spec.containers: Forbidden: pod updates may not add or remove containers"}},
		{"no init container", func(p *corev1.Pod) { p.Spec.InitContainers = nil }, []string{
			"spec.initContainers: Forbidden: pod updates may not add or remove containers",
		}},
	})
}

// TestPodUpdateShowsTheDifference: an image is not part of it, because it may change.
func TestPodUpdateShowsTheDifference(t *testing.T) {
	old := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "app:1", WorkingDir: "/a"}}}}
	Default(old)
	updated := old.DeepCopy()
	updated.Spec.Containers[0].Image, updated.Spec.Containers[0].WorkingDir = "app:2", "/b"
	errs := ValidateUpdate(old, updated)
	if len(errs) != 1 {
		t.Fatalf("errors = %v, want one", errs)
	}
	_, got, _ := strings.Cut(errs[0].Detail, "\n")
	want := `@@ -3,7 +3,7 @@
   {
    "name": "app",
    "image": "app:1",
-   "workingDir": "/a",
+   "workingDir": "/b",
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("difference (-want +got):\n%s", diff)
	}
}

func TestValidateServiceUpdate(t *testing.T) {
	service := func(ips ...string) *corev1.Service {
		s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: corev1.ServiceSpec{ClusterIPs: ips, Ports: []corev1.ServicePort{{Port: 80}}}}
		if len(ips) > 0 {
			s.Spec.ClusterIP = ips[0]
		}
		return s
	}
	set := func(ips ...string) func(*corev1.Service) {
		return func(s *corev1.Service) { s.Spec.ClusterIPs, s.Spec.ClusterIP = ips, "" }
	}
	type tests = []updateTest[*corev1.Service]
	testUpdate(t, service("10.0.0.1"), tests{
		{"ports, selector", func(s *corev1.Service) {
			s.Spec.Ports[0].TargetPort, s.Spec.Selector = intstr.FromString("http"), map[string]string{"a": "b"}
		}, nil},
		{"written in one field alone", func(s *corev1.Service) { s.Spec.ClusterIPs = nil }, nil},
		{"another address", set("10.0.0.2"), []string{`spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set`}},
		{"headless", set("None"), []string{`spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set`}},
		{"no address", set(), []string{`spec.clusterIPs[0]: Invalid value: null: primary clusterIP can not be unset`}},
		{"one more", set("10.0.0.1", "fd00::1"), nil},
		{"one more, and another", set("10.0.0.2", "fd00::1"), []string{`spec.clusterIPs[0]: Invalid value: ["10.0.0.2","fd00::1"]: may not change once set`}},
		{"ExternalName", func(s *corev1.Service) {
			s.Spec = corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "a"}
		}, nil},
	})
	testUpdate(t, service(), tests{{"first address", set("10.0.0.1"), nil}})
	testUpdate(t, service("10.0.0.1", "fd00::1"), tests{
		{"another second", set("10.0.0.1", "fd00::2"), []string{`spec.clusterIPs[1]: Invalid value: ["10.0.0.1","fd00::2"]: may not change once set`}},
		{"no second", set("10.0.0.1"), []string{`spec.ipFamilyPolicy: Invalid value: null: must be set to 'SingleStack' when releasing the secondary clusterIP`}},
		{"no second, single stack", func(s *corev1.Service) {
			s.Spec.ClusterIPs, s.Spec.IPFamilyPolicy = []string{"10.0.0.1"}, new(corev1.IPFamilyPolicySingleStack)
		}, nil},
	})
	testUpdate(t, service("None"), tests{
		{"still headless", func(s *corev1.Service) { s.Spec.Ports = nil }, nil},
		{"not headless any more", set("10.0.0.1"), []string{`spec.clusterIPs[0]: Invalid value: ["10.0.0.1"]: may not change once set`}},
	})
}

func TestValidateConfigMapUpdate(t *testing.T) {
	const immutable = "field is immutable when `immutable` is set"
	changeAll := func(c *corev1.ConfigMap) {
		c.Data, c.BinaryData, c.Immutable = map[string]string{"a": "y"}, map[string][]byte{"b": {2}}, nil
	}
	old := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Data: map[string]string{"a": "x"}, BinaryData: map[string][]byte{"b": {1}}}
	testUpdate(t, old, []updateTest[*corev1.ConfigMap]{
		{"data", changeAll, nil},
		{"immutable", func(c *corev1.ConfigMap) { c.Immutable = new(true) }, nil},
	})
	fixed := old.DeepCopy()
	fixed.Immutable = new(true)
	testUpdate(t, fixed, []updateTest[*corev1.ConfigMap]{
		{"immutable: labels", func(c *corev1.ConfigMap) { c.Labels = map[string]string{"a": "b"} }, nil},
		{"immutable: all", changeAll, []string{"immutable: Forbidden: " + immutable, "data: Forbidden: " + immutable, "binaryData: Forbidden: " + immutable}},
		{"immutable: false", func(c *corev1.ConfigMap) { c.Immutable = new(false) }, []string{"immutable: Forbidden: " + immutable}},
	})
}

func TestValidateSecretUpdate(t *testing.T) {
	const immutable = "field is immutable when `immutable` is set"
	old := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Data: map[string][]byte{"a": []byte("x")}}
	testUpdate(t, old, []updateTest[*corev1.Secret]{
		{"data", func(s *corev1.Secret) { s.StringData = map[string]string{"a": "y"} }, nil},
		{"type", func(s *corev1.Secret) { s.Type = corev1.SecretTypeTLS }, []string{`type: Invalid value: "kubernetes.io/tls": field is immutable`}},
	})
	fixed := old.DeepCopy()
	fixed.Immutable = new(true)
	testUpdate(t, fixed, []updateTest[*corev1.Secret]{
		{"immutable: same stringData", func(s *corev1.Secret) { s.Data, s.StringData = nil, map[string]string{"a": "x"} }, nil},
		{"immutable: other stringData", func(s *corev1.Secret) { s.StringData = map[string]string{"a": "y"} }, []string{"data: Forbidden: " + immutable}},
		{"immutable: unset", func(s *corev1.Secret) { s.Immutable = nil }, []string{"immutable: Forbidden: " + immutable}},
	})
}

func TestValidateControllersUpdate(t *testing.T) {
	selector := func(app string) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}
	}
	const fixed = `spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable`
	testUpdate(t, &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Selector: selector("a")}}, []updateTest[*appsv1.Deployment]{
		{"Deployment: all but the selector", func(d *appsv1.Deployment) {
			d.Spec = appsv1.DeploymentSpec{Selector: selector("a"), Replicas: new(int32(3)), Paused: true}
		}, nil},
		{"Deployment: selector", func(d *appsv1.Deployment) { d.Spec.Selector = selector("b") }, []string{fixed}},
	})
	testUpdate(t, &appsv1.ReplicaSet{Spec: appsv1.ReplicaSetSpec{Selector: selector("a")}}, []updateTest[*appsv1.ReplicaSet]{
		{"ReplicaSet: replicas", func(r *appsv1.ReplicaSet) { r.Spec.Replicas = new(int32(3)) }, nil},
		{"ReplicaSet: selector", func(r *appsv1.ReplicaSet) { r.Spec.Selector = selector("b") }, []string{fixed}},
	})
	const others = "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', " +
		"'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
	testUpdate(t, &appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{Selector: selector("a"), ServiceName: "a"}}, []updateTest[*appsv1.StatefulSet]{
		{"StatefulSet: what may change", func(s *appsv1.StatefulSet) {
			s.Spec.Replicas, s.Spec.RevisionHistoryLimit, s.Spec.MinReadySeconds = new(int32(3)), new(int32(1)), 5
			s.Spec.Ordinals = &appsv1.StatefulSetOrdinals{Start: 1}
			s.Spec.Template.Labels = map[string]string{"a": "b"}
			s.Spec.UpdateStrategy = appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType}
			s.Spec.PersistentVolumeClaimRetentionPolicy.WhenScaled = appsv1.DeletePersistentVolumeClaimRetentionPolicyType
		}, nil},
		{"StatefulSet: selector", func(s *appsv1.StatefulSet) { s.Spec.Selector = selector("b") }, []string{others}},
		{"StatefulSet: service", func(s *appsv1.StatefulSet) { s.Spec.ServiceName = "b" }, []string{others}},
		{"StatefulSet: order", func(s *appsv1.StatefulSet) { s.Spec.PodManagementPolicy = appsv1.ParallelPodManagement }, []string{others}},
		{"StatefulSet: claims", func(s *appsv1.StatefulSet) {
			s.Spec.VolumeClaimTemplates = []corev1.PersistentVolumeClaim{{}}
		}, []string{others}},
	})
	testUpdate(t, &appsv1.ControllerRevision{Data: runtime.RawExtension{Raw: []byte(`{"a":1}`)}, Revision: 1}, []updateTest[*appsv1.ControllerRevision]{
		{"ControllerRevision: revision", func(r *appsv1.ControllerRevision) { r.Revision = 2 }, nil},
		{"ControllerRevision: data", func(r *appsv1.ControllerRevision) { r.Data.Raw = []byte(`{"a":2}`) }, []string{`data: Invalid value: {"a":2}: field is immutable`}},
	})
}

func TestValidateClusterKindsUpdate(t *testing.T) {
	node := &corev1.Node{Spec: corev1.NodeSpec{PodCIDRs: []string{"10.0.0.0/24"}, ProviderID: "a"}}
	testUpdate(t, node, []updateTest[*corev1.Node]{
		{"Node: cordoned", func(n *corev1.Node) { n.Spec.Unschedulable = true }, nil},
		{"Node: what is fixed", func(n *corev1.Node) { n.Spec.PodCIDRs, n.Spec.ProviderID = nil, "" }, []string{
			`spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid`,
			`spec.providerID: Forbidden: node updates may not change providerID except from "" to valid`,
		}},
	})
	testUpdate(t, &corev1.Node{}, []updateTest[*corev1.Node]{{"Node: first values", func(n *corev1.Node) { n.Spec = node.Spec }, nil}})
	testUpdate(t, &discoveryv1.EndpointSlice{AddressType: "IPv4"}, []updateTest[*discoveryv1.EndpointSlice]{
		{"EndpointSlice: type", func(s *discoveryv1.EndpointSlice) { s.AddressType = "IPv6" }, []string{`addressType: Invalid value: "IPv6": field is immutable`}},
	})
}
