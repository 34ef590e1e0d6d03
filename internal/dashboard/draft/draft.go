package draft

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/probity-run/probity/internal/manifest"
)

// Workload is an object whose probes are configured, and which of its containers they belong to.
type Workload struct {
	// Resource is the object as it is, with its defaults. It is not modified.
	Resource manifest.Resource
	// Container is the name of the container. Default: the first one.
	Container string
	// Written is what somebody wrote of the object, as JSON. Default: what was applied last by that
	// annotation, else all of it.
	Written string
}

// Containers are the names of the containers that may have probes, in the order of the object.
func (w Workload) Containers() (names []string) {
	_, spec, _, ok := manifest.Object{Resource: w.Resource}.Template()
	if !ok {
		return nil
	}
	for _, c := range spec.Containers {
		names = append(names, c.Name)
	}
	for _, c := range spec.InitContainers {
		if isSidecar(&c) {
			names = append(names, c.Name)
		}
	}
	return names
}

func isSidecar(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// container is the container in an object of the workload's type, its path, and the Pod's grace
// period.
func (w Workload) container(r manifest.Resource) (c *corev1.Container, path string, spec *corev1.PodSpec) {
	_, spec, prefix, ok := manifest.Object{Resource: r}.Template()
	if !ok {
		return nil, "", nil
	}
	at := "spec"
	if prefix != "" {
		at = prefix + ".spec"
	}
	for i := range spec.Containers {
		if c := &spec.Containers[i]; c.Name == w.Container || w.Container == "" {
			return c, fmt.Sprintf("%s.containers[%d]", at, i), spec
		}
	}
	for i := range spec.InitContainers {
		if c := &spec.InitContainers[i]; c.Name == w.Container && isSidecar(c) {
			return c, fmt.Sprintf("%s.initContainers[%d]", at, i), spec
		}
	}
	return nil, "", spec
}

// Spec is the container as it is, nil if the object has none of that name, and its path.
func (w Workload) Spec() (c *corev1.Container, path string) {
	c, path, _ = w.container(w.Resource)
	return c, path
}

// Grace is the Pod's terminationGracePeriodSeconds.
func (w Workload) Grace() int64 {
	_, _, spec := w.container(w.Resource)
	if spec == nil || spec.TerminationGracePeriodSeconds == nil {
		return corev1.DefaultTerminationGracePeriodSeconds
	}
	return *spec.TerminationGracePeriodSeconds
}

// Replicas is how many Pods the object asks for.
func (w Workload) Replicas() int {
	var n *int32
	switch o := w.Resource.(type) {
	case *appsv1.Deployment:
		n = o.Spec.Replicas
	case *appsv1.StatefulSet:
		n = o.Spec.Replicas
	case *appsv1.ReplicaSet:
		n = o.Spec.Replicas
	}
	if n == nil {
		return 1
	}
	return int(*n)
}

// Values are what the workload's probes are now.
func (w Workload) Values() Values {
	c, _ := w.Spec()
	if c == nil {
		return Values{}
	}
	return Read(c, w.Grace(), w.written(c.Name))
}

// written reports of a field of a container whether somebody wrote it, as far as the object tells.
func (w Workload) written(container string) func(string) bool {
	tree := containerTree(w.configuration(), container)
	return func(field string) bool {
		var value any = tree
		for step := range strings.SplitSeq(field, ".") {
			inner, ok := value.(map[string]any)
			if !ok {
				return false
			}
			value = inner[step]
		}
		return value != nil
	}
}

// Draft is what an object becomes.
type Draft struct {
	Workload Workload // as it was
	Values   Values
	// Resource is the changed object, with its defaults. It may be wrong.
	Resource manifest.Resource
	// Errors are what the API server would find wrong, those of the form's fields first.
	Errors []Error
	// Changed reports whether the probes differ from those of the object.
	Changed bool
}

// ErrNoContainer says that an object has no container of that name.
var ErrNoContainer = errors.New("the object has no such container")

// New makes a draft of what was typed.
func (w Workload) New(v Values) (*Draft, error) {
	d := &Draft{Workload: w, Values: v, Resource: w.Resource.DeepCopyObject().(manifest.Resource)}
	c, path, _ := w.container(d.Resource)
	if c == nil {
		return nil, ErrNoContainer
	}
	for _, probe := range Probes() {
		tree, errs := v.tree(probe, path)
		d.Errors = append(d.Errors, errs...)
		p, err := decodeProbe(tree)
		if err != nil {
			return nil, fmt.Errorf("cannot read the %s: %w", probe, err)
		}
		switch probe {
		case Startup:
			c.StartupProbe = p
		case Readiness:
			c.ReadinessProbe = p
		default:
			c.LivenessProbe = p
		}
	}
	manifest.Default(d.Resource)
	d.validate(path)
	d.Changed = len(Differences(w.Values(), v)) > 0
	return d, nil
}

// decodeProbe reads a probe; nil if there is none.
func decodeProbe(tree map[string]any) (*corev1.Probe, error) {
	if tree == nil {
		return nil, nil
	}
	text, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	p := &corev1.Probe{}
	return p, json.Unmarshal(text, p)
}

// validate attaches what the API server would say to the fields. What a field could not be read
// says comes first, and hides what the server would say of its absence.
func (d *Draft) validate(path string) {
	known := d.fields()
	said := map[string]bool{}
	for _, e := range d.Errors {
		said[e.Field] = true
	}
	var others []Error
	for _, e := range manifest.Validate(d.Resource) {
		name := fieldOf(e, path, known)
		switch {
		case name == "":
			others = append(others, Error{Text: e.Error()})
		case !said[name]:
			d.Errors = append(d.Errors, Error{name, e.Error()})
		}
	}
	d.Errors = append(d.Errors, others...)
}

// fields are the names of the form's fields that count.
func (d *Draft) fields() map[string]bool {
	known := map[string]bool{}
	for _, probe := range Probes() {
		known[probe+handlerField] = true
		for _, p := range Parameters(probe, "") {
			known[probe+"."+p.Name] = true
		}
	}
	return known
}

// fieldOf is the field of the form that an error is about, "" if there is none: the field itself,
// or the nearest one around it (httpHeaders[0].name).
func fieldOf(e *field.Error, path string, known map[string]bool) string {
	name, ok := strings.CutPrefix(e.Field, path+".")
	if !ok {
		return ""
	}
	for ; name != ""; name = name[:max(strings.LastIndexAny(name, ".["), 0)] {
		if known[name] {
			return name
		}
		if slices.Contains(Probes(), name) {
			return name + handlerField
		}
	}
	return ""
}

// configuration is the object as somebody wrote it: what was applied last, or if nothing was, all
// of it but what a server sets.
func (w Workload) configuration() map[string]any {
	var tree map[string]any
	text := cmp.Or(w.Written, w.Resource.GetAnnotations()[corev1.LastAppliedConfigAnnotation])
	if text != "" && json.Unmarshal([]byte(text), &tree) == nil && len(tree) > 0 {
		return tree
	}
	copied := w.Resource.DeepCopyObject().(manifest.Resource)
	kind := copied.GetObjectKind().GroupVersionKind()
	manifest.PrepareForCreate(copied)
	all, err := json.Marshal(copied)
	if err != nil || json.Unmarshal(all, &tree) != nil {
		return map[string]any{}
	}
	tree["apiVersion"], tree["kind"] = kind.ToAPIVersionAndKind()
	delete(tree, "status")
	prune(tree)
	return tree
}

// prune takes away what is null or empty, and the notes of Probity.
func prune(tree map[string]any) {
	for name, value := range tree {
		inner, isMap := value.(map[string]any)
		if isMap {
			prune(inner)
		}
		if value == nil || isMap && len(inner) == 0 && name != "emptyDir" {
			delete(tree, name)
		}
	}
	maps.DeleteFunc(tree, func(name string, _ any) bool {
		return name == manifest.AnnotationManifest || strings.HasPrefix(name, "deployment.kubernetes.io/")
	})
}

// containerTree is a container in a tree of an object, or nil.
func containerTree(tree map[string]any, name string) map[string]any {
	spec, _ := tree["spec"].(map[string]any)
	if template, ok := spec["template"].(map[string]any); ok {
		spec, _ = template["spec"].(map[string]any)
	}
	for _, list := range []string{"containers", "initContainers"} {
		items, _ := spec[list].([]any)
		for _, item := range items {
			if c, ok := item.(map[string]any); ok && c["name"] == name {
				return c
			}
		}
	}
	return nil
}

// Document is the object as a person would write it, with these values: what was written, and the
// probes.
func (w Workload) Document(v Values) map[string]any {
	tree := w.configuration()
	c, path := w.Spec()
	if c == nil {
		return tree
	}
	into := containerTree(tree, c.Name)
	if into == nil {
		return tree
	}
	for _, probe := range Probes() {
		delete(into, probe)
		if p, _ := v.tree(probe, path); p != nil {
			into[probe] = p
		}
	}
	return tree
}

// Probes is an object of the workload's kind and name with nothing but these probes, as a person
// would write them.
func (w Workload) Probes(v Values) map[string]any {
	c, path := w.Spec()
	tree := map[string]any{}
	tree["apiVersion"], tree["kind"] = w.Resource.GetObjectKind().GroupVersionKind().ToAPIVersionAndKind()
	if c == nil {
		return tree
	}
	container := map[string]any{"name": c.Name}
	for _, probe := range Probes() {
		if p, _ := v.tree(probe, path); p != nil {
			container[probe] = p
		}
	}
	steps := strings.Split(path[:strings.LastIndexByte(path, '[')], ".")
	into := tree
	for _, step := range steps[:len(steps)-1] {
		inner := map[string]any{}
		into[step], into = inner, inner
	}
	into[steps[len(steps)-1]] = []any{container}
	return tree
}
