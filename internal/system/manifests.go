package system

import (
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/controller"
	"github.com/probity-run/probity/internal/formats"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/program"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// loader reads manifests and checks whether they can run here, one set after the other.
type loader struct {
	registry *registry.Registry
	environ  []string
	maxPods  int
	own      []string          // the manifests of which a part runs
	only     []string          // names of that part; none means all
	env      map[string]string // what documents of other formats refer to
	outputs  []fs.FileInfo
	read     func(manifest.Options, ...string) (*manifest.Set, error)
	// has room for one: who reads manifests and applies them puts something in
	turn chan struct{}

	said map[string]bool // of whose turn it is: remarks that were made, by line
}

func newLoader(r *registry.Registry, opts Options) *loader {
	l := &loader{registry: r, environ: opts.Environ, maxPods: opts.MaxPods, own: opts.Manifests, only: opts.Only, read: manifest.Load,
		env: opts.Env, turn: make(chan struct{}, 1), said: map[string]bool{}}
	for _, file := range opts.Outputs {
		if info, err := file.Stat(); err == nil { // what is closed cannot be read by mistake
			l.outputs = append(l.outputs, info)
		}
	}
	return l
}

// manifests are what some files ask for, checked and ready to be applied.
type manifests struct {
	set *manifest.Set
	// pods are those that would be there after a first start, and origins the objects that ask for
	// them, index by index.
	pods    []*corev1.Pod
	origins []manifest.Object
}

// load reads manifests and makes sure that what they ask for can run here. ownPort, if not nil,
// reports whether Pods of this system have a port, and would make room. Every error is bad input.
func (l *loader) load(paths []string, opts manifest.Options, ownPort func(port int32) bool) (*manifests, error) {
	opts.Outputs, opts.Formats = l.outputs, formats.All(formats.Options{Run: true, Env: l.env, Named: paths, Together: true})
	set, err := l.read(opts, paths...)
	if err != nil {
		return nil, err
	}
	if len(l.only) > 0 && slices.Equal(paths, l.own) {
		if err := keepOnly(set, l.only); err != nil {
			return nil, err
		}
	}
	if err := checkCount(set.Objects, l.maxPods); err != nil {
		return nil, err
	}
	m := &manifests{set: set}
	for _, object := range set.Objects {
		pods, err := controller.Pods(object.Resource)
		if err != nil {
			return nil, err
		}
		for _, pod := range pods {
			if err := noteManifest(pod, object.Position.File); err != nil {
				return nil, err
			}
			l.registry.Bind(pod)
			m.pods = append(m.pods, pod)
			m.origins = append(m.origins, object)
		}
	}
	if len(m.pods) == 0 {
		return nil, fmt.Errorf("cannot run %s: no Pod, Deployment, ReplicaSet or StatefulSet is in it", strings.Join(paths, " "))
	}
	return m, m.check(l.environ, ownPort)
}

// check finds what would keep the Pods from running here, once per object and field.
func (m *manifests) check(environ []string, ownPort func(port int32) bool) error {
	var problems checkError
	seen := map[string]bool{}
	for i, found := range node.Check(m.pods, node.CheckOptions{Objects: program.Manifests(m.set.Objects), Environ: environ, Own: ownPort}) {
		origin := m.origins[i]
		_, _, prefix, _ := origin.Template()
		for _, p := range found {
			field := p.Field
			if prefix != "" {
				field = prefix + "." + field
			}
			if p.Container != nil {
				problems.addMissing(origin, field, p.Container.Name, p.Container.Image)
			}
			e := &manifest.Error{Position: origin.PositionOf(field), Object: origin.Ref(), Field: field, Message: p.Message, Original: origin.Original(field)}
			if !seen[e.Error()] {
				seen[e.Error()] = true
				problems.Errors = append(problems.Errors, e)
			}
		}
	}
	if len(problems.Errors) == 0 {
		return nil
	}
	return &problems
}

// news are the remarks about manifests that were not made before.
func (l *loader) news(m *manifests) []string {
	all := m.remarks()
	lines := slices.DeleteFunc(slices.Clone(all), func(line string) bool { return l.said[line] })
	for _, line := range all {
		l.said[line] = true
	}
	return lines
}

// remarks are lines about what is not done here: kinds that are left alone, fields that are not
// applied, and the API server's warnings.
func (m *manifests) remarks() (lines []string) {
	for _, n := range m.set.Joined {
		lines = append(lines, fmt.Sprintf("note: %s", n))
	}
	for _, w := range m.set.Warnings {
		lines = append(lines, fmt.Sprintf("warning: %s", w))
	}
	for _, u := range m.set.Unknown {
		lines = append(lines, fmt.Sprintf("left alone: %s: %s %s (%s): Probity does not run this kind", u.Position, printable.Line(printable.Cut(u.Kind)),
			printable.Line(printable.Cut(u.Name)), printable.Line(printable.Cut(u.APIVersion))))
	}
	for _, n := range m.set.NotApplied {
		lines = append(lines, fmt.Sprintf("not applied here: %s", n))
	}
	return lines
}

// services are the Services of manifests that have an address of their own, by namespace and name.
func (m *manifests) services() (names []string) {
	for _, o := range m.set.Objects {
		if s, ok := o.Resource.(*corev1.Service); ok && s.Spec.ClusterIP != corev1.ClusterIPNone && s.Spec.Type != corev1.ServiceTypeExternalName {
			names = append(names, s.Namespace+"/"+s.Name)
		}
	}
	return names
}

// desired is what a manifest asks for of an object.
func desired(object manifest.Object) (*wish, error) {
	configuration, err := object.Configuration()
	if err != nil {
		return nil, err
	}
	desired := object.Resource.DeepCopyObject().(store.Object)
	return &wish{desired, configuration}, noteManifest(desired, object.Position.File)
}

// noteManifest notes on an object which file it comes from.
func noteManifest(object metav1.Object, file string) error {
	path, err := filepath.Abs(file)
	if err != nil {
		return fmt.Errorf("cannot find the folder of %s: %w", file, err)
	}
	annotate(object, manifest.AnnotationManifest, path)
	return nil
}

func annotate(object metav1.Object, name, value string) {
	annotations := maps.Clone(object.GetAnnotations())
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[name] = value
	object.SetAnnotations(annotations)
}
