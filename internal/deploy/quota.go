package deploy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/kube"
)

// quotas are the objects that bound a namespace.
var quotas = kube.Kind{Version: "v1", Plural: "resourcequotas", Singular: "resourcequota"}

// demand is what a workload needs beyond what runs of it, when it needs most.
type demand struct {
	of string
	// pods are more than there are; surge of them only while it rolls out.
	pods, surge int
	each        corev1.PodSpec
}

// tellQuotas warns of quotas that leave no room for the rollout. Who may not read them is told
// nothing.
func (d *Deployment) tellQuotas(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, requestTime) // of all: it is only a warning
	defer cancel()
	needs := map[string][]demand{}
	for _, e := range d.Entries {
		if need, ok := demandOf(e); ok {
			needs[e.GetNamespace()] = append(needs[e.GetNamespace()], need)
		}
	}
	for _, namespace := range slices.Sorted(maps.Keys(needs)) {
		var list corev1.ResourceQuotaList
		if d.options.Cluster.List(ctx, quotas, namespace, metav1.ListOptions{}, &list) != nil {
			continue
		}
		for _, text := range noRoom(list.Items, needs[namespace]) {
			d.report(Event{Kind: "warning", Text: text})
		}
	}
}

// demandOf is the demand of an entry; ok is false if it needs no more than there is, or that is not
// known.
func demandOf(e *Entry) (need demand, ok bool) {
	planned := e.Planned
	if planned == nil {
		return demand{}, false // where it will live, or what it is, is not there yet
	}
	need.of = e.Object.String()
	switch e.kind().String() {
	case "Deployment.apps":
		var was, is appsv1.Deployment
		if !typed(e.Before, &was) || !typed(planned, &is) {
			return demand{}, false
		}
		before, after := replicas(e.Before, was.Spec.Replicas), replicas(planned, is.Spec.Replicas)
		if rolling := is.Spec.Strategy.RollingUpdate; rolling != nil && before > 0 && changesTemplate(e) {
			need.surge, _ = intstr.GetScaledValueFromIntOrPercent(intstr.ValueOrDefault(rolling.MaxSurge, intstr.FromString("25%")), after, true) // the server has checked it
		}
		need.pods, need.each = after+need.surge-before, is.Spec.Template.Spec
	case "StatefulSet.apps":
		var was, is appsv1.StatefulSet
		if !typed(e.Before, &was) || !typed(planned, &is) {
			return demand{}, false
		}
		need.pods, need.each = replicas(planned, is.Spec.Replicas)-replicas(e.Before, was.Spec.Replicas), is.Spec.Template.Spec
	case "Job.batch":
		var is batchv1.Job
		if e.Before != nil || !typed(planned, &is) {
			return demand{}, false
		}
		need.pods, need.each = replicas(planned, is.Spec.Parallelism), is.Spec.Template.Spec
	case "Pod":
		var is corev1.Pod
		if e.Before != nil || !typed(planned, &is) {
			return demand{}, false
		}
		need.pods, need.each = 1, is.Spec
	}
	return need, need.pods > 0
}

// typed reads an object; nil is one without anything.
func typed(o *unstructured.Unstructured, into any) bool {
	return o == nil || runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, into) == nil
}

// replicas are those of an object, none if it is not there.
func replicas(o *unstructured.Unstructured, count *int32) int {
	switch {
	case o == nil:
		return 0
	case count == nil:
		return 1
	}
	return int(*count)
}

// noRoom tells of each resource of a quota of which more is needed than is left. Quotas for some
// Pods only are not judged.
func noRoom(list []corev1.ResourceQuota, needs []demand) (texts []string) {
	for _, q := range list {
		if len(q.Spec.Scopes) > 0 || q.Spec.ScopeSelector != nil {
			continue
		}
		names := slices.SortedFunc(maps.Keys(q.Status.Hard), func(a, b corev1.ResourceName) int { return strings.Compare(string(a), string(b)) })
		for _, name := range names {
			hard, used := q.Status.Hard[name], q.Status.Used[name]
			total, by := resource.Quantity{}, []string{}
			for _, need := range needs {
				one := podNeeds(&need.each, name)
				if one.IsZero() {
					continue
				}
				whole := one.DeepCopy()
				whole.Mul(int64(need.pods))
				total.Add(whole)
				by = append(by, need.text())
			}
			left := hard.DeepCopy()
			left.Sub(used)
			if total.Cmp(left) > 0 {
				texts = append(texts, fmt.Sprintf("quota %s leaves no room: %s %s of %s used, and %s more are needed at most (%s)",
					q.Name, name, used.String(), hard.String(), total.String(), strings.Join(by, ", ")))
			}
		}
	}
	return texts
}

// text is how many more Pods it needs.
func (n demand) text() string {
	if n.surge > 0 {
		return fmt.Sprintf("%s: %d more Pods, %d of them while it rolls out", n.of, n.pods, n.surge)
	}
	return fmt.Sprintf("%s: %d more Pods", n.of, n.pods)
}

// podNeeds is what a Pod counts of a resource of a quota: of those that it knows.
func podNeeds(pod *corev1.PodSpec, name corev1.ResourceName) resource.Quantity {
	short, limits := strings.CutPrefix(string(name), "limits.")
	if !limits {
		short = strings.TrimPrefix(short, "requests.")
	}
	switch short {
	case "pods", "count/pods":
		return resource.MustParse("1")
	case "cpu", "memory", "ephemeral-storage":
	default:
		return resource.Quantity{}
	}
	of := func(c *corev1.Container) resource.Quantity {
		limit := c.Resources.Limits[corev1.ResourceName(short)]
		if request, ok := c.Resources.Requests[corev1.ResourceName(short)]; ok && !limits {
			return request
		}
		return limit // a request that nobody makes is the limit
	}
	sum, most := resource.Quantity{}, resource.Quantity{}
	for i := range pod.InitContainers {
		c := &pod.InitContainers[i]
		one := of(c)
		if c.RestartPolicy != nil { // it stays
			sum.Add(one)
		} else if one.Cmp(most) > 0 {
			most = one
		}
	}
	for i := range pod.Containers {
		sum.Add(of(&pod.Containers[i]))
	}
	if most.Cmp(sum) > 0 {
		return most
	}
	return sum
}
