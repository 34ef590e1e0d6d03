package deploy

import (
	"cmp"
	"slices"
)

// order are the steps in which kinds are applied: what others need comes before them. A kind that
// is not among them is custom, and comes with the mark for those.
var order = [][]string{
	{"Namespace"}, {"CustomResourceDefinition"}, {"PriorityClass"}, {"StorageClass"}, {"ServiceAccount"},
	{"ClusterRole", "Role"}, {"ClusterRoleBinding", "RoleBinding"}, {"ResourceQuota", "LimitRange"}, {"NetworkPolicy"}, {"Secret"}, {"ConfigMap"},
	{"PersistentVolume"}, {"PersistentVolumeClaim"}, {"Service"}, {"PodDisruptionBudget"}, {custom},
	{beforehand}, {"StatefulSet"}, {"DaemonSet"}, {"Deployment", "ReplicaSet", "ReplicationController"}, {"Pod"}, {"Job"}, {"CronJob"}, {"HorizontalPodAutoscaler"},
	{"Ingress"}, {"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"}, {"APIService"},
}

// custom stands for all kinds that the order does not name, beforehand for Jobs that have to finish
// first.
const (
	custom     = ""
	beforehand = "(before)"
)

// step is the number of the step in which an object is applied.
func step(o *Object) int {
	kind := o.GetKind()
	if o.before {
		kind = beforehand
	}
	has := func(name string) func([]string) bool {
		return func(kinds []string) bool { return slices.Contains(kinds, name) }
	}
	if i := slices.IndexFunc(order, has(kind)); i >= 0 {
		return i
	}
	return slices.IndexFunc(order, has(custom))
}

// Sort puts objects in the order in which they are applied. Within a kind, that of the files stays.
func Sort(objects []*Object) {
	slices.SortStableFunc(objects, func(a, b *Object) int { return cmp.Compare(step(a), step(b)) })
}

// steps are the objects of each step that has some, in the order of the steps.
func steps(objects []*Object) (all [][]*Object) {
	sorted := slices.Clone(objects)
	Sort(sorted)
	for _, o := range sorted {
		last := len(all) - 1
		if last >= 0 && step(all[last][0]) == step(o) {
			all[last] = append(all[last], o)
			continue
		}
		all = append(all, []*Object{o})
	}
	return all
}
