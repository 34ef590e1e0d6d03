package playground

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/rules"
	"github.com/probity-run/probity/internal/dashboard/draft"
	"github.com/probity-run/probity/internal/formats"
	"github.com/probity-run/probity/internal/manifest"
)

// stdin stands for the text among paths: it is read as the command line reads its standard input.
const stdin = "-"

// Check is what `probity check -` finds in a text. The error is about what cannot be read, beside
// what is found in the rest.
func Check(text string) (*advisor.Report, error) {
	m, err := advisor.Read(strings.NewReader(text), nil, stdin)
	return advisor.NewReport(m, rules.All(), nil), err
}

// Manifests are the objects of a text that are free of errors, as `probity simulate -` reads them.
type Manifests struct{ objects []manifest.Object }

// Read reads a text. What is wrong in it is what [Check] is for.
func Read(text string) Manifests {
	set, _ := manifest.Load(manifest.Options{ // its errors are findings
		Stdin: strings.NewReader(text), AllWorkloads: true, Formats: formats.All(formats.Options{Named: []string{stdin}, Together: true}),
	}, stdin)
	return Manifests{set.Objects}
}

// pathOf names an object in addresses, as the pages of the dashboard do.
func pathOf(o manifest.Object) string {
	ref := o.Ref()
	return strings.ToLower(ref.Kind) + "/" + ref.Namespace + "/" + ref.Name
}

// workloads are the objects whose probes can be configured, in the order of the text.
func (m Manifests) workloads() []manifest.Object {
	return slices.DeleteFunc(slices.Clone(m.objects), func(o manifest.Object) bool {
		_, _, prefix, ok := o.Template()
		return !ok || prefix != "" && prefix != "spec.template" || o.Ref().Kind == "Job"
	})
}

// workload is the one of that path, or the first; ok is false if there is none at all.
func (m Manifests) workload(path string) (o manifest.Object, ok bool) {
	all := m.workloads()
	if len(all) == 0 {
		return o, false
	}
	i := slices.IndexFunc(all, func(o manifest.Object) bool { return pathOf(o) == path })
	return all[max(i, 0)], true
}

// others are the objects that belong to a workload when it is judged: the Services in front of it.
func (m Manifests) others(workload manifest.Object) (all []manifest.Resource) {
	meta, _, _, ok := workload.Template()
	if !ok {
		return nil
	}
	for _, o := range m.objects {
		service, ok := o.Resource.(*corev1.Service)
		if ok && len(service.Spec.Selector) > 0 && service.Namespace == workload.Ref().Namespace && labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(meta.Labels)) {
			all = append(all, service)
		}
	}
	return all
}

// draftOf is a workload whose probes are configured, in a container of it that exists.
func draftOf(o manifest.Object, container string) draft.Workload {
	load := draft.Workload{Resource: o.Resource, Container: container}
	if written, err := o.Configuration(); err == nil { // else all of it counts as written
		load.Written = written
	}
	if c, _ := load.Spec(); c == nil {
		load.Container = ""
	}
	return load
}
