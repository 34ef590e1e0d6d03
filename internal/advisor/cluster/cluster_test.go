package cluster

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/evidence"
	"github.com/probity-run/probity/internal/advisor/rules"
	"github.com/probity-run/probity/internal/advisor/rules/seen"
)

// deployment is one as a server gives it: without its kind, with defaults, status and what servers
// note. Its liveness probe kills at the first failure.
func deployment(namespace, name string) *appsv1.Deployment {
	probe := func(path string, threshold int32) *corev1.Probe {
		return &corev1.Probe{
			ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromInt32(80), Scheme: corev1.URISchemeHTTP}},
			PeriodSeconds: 10, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: threshold,
		}
	}
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name, UID: types.UID(name), ResourceVersion: "7", Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: "{}"},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}, {Manager: "kubelet", Subresource: "status"}, {Manager: "kubectl"}},
		},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
				TerminationGracePeriodSeconds: new(int64(30)), Containers: []corev1.Container{{
					Name: "web", Image: "web", Ports: []corev1.ContainerPort{{ContainerPort: 80, Protocol: corev1.ProtocolTCP}},
					LivenessProbe: probe("/livez", 1), ReadinessProbe: probe("/readyz", 3),
				}},
			}},
		},
		Status: appsv1.DeploymentStatus{Replicas: 2},
	}
}

// observed has two Pods of a Deployment that were restarted nine times each.
func observed(namespace, name string) *evidence.Observations {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	o := evidence.New(evidence.Options{Now: now})
	o.AddOwner(&metav1.ObjectMeta{Namespace: namespace, UID: "set", OwnerReferences: []metav1.OwnerReference{{Kind: "Deployment", Name: name, Controller: new(true)}}})
	for i := range 2 {
		o.AddPod(&corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: namespace, Name: fmt.Sprint(name, i), UID: types.UID(fmt.Sprint(name, i)), CreationTimestamp: metav1.NewTime(now.Add(-time.Hour)),
				OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: name, UID: "set", Controller: new(true)}},
			},
			Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "web", RestartCount: 9}}},
		})
	}
	return o
}

func add(t *testing.T, o *Objects, all ...*appsv1.Deployment) {
	t.Helper()
	for _, d := range all {
		if err := o.Add(d); err != nil {
			t.Fatal(err)
		}
	}
}

func all() []advisor.Rule { return Rules(rules.All()) }

// TestJudge: live objects are judged by namespace, findings name the object and the field, and what
// was seen is merged, unless an annotation accepts it.
func TestJudge(t *testing.T) {
	var o Objects
	calm := deployment("shop", "calm")
	calm.Annotations = map[string]string{
		"probity.run/ignore.restarts-seen": "it is a test of chaos", "probity.run/ignore.liveness-threshold-too-low": "it is meant so",
		"probity.run/ignore.no-such-rule": "nothing",
	}
	add(t, &o, deployment("shop", "web"), deployment("shelf", "web"), calm, deployment("shop", "web")) // as a list that began again
	report, err := o.Judge(all(), observed("shop", "calm"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range slices.Concat(report.Findings, report.Accepted) {
		got = append(got, fmt.Sprintf("%s/%s %s %s %q", f.Object.Namespace, f.Object.Name, f.Rule, f.Basis, f.Suppressed))
		if f.Region != (advisor.Region{}) || f.Source != "" || f.Scenario != "" {
			t.Errorf("%s: it points into a file: %+v", f.Rule, f)
		}
	}
	want := []string{
		`shelf/web liveness-threshold-too-low predicted ""`,
		`shop/calm unused-suppression predicted ""`,
		`shop/web liveness-threshold-too-low predicted ""`,
		`shop/calm liveness-threshold-too-low predicted "it is meant so"`,
		`shop/calm restarts-seen seen "it is a test of chaos"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if report.Workloads != 3 || report.Namespaces != 2 {
		t.Errorf("%d workloads in %d namespaces", report.Workloads, report.Namespaces)
	}
	if err := o.Add(&corev1.ConfigMap{}); err == nil {
		t.Error("a ConfigMap is judged")
	}
}

// TestPatches: the patch is what changes, and who keeps the object is named.
func TestPatches(t *testing.T) {
	const before, after = `"failureThreshold":1`, `"failureThreshold":3`
	for name, c := range map[string]struct {
		change        func(*appsv1.Deployment)
		owner         string
		before, after string // what changes
	}{
		"kubectl": {func(*appsv1.Deployment) {}, "", before, after},
		"Helm":    {func(d *appsv1.Deployment) { d.Annotations["meta.helm.sh/release-name"] = "shop" }, "Helm, release shop", before, after},
		"Argo CD": {
			func(d *appsv1.Deployment) {
				d.Annotations["argocd.argoproj.io/tracking-id"] = "shop:apps/Deployment:shop/web"
			},
			"Argo CD, application shop", before, after,
		},
		"Flux": {
			func(d *appsv1.Deployment) { d.Labels = map[string]string{"kustomize.toolkit.fluxcd.io/name": "apps"} },
			"Flux, Kustomization apps", before, after,
		},
		"an operator": {
			func(d *appsv1.Deployment) {
				d.OwnerReferences = []metav1.OwnerReference{{Kind: "Shop", Name: "eu", Controller: new(true)}}
			},
			"Shop eu", before, after,
		},
		"a field goes": {
			func(d *appsv1.Deployment) {
				d.Spec.Template.Spec.Containers[0].LivenessProbe.FailureThreshold = 3
				d.Annotations["probity.run/ignore.no-drain"] = "it was so once"
			},
			"", "ignore.no-drain", `"name":"web"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var o Objects
			d := deployment("shop", "web")
			c.change(d)
			add(t, &o, d, deployment("shop", "other"))
			patches, err := o.Patches(all(), evidence.New(evidence.Options{}))
			i := slices.IndexFunc(patches, func(p Patch) bool { return p.Object.Name == "web" })
			if err != nil || i < 0 {
				t.Fatalf("patches %+v, error %v", patches, err)
			}
			p := patches[i]
			changes := strings.Contains(string(p.Before), c.before) && !strings.Contains(string(p.After), c.before) && strings.Contains(string(p.After), c.after)
			if p.Owner != c.owner || !changes || len(p.Rules) != 1 || len(p.Managed) != 2 || p.Managed[0].Manager != "kubectl" || p.APIVersion != "apps/v1" {
				t.Errorf("owner %q, rules %v, managed %v\nbefore %s\nafter  %s", p.Owner, p.Rules, p.Managed, p.Before, p.After)
			}
		})
	}
}

// TestLeft: what a patch puts right is not left, and nothing else goes: not in objects whose patch
// is not applied, and not what was seen and nothing has foretold.
func TestLeft(t *testing.T) {
	var o Objects
	calm := deployment("shop", "calm")
	calm.Spec.Template.Spec.Containers[0].LivenessProbe.FailureThreshold = 3
	add(t, &o, deployment("shop", "web"), deployment("shop", "helms"), deployment("shelf", "web"), calm)
	seen := observed("shop", "calm")
	report, err := o.Judge(all(), seen, nil)
	if err != nil {
		t.Fatal(err)
	}
	patches, err := o.Patches(all(), seen)
	if err != nil || len(patches) != 3 {
		t.Fatalf("%d patches, %v", len(patches), err)
	}
	applied := slices.DeleteFunc(patches, func(p Patch) bool { return nameOf(p.Object) != "shop/deployment/web" })
	left, err := o.Left(report, all(), applied)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range left.Findings {
		got = append(got, nameOf(f.Object)+" "+f.Rule)
	}
	want := []string{"shelf/deployment/web liveness-threshold-too-low", "shop/deployment/calm restarts-seen", "shop/deployment/helms liveness-threshold-too-low"}
	if !slices.Equal(got, want) || len(report.Findings) != 4 {
		t.Errorf("left are %q of %d, want %q of 4", got, len(report.Findings), want)
	}
}

// TestNothingToPatch: what was seen alone has no patch.
func TestNothingToPatch(t *testing.T) {
	var o Objects
	d := deployment("shop", "web")
	d.Spec.Template.Spec.Containers[0].LivenessProbe.FailureThreshold = 3
	add(t, &o, d)
	report, err := o.Judge(all(), observed("shop", "web"), nil)
	if err != nil || len(report.Findings) != 1 || report.Findings[0].Rule != seen.Restarts {
		t.Fatalf("found %+v, %v", report.Findings, err)
	}
	if patches, err := o.Patches(all(), observed("shop", "web")); err != nil || len(patches) > 0 {
		t.Errorf("patches %+v, error %v", patches, err)
	}
}
