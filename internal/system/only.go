package system

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
)

// keepOnly leaves out what does not belong to the workloads of some names: other workloads, and
// Services that select no Pod of these. A name is that of an object, or has the kind before it, as
// in "deployment/web". ConfigMaps and Secrets stay.
func keepOnly(set *manifest.Set, only []string) error {
	found, known := map[string]bool{}, []string{}
	var templates []labels.Set
	kept := map[manifest.Ref]bool{}
	for _, o := range set.Objects {
		meta, _, _, isPod := o.Template()
		if !isPod {
			continue
		}
		ref := o.Ref()
		key := registry.CommandKey(ref.Kind, ref.Name)
		known = append(known, key)
		for _, name := range only {
			if name == ref.Name || name == key {
				found[name], kept[ref] = true, true
				templates = append(templates, labels.Set(meta.Labels))
			}
		}
	}
	for _, name := range only {
		if !found[name] {
			return fmt.Errorf("cannot run only %q: there is no such workload, but %s", name, strings.Join(known, ", "))
		}
	}
	set.Objects = slices.DeleteFunc(slices.Clone(set.Objects), func(o manifest.Object) bool {
		if service, ok := o.Resource.(*corev1.Service); ok {
			selector := labels.SelectorFromSet(service.Spec.Selector)
			kept[o.Ref()] = len(service.Spec.Selector) == 0 || slices.ContainsFunc(templates, func(l labels.Set) bool { return selector.Matches(l) })
			return !kept[o.Ref()]
		}
		_, _, _, isPod := o.Template()
		return isPod && !kept[o.Ref()]
	})
	gone := func(n manifest.Note) bool {
		return slices.ContainsFunc([]string{"Service", "Pod", "Deployment", "ReplicaSet", "StatefulSet"}, func(kind string) bool { return kind == n.Object.Kind }) && !kept[n.Object]
	}
	set.NotApplied, set.Warnings = slices.DeleteFunc(slices.Clone(set.NotApplied), gone), slices.DeleteFunc(slices.Clone(set.Warnings), gone)
	return nil
}

// checkCommands makes sure that every program of the options that names a workload stands for one
// of its containers.
func (m *manifests) checkCommands(commands map[string]string) error {
	var known []string
	for i, pod := range m.pods {
		ref := m.origins[i].Ref()
		for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
			known = append(known, registry.CommandKey(ref.Kind, ref.Name)+":"+c.Name)
		}
	}
	for key := range commands {
		if strings.Contains(key, "/") && !slices.Contains(known, key) {
			slices.Sort(known)
			return fmt.Errorf("cannot use --command %s: there is no such container, but %s", key, strings.Join(slices.Compact(known), ", "))
		}
	}
	return nil
}
