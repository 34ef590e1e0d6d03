package deploy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/formats/knative"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
)

// Object is an object of a manifest as its author wrote it: nothing is defaulted.
type Object struct {
	*unstructured.Unstructured
	// Position is where its document begins.
	Position manifest.Position
	// Implied are the paths of fields that nobody wrote, for the object comes from a document of
	// another format.
	Implied []string
	// At is where the server has it; it is set by [Bind].
	At kube.Ref

	before bool // it is a Job that has to finish before the workloads are applied
}

// String is how people name it: deployment/web.
func (o *Object) String() string {
	kind := o.At.Kind.Singular
	if kind == "" {
		kind = strings.ToLower(o.GetKind())
	}
	return kind + "/" + printable.Line(o.GetName())
}

// kind is what it is, without the version.
func (o *Object) kind() schema.GroupKind { return o.GroupVersionKind().GroupKind() }

// key tells the objects of a set apart.
func (o *Object) key() string {
	return o.kind().String() + "|" + o.GetNamespace() + "|" + o.GetName()
}

// Objects are those of manifests, in their order. The error joins what cannot be sent to any
// server.
func Objects(m *advisor.Manifests) ([]*Object, error) {
	var all []*Object
	var errs []error
	for _, file := range m.FileNames() {
		text := bytes.TrimPrefix(m.Text(file), []byte("\ufeff"))
		for _, document := range manifest.Documents(text) {
			at := manifest.Position{File: file, Line: firstLine(document)}
			values, err := decode(document.Text)
			if err != nil && isOfFormat(m.Set(file), document) {
				continue // it was read by the rules of its format
			}
			if err != nil {
				err = fmt.Errorf("%w%s", err, manifest.TemplateHint(document.Text))
			}
			for _, value := range values {
				err = errors.Join(err, collect(&all, value, at))
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", at, err))
			}
		}
		errs = append(errs, converted(&all, m, file)...)
	}
	seen := map[string]manifest.Position{}
	for _, o := range all {
		if before, ok := seen[o.key()]; ok {
			errs = append(errs, fmt.Errorf("%s: %s is there twice, at %s too", o.Position, o, before))
		}
		seen[o.key()] = o.Position
	}
	return all, errors.Join(errs...)
}

// isOfFormat reports whether a document is of another format than Kubernetes'.
func isOfFormat(set *manifest.Set, d manifest.Document) bool {
	within := func(at manifest.Position, format string) bool {
		return format != "" && !isServerless(format) && at.Line > d.Line && at.Line <= d.Line+1+bytes.Count(d.Text, []byte("\n"))
	}
	return set != nil && (slices.ContainsFunc(set.Joined, func(n manifest.Note) bool { return within(n.Position, n.Original.Format) }) ||
		slices.ContainsFunc(set.Converted, func(o manifest.Converted) bool { return within(o.Position, o.Format) }) ||
		slices.ContainsFunc(set.Invalid, func(e *manifest.Error) bool { return within(e.Position, e.Original.Format) }))
}

// converted adds the objects of the documents of other formats in a file. The errors are those that
// keep one from being converted.
func converted(all *[]*Object, m *advisor.Manifests, file string) (errs []error) {
	set := m.Set(file)
	if set == nil {
		return nil
	}
	for _, problem := range set.Invalid {
		if problem.Original.Format != "" && !isServerless(problem.Original.Format) {
			errs = append(errs, problem)
		}
	}
	for _, o := range set.Converted {
		if isServerless(o.Format) {
			continue
		}
		before := len(*all)
		content := (&unstructured.Unstructured{Object: o.Content}).DeepCopy().Object
		errs = append(errs, collect(all, content, o.Position))
		for _, object := range (*all)[before:] {
			object.Implied = o.Implied
		}
	}
	return errs
}

// ObjectOf is an object of a document of another format.
func ObjectOf(o manifest.Converted) *Object {
	return &Object{Unstructured: &unstructured.Unstructured{Object: o.Content}, Position: o.Position, Implied: o.Implied}
}

// warnings are those of a server about an object, but for what a run of Probity does not apply and
// nobody wrote.
func (o *Object) warnings(texts []string) []string {
	return slices.DeleteFunc(slices.Clone(texts), func(text string) bool {
		rest, idle := strings.CutPrefix(text, manifest.NotAppliedHere)
		field, _, _ := strings.Cut(rest, ": ")
		return idle && slices.Contains(o.Implied, field)
	})
}

// isServerless reports whether a format is that of objects which a cluster has itself: they are
// applied as they are written.
func isServerless(format string) bool {
	return format == knative.KnativeName || format == knative.CloudRunName
}

// Unwrapped replaces services of Knative and Cloud Run by what they became. The error tells what
// keeps one from that.
func Unwrapped(objects []*Object, m *advisor.Manifests) ([]*Object, error) {
	var errs []error
	all := slices.DeleteFunc(slices.Clone(objects), func(o *Object) bool { return o.GetKind() == "Service" && o.GetAPIVersion() == "serving.knative.dev/v1" })
	for _, file := range m.FileNames() {
		set := m.Set(file)
		if set == nil {
			continue
		}
		for _, problem := range set.Invalid {
			if isServerless(problem.Original.Format) {
				errs = append(errs, problem)
			}
		}
		for _, o := range set.Converted {
			if isServerless(o.Format) {
				all = append(all, ObjectOf(o))
			}
		}
	}
	return all, errors.Join(errs...)
}

// firstLine is the first line of a document with something in it, as people count.
func firstLine(d manifest.Document) int {
	line := d.Line + 1
	for text := range strings.Lines(string(d.Text)) {
		word := strings.TrimSpace(text)
		if word != "" && word[0] != '#' && !strings.HasPrefix(word, "---") {
			return line
		}
		line++
	}
	return d.Line + 1
}

// decode reads one document of YAML, or a stream of JSON.
func decode(text []byte) (values []map[string]any, err error) {
	stream := json.NewDecoder(bytes.NewReader(text))
	for {
		var part json.RawMessage
		var value map[string]any
		if err := stream.Decode(&part); errors.Is(err, io.EOF) {
			return values, nil
		} else if err != nil || utiljson.Unmarshal(part, &value) != nil {
			break // it is YAML, or nothing
		}
		values = append(values, value)
	}
	data, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, err
	}
	var value map[string]any
	if err := utiljson.Unmarshal(data, &value); err != nil || value == nil {
		return nil, err
	}
	return []map[string]any{value}, nil
}

// collect adds an object, or those of a list.
func collect(all *[]*Object, value map[string]any, at manifest.Position) error {
	kind, _ := value["kind"].(string)
	version, _ := value["apiVersion"].(string)
	if items, ok := value["items"].([]any); ok && strings.HasSuffix(kind, "List") {
		var errs []error
		for _, item := range items {
			if object, ok := item.(map[string]any); ok {
				errs = append(errs, collect(all, object, at))
			}
		}
		return errors.Join(errs...)
	}
	if kind == "" || version == "" {
		return nil // check has counted it as no object
	}
	delete(value, "status") // nobody applies one
	o := &Object{Unstructured: &unstructured.Unstructured{Object: value}, Position: at}
	o.before = hasToFinish(o)
	switch {
	case o.GetGenerateName() != "" && o.GetName() == "":
		return fmt.Errorf("%s %s: an object that is applied needs a name: write metadata.name instead of generateName", kind, printable.Quote(o.GetGenerateName()))
	case o.GetName() == "":
		return fmt.Errorf("a %s has no metadata.name", printable.Line(kind))
	}
	*all = append(*all, o)
	return nil
}

// Place gives findings of probity check the namespaces that their objects will have, before these
// are bound to one: for check, what names none is of the default one.
func Place(findings []advisor.Finding, objects []*Object, namespace string) {
	for i := range findings {
		at := &findings[i].Object
		if at.Namespace == corev1.NamespaceDefault && slices.ContainsFunc(objects, func(o *Object) bool {
			return o.GetNamespace() == "" && o.GetKind() == at.Kind && o.GetName() == at.Name
		}) {
			at.Namespace = namespace
		}
	}
}

// Bind gives each object its place on a server: the resource that serves it, and its namespace,
// which is its own, else the one that is given. With insist, one that names another is refused.
func Bind(objects []*Object, resources *kube.Resources, namespace string, insist bool) error {
	var errs []error
	own := definitions(objects)
	for _, o := range objects {
		kind, ok := resources.Kind(o.GroupVersionKind())
		if !ok {
			kind, ok = own[o.GroupVersionKind()]
		}
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("%s: %s: %s", o.Position, o, unserved(o, resources)))
			continue
		case kind.Global:
			o.SetNamespace("")
		case o.GetNamespace() == "":
			o.SetNamespace(namespace)
		case insist && o.GetNamespace() != namespace:
			errs = append(errs, fmt.Errorf("%s: %s is of namespace %s, and --namespace says %s: leave one out", o.Position, o, o.GetNamespace(), namespace))
		}
		o.At = kube.Ref{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName()}
	}
	return errors.Join(errs...)
}

// unserved says why a server does not take a kind.
func unserved(o *Object, resources *kube.Resources) string {
	if served, ok := resources.Preferred(o.kind()); ok {
		return fmt.Sprintf("the server does not serve %s of %s: write apiVersion: %s", o.GetKind(), o.GetAPIVersion(), served.APIVersion())
	}
	return fmt.Sprintf("the server knows no %s of %s: is its CustomResourceDefinition installed?", o.GetKind(), o.GetAPIVersion())
}

// definition is the kind that defines others.
var definition = schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}

// definitions are the kinds that CustomResourceDefinitions among the objects will make.
func definitions(objects []*Object) map[schema.GroupVersionKind]kube.Kind {
	own := map[schema.GroupVersionKind]kube.Kind{}
	for _, o := range objects {
		if o.kind() != definition {
			continue
		}
		text := func(fields ...string) string {
			value, _, _ := unstructured.NestedString(o.Object, append([]string{"spec"}, fields...)...)
			return value
		}
		versions, _, _ := unstructured.NestedSlice(o.Object, "spec", "versions")
		for _, version := range versions {
			fields, _ := version.(map[string]any)
			name, _ := fields["name"].(string)
			singular := text("names", "singular")
			if singular == "" {
				singular = strings.ToLower(text("names", "kind"))
			}
			own[schema.GroupVersionKind{Group: text("group"), Version: name, Kind: text("names", "kind")}] = kube.Kind{
				Group: text("group"), Version: name, Plural: text("names", "plural"), Singular: singular, Global: text("scope") == "Cluster",
			}
		}
	}
	return own
}
