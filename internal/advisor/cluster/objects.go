package cluster

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/ownership"
)

// Objects are those of a cluster that are judged. The zero value has none.
type Objects struct {
	namespaces map[string][]object
	index      map[string]int // of an object in its namespace, by its name
}

// object is what is kept of one.
type object struct {
	name string // as a file's
	text []byte // JSON
	// owner says who keeps the object, if that is not the one who reads this: a Helm release, or a
	// program that brings it to what a repository says.
	owner string
	// managed says who has written which of its fields.
	managed []metav1.ManagedFieldsEntry
}

// written is an object as somebody could have written it.
type written struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   metadata `json:"metadata"`
	Spec       any      `json:"spec"`
}

type metadata struct {
	Name        string            `json:"name"`
	Namespace   string            `json:"namespace,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Add takes an object: a workload, a Service, a HorizontalPodAutoscaler or a PodDisruptionBudget;
// one that is there already is replaced. It may be changed afterwards. The error says that it
// cannot be written as text.
func (o *Objects) Add(r manifest.Resource) error {
	w, ok := write(r)
	if !ok {
		return fmt.Errorf("cannot judge a %T", r)
	}
	annotations := maps.Clone(r.GetAnnotations())
	delete(annotations, corev1.LastAppliedConfigAnnotation)
	w.Metadata = metadata{r.GetName(), r.GetNamespace(), r.GetLabels(), annotations}
	text, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("cannot write %s %s/%s: %w", w.Kind, r.GetNamespace(), r.GetName(), err)
	}
	if o.namespaces == nil {
		o.namespaces = map[string][]object{}
	}
	ns := strings.Clone(r.GetNamespace())
	kept := object{name: nameOf(manifest.Ref{Kind: w.Kind, Namespace: ns, Name: r.GetName()}), text: text, owner: ownerOf(r), managed: slices.DeleteFunc(slices.Clone(r.GetManagedFields()), isOfStatus)}
	if o.index == nil {
		o.index = map[string]int{}
	}
	if i, again := o.index[kept.name]; again { // a list that began again
		o.namespaces[ns][i] = kept
		return nil
	}
	o.index[kept.name] = len(o.namespaces[ns])
	o.namespaces[ns] = append(o.namespaces[ns], kept)
	return nil
}

// isOfStatus reports whether managed fields are those of a status, which nobody patches.
func isOfStatus(e metav1.ManagedFieldsEntry) bool { return e.Subresource == "status" }

// nameOf is how an object is named where a file's name would stand.
func nameOf(r manifest.Ref) string { return r.Namespace + "/" + strings.ToLower(r.Kind) + "/" + r.Name }

// write is the part of an object that somebody writes.
func write(r manifest.Resource) (w written, ok bool) {
	switch o := r.(type) {
	case *corev1.Pod:
		return written{APIVersion: "v1", Kind: "Pod", Spec: o.Spec}, true
	case *corev1.Service:
		return written{APIVersion: "v1", Kind: "Service", Spec: o.Spec}, true
	case *appsv1.Deployment:
		return written{APIVersion: "apps/v1", Kind: "Deployment", Spec: o.Spec}, true
	case *appsv1.ReplicaSet:
		return written{APIVersion: "apps/v1", Kind: "ReplicaSet", Spec: o.Spec}, true
	case *appsv1.StatefulSet:
		return written{APIVersion: "apps/v1", Kind: "StatefulSet", Spec: o.Spec}, true
	case *appsv1.DaemonSet:
		return written{APIVersion: "apps/v1", Kind: "DaemonSet", Spec: o.Spec}, true
	case *batchv1.Job:
		return written{APIVersion: "batch/v1", Kind: "Job", Spec: o.Spec}, true
	case *batchv1.CronJob:
		return written{APIVersion: "batch/v1", Kind: "CronJob", Spec: o.Spec}, true
	case *autoscalingv1.HorizontalPodAutoscaler:
		return written{APIVersion: "autoscaling/v1", Kind: "HorizontalPodAutoscaler", Spec: o.Spec}, true
	case *policyv1.PodDisruptionBudget:
		return written{APIVersion: "policy/v1", Kind: "PodDisruptionBudget", Spec: o.Spec}, true
	}
	return written{}, false
}

// ownerOf says what keeps an object, so that a change by hand would not last; empty if nothing is
// known to.
func ownerOf(r metav1.Object) string {
	if owner := ownership.Owner(r); owner != "" {
		return owner
	}
	if r.GetLabels()["app.kubernetes.io/managed-by"] == "Helm" {
		return "Helm"
	}
	return ""
}

// manifests relates the objects of a namespace to each other.
func (o *Objects) manifests(namespace string) (*advisor.Manifests, error) {
	var sources []advisor.Source
	texts := map[string][]byte{}
	for _, object := range o.namespaces[namespace] {
		sources = append(sources, advisor.Source{Name: object.name})
		texts[object.name] = object.text
	}
	return advisor.NewManifests(sources...).With(texts)
}

// sorted are the names of the namespaces.
func (o *Objects) sorted() []string { return slices.Sorted(maps.Keys(o.namespaces)) }
