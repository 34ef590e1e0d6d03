package registry

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/probity-run/probity/internal/store"
)

// rule is a change that a client makes of an object, and what the API server says to it: the first
// lines, nothing if it may be.
type rule[T store.Object] struct {
	name   string
	change func(T)
	want   []string
}

// testRules makes each change of a copy of an object of its own, by a patch.
func testRules[T store.Object](t *testing.T, object T, rules []rule[T]) {
	t.Helper()
	for _, rule := range rules {
		t.Run(fmt.Sprintf("%T %s", object, rule.name), func(t *testing.T) {
			r := New(Options{Store: store.New(store.Options{Kinds: append(store.Kubernetes(), store.KindDefinition{
				Type: &appsv1.ControllerRevision{}, GVK: appsv1.SchemeGroupVersion.WithKind("ControllerRevision"), Resource: "controllerrevisions",
			})})})
			made(t, r, namespace("default"))
			before := made(t, r, object)
			after, err := r.ModifyObject(before, func(current store.Object) (store.Object, error) {
				next := current.DeepCopyObject().(T)
				rule.change(next)
				return next, nil
			}, WriteOptions{})
			var got []string
			if status, ok := err.(apierrors.APIStatus); ok {
				details := status.Status().Details
				for _, cause := range details.Causes {
					text, _, _ := strings.Cut(cause.Message, "\n")
					got = append(got, cause.Field+": "+text)
				}
				if status.Status().Code != 422 || details.Kind != r.opts.Store.Kind(before).GVK.Kind {
					t.Errorf("status %+v", status.Status())
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(rule.want, got); diff != "" {
				t.Errorf("causes (-want +got):\n%s", diff)
			}
			if now, err := r.opts.Store.GetObject(before); err != nil || rule.want != nil && now.GetResourceVersion() != before.GetResourceVersion() || rule.want == nil && now.GetResourceVersion() != after.GetResourceVersion() {
				t.Errorf("stored %v, %v", now, err)
			}
		})
	}
}

// TestRulesOfMetadata: what nobody can change of any object, and what is ignored.
func TestRulesOfMetadata(t *testing.T) {
	at := metav1.NewTime(time.Date(2026, 11, 29, 1, 2, 3, 0, time.UTC))
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a"}}
	testRules(t, config, []rule[*corev1.ConfigMap]{
		{"name", func(c *corev1.ConfigMap) { c.Name = "b" }, []string{`metadata.name: Invalid value: "b": field is immutable`}},
		{"namespace", func(c *corev1.ConfigMap) { c.Namespace = "b" }, []string{`metadata.namespace: Invalid value: "b": field is immutable`}},
		{"uid", func(c *corev1.ConfigMap) { c.UID = "b" }, []string{`metadata.uid: Invalid value: "b": field is immutable`}},
		{"a deletion", func(c *corev1.ConfigMap) { c.DeletionTimestamp = &at }, []string{`metadata.deletionTimestamp: Invalid value: "2026-11-29T01:02:03Z": field is immutable`}},
		{"creation time and generation, ignored", func(c *corev1.ConfigMap) { c.CreationTimestamp, c.Generation = at, 7 }, nil},
		{"labels", func(c *corev1.ConfigMap) { c.Labels = map[string]string{"a b": "c"} }, []string{
			`metadata.labels: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
		}},
		{"finalizers", func(c *corev1.ConfigMap) { c.Finalizers = []string{"orphan", "foregroundDeletion"} }, []string{
			`metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set`,
		}},
	})
}

// TestRulesOfKinds: what cannot be changed of each kind.
func TestRulesOfKinds(t *testing.T) {
	const (
		selector    = `spec.selector: Invalid value: {"matchLabels":{"app":"other"}}: field is immutable`
		template    = "spec.template.metadata.labels: Invalid value: {\"app\":\"web\"}: `selector` does not match template `labels`"
		set         = "field is immutable when `immutable` is set"
		statefulSet = "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', " +
			"'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
		podSpec = "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`," +
			"`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)," +
			"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
	)
	other := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "other"}}
	named := metav1.ObjectMeta{Name: "a"}
	d := deployment()
	testRules(t, d, []rule[*appsv1.Deployment]{
		{"selector", func(d *appsv1.Deployment) { d.Spec.Selector = other }, []string{selector, template}},
		{"all else", func(d *appsv1.Deployment) {
			d.Spec = appsv1.DeploymentSpec{Selector: d.Spec.Selector, Template: d.Spec.Template, Replicas: new(int32(3))}
		}, nil},
	})
	testRules(t, &appsv1.ReplicaSet{ObjectMeta: named, Spec: appsv1.ReplicaSetSpec{Selector: d.Spec.Selector, Template: d.Spec.Template}}, []rule[*appsv1.ReplicaSet]{
		{"selector", func(r *appsv1.ReplicaSet) { r.Spec.Selector = other }, []string{selector, template}},
		{"replicas", func(r *appsv1.ReplicaSet) { r.Spec.Replicas = new(int32(3)) }, nil},
	})
	testRules(t, &appsv1.StatefulSet{ObjectMeta: named, Spec: appsv1.StatefulSetSpec{Selector: d.Spec.Selector, Template: d.Spec.Template}}, []rule[*appsv1.StatefulSet]{
		{"service", func(s *appsv1.StatefulSet) { s.Spec.ServiceName = "b" }, []string{statefulSet}},
		{"what may be changed", func(s *appsv1.StatefulSet) {
			s.Spec.Replicas, s.Spec.RevisionHistoryLimit, s.Spec.MinReadySeconds, s.Spec.Ordinals = new(int32(3)), new(int32(1)), 5, &appsv1.StatefulSetOrdinals{Start: 1}
			s.Spec.Template.Annotations, s.Spec.UpdateStrategy = map[string]string{"a": "b"}, appsv1.StatefulSetUpdateStrategy{Type: "OnDelete"}
			s.Spec.PersistentVolumeClaimRetentionPolicy.WhenScaled = "Delete"
		}, nil},
	})
	testRules(t, pod(), []rule[*corev1.Pod]{
		{"command", func(p *corev1.Pod) { p.Spec.Containers[0].Command = []string{"sh"} }, []string{podSpec}},
		{"node", func(p *corev1.Pod) { p.Spec.NodeName = "other" }, []string{podSpec}},
		{"what may be changed", func(p *corev1.Pod) {
			p.Spec.Containers[0].Image, p.Spec.ActiveDeadlineSeconds = "other", new(int64(60))
			p.Spec.Tolerations = []corev1.Toleration{{Key: "a", Operator: "Exists"}}
		}, nil},
	})
	testRules(t, service("127.0.0.5", func(s *corev1.Service) { s.Spec.ClusterIPs = []string{"127.0.0.5"} }), []rule[*corev1.Service]{
		{"address", func(s *corev1.Service) { s.Spec.ClusterIP, s.Spec.ClusterIPs = "127.0.0.6", []string{"127.0.0.6"} }, []string{
			`spec.clusterIPs[0]: Invalid value: ["127.0.0.6"]: may not change once set`,
		}},
		{"headless", func(s *corev1.Service) { s.Spec.ClusterIP, s.Spec.ClusterIPs = "None", []string{"None"} }, []string{`spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set`}},
		{"no address any more", func(s *corev1.Service) { s.Spec.Type, s.Spec.ExternalName = "ExternalName", "example.org" }, nil},
	})
	testRules(t, &corev1.Secret{ObjectMeta: named, StringData: map[string]string{"a": "x"}, Immutable: new(true)}, []rule[*corev1.Secret]{
		{"type", func(s *corev1.Secret) { s.Type = "a/b" }, []string{`type: Invalid value: "a/b": field is immutable`}},
		{"data", func(s *corev1.Secret) { s.StringData = map[string]string{"a": "y"} }, []string{"data: Forbidden: " + set}},
		{"immutable", func(s *corev1.Secret) { s.Immutable = nil }, []string{"immutable: Forbidden: " + set}},
		{"the same in another way", func(s *corev1.Secret) {
			s.StringData, s.Labels = map[string]string{"a": "x"}, map[string]string{"a": "b"}
		}, nil},
	})
	testRules(t, &corev1.ConfigMap{ObjectMeta: named, Data: map[string]string{"a": "x"}, Immutable: new(true)}, []rule[*corev1.ConfigMap]{
		{"data", func(c *corev1.ConfigMap) { c.Data = nil }, []string{"data: Forbidden: " + set}},
		{"binary data", func(c *corev1.ConfigMap) { c.BinaryData = map[string][]byte{"b": {1}} }, []string{"binaryData: Forbidden: " + set}},
	})
	testRules(t, &appsv1.ControllerRevision{ObjectMeta: named, Data: runtime.RawExtension{Raw: []byte(`{"a":1}`)}}, []rule[*appsv1.ControllerRevision]{
		{"data", func(r *appsv1.ControllerRevision) { r.Data.Raw = []byte(`{"a":2}`) }, []string{`data: Invalid value: {"a":2}: field is immutable`}},
		{"revision", func(r *appsv1.ControllerRevision) { r.Revision = 5 }, nil},
	})
	testRules(t, &corev1.Node{ObjectMeta: named, Spec: corev1.NodeSpec{ProviderID: "p"}}, []rule[*corev1.Node]{
		{"provider", func(n *corev1.Node) { n.Spec.ProviderID = "q" }, []string{`spec.providerID: Forbidden: node updates may not change providerID except from "" to valid`}},
		{"namespace", func(n *corev1.Node) { n.Namespace = "default" }, []string{
			`metadata.namespace: Invalid value: "default": field is immutable`, "metadata.namespace: Forbidden: not allowed on this type",
		}},
		{"cordon", func(n *corev1.Node) { n.Spec.Unschedulable = true }, nil},
	})
	testRules(t, namespace("team"), []rule[*corev1.Namespace]{
		{"finalizers, which stay", func(n *corev1.Namespace) { n.Spec.Finalizers, n.Labels = nil, map[string]string{"a": "b"} }, nil},
		{"annotations", func(n *corev1.Namespace) { n.Annotations = map[string]string{"/": ""} }, []string{
			`metadata.annotations: Invalid value: "/": prefix part must be non-empty`,
			"metadata.annotations: Invalid value: \"/\": name part must be non-empty",
			"metadata.annotations: Invalid value: \"/\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
		}},
	})
	testRules(t, &coordinationv1.Lease{ObjectMeta: named}, []rule[*coordinationv1.Lease]{
		{"duration", func(l *coordinationv1.Lease) { l.Spec.LeaseDurationSeconds = new(int32(0)) }, []string{"spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"}},
		{"holder", func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = new("me") }, nil},
	})
	testRules(t, &discoveryv1.EndpointSlice{ObjectMeta: named, AddressType: "IPv4"}, []rule[*discoveryv1.EndpointSlice]{
		{"address type", func(s *discoveryv1.EndpointSlice) { s.AddressType = "IPv6" }, []string{`addressType: Invalid value: "IPv6": field is immutable`}},
	})
	testRules(t, &corev1.Event{ObjectMeta: named, InvolvedObject: corev1.ObjectReference{Namespace: "default"}}, []rule[*corev1.Event]{
		{"another namespace", func(e *corev1.Event) { e.InvolvedObject.Namespace = "b" }, []string{`involvedObject.namespace: Invalid value: "b": does not match event.namespace`}},
		{"count", func(e *corev1.Event) { e.Count, e.Message = 2, "again" }, nil},
	})
}
