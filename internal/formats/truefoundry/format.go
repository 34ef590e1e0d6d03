// Package truefoundry reads the files that describe services for TrueFoundry: documents of the type
// service and what is written beside them. It is pure: a function from the nodes of a document to
// the nodes of Kubernetes objects.
package truefoundry

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/formats/tree"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
)

// Name is what people call the format.
const Name = "TrueFoundry"

// Options are what documents are read with.
type Options struct {
	// Run means that the objects run on this machine: a reference to a secret needs a value.
	Run bool
	// Env are values of references by the names of the variables that have them.
	Env map[string]string
	// Asked is told each of these names. Default: nobody.
	Asked func(name string)
}

// Format reads documents of TrueFoundry. It does not change and may be used at the same time.
type Format struct{ opts Options }

// New returns the format.
func New(opts Options) *Format { return &Format{opts} }

// Name is what people call it.
func (*Format) Name() string { return Name }

// Mentions reports whether a text has one of the names that each of its documents has.
func (*Format) Mentions(text []byte) bool {
	return bytes.Contains(text, []byte("type:")) || bytes.Contains(text, []byte(`"type"`)) || bytes.Contains(text, []byte("components"))
}

// readTypes are the types of documents that are read here.
func readTypes() []string { return []string{"service", "application-set", "volume"} }

// otherTypes are the types of documents that describe something else than a service.
func otherTypes() []string {
	return []string{"job", "helm", "async-service", "notebook", "ssh-server", "workflow", "spark-job", "model-deployment", "rstudio"}
}

// Recognizes reports whether a document says one of TrueFoundry's types, has an image as a service
// has it, or is a list of components as it was written in 2022.
func (*Format) Recognizes(root *yaml.Node) bool {
	doc := tree.Root(root)
	kind := doc.Field("type").String()
	switch {
	case !doc.Field("name").Is():
		return kind == "service" && (doc.Field("image").IsObject() || doc.Field("ports").IsList())
	case slices.Contains(otherTypes(), kind), kind == "service", kind == "application-set", kind == "volume", kind == "webservice":
		return true
	case kind == "" && doc.Field("components").IsList():
		return true
	}
	image := doc.Field("image").Field("type").String()
	return image == "image" || image == "build"
}

// Convert turns a document into objects.
func (f *Format) Convert(_ string, root *yaml.Node) manifest.Conversion {
	c := &converter{checker: checker{Conversion: &manifest.Conversion{}, types: objectTypes()}, opts: f.opts}
	c.document(tree.Root(root), tree.Value{})
	return *c.Conversion
}

// A converter turns the services of one document into objects.
type converter struct {
	checker
	opts Options
}

// document takes a document, or a component of one, in the workspace of what is around it.
func (c *converter) document(doc, workspace tree.Value) {
	kind := doc.Field("type")
	word := plainText(kind)
	if own := doc.Field("workspace_fqn"); own.Is() {
		workspace = own
	}
	if word == "" && doc.Field("components").IsList() {
		word = "application-set"
	}
	c.ref = manifest.Ref{Kind: word, Name: plainText(doc.Field("name"))}
	if known := append(readTypes(), ""); slices.Contains(known, word) {
		c.workspace(doc.Field("workspace_fqn"))
	}
	switch {
	case word == "service":
		c.service(doc, workspace)
	case word == "application-set":
		c.object(doc, word)
		c.components(doc.Field("components"), workspace)
	case word == "volume":
		c.volume(doc, workspace)
	case slices.Contains(otherTypes(), word):
		c.Unknown = append(c.Unknown, manifest.Remark{At: doc.Place(), Object: c.ref})
	case word == "webservice":
		c.fail(kind, "this form is of the time before 2023: write type: service, with image, ports and resources at the top")
	case word == "":
		c.ref.Kind = "service"
		c.untyped(doc, workspace)
	default:
		known := append(readTypes(), otherTypes()...)
		hint := ", did you mean " + manifest.Closest(word, known) + "?"
		if manifest.Closest(word, known) == "" {
			hint = ": what runs is a service"
		}
		c.fail(kind, "there is no type %s%s", printable.Quote(word), hint)
	}
}

// untyped takes what does not say what it is: components of 2022 did not.
func (c *converter) untyped(doc, workspace tree.Value) {
	if doc.Path != "" && doc.Field("image").Is() {
		c.service(doc, workspace)
		return
	}
	c.fail(doc.Field("type"), "missing: write type: service")
}

func (c *converter) components(list, workspace tree.Value) {
	if list.Is() && !list.IsList() {
		c.fail(list, "cannot use %s as a list of services", list.Describe())
	}
	for _, item := range list.Items() {
		if !item.IsObject() {
			c.fail(item, "cannot use %s as a service", item.Describe())
			continue
		}
		c.document(item, workspace)
	}
}

// namespaceOf is the namespace that a workspace is.
func namespaceOf(workspace tree.Value) string {
	_, name, ok := strings.Cut(plainText(workspace), ":")
	if !ok {
		return plainText(workspace)
	}
	return name
}

// metadata is that of an object of a document.
func metadata(b *tree.Builder, doc, workspace tree.Value, name string) *yaml.Node {
	meta := b.Map(doc, tree.Pair{Name: "name", Value: b.String(doc.Field("name"), name)})
	if namespace := namespaceOf(workspace); namespace != "" {
		b.Set(meta, "namespace", b.String(workspace, namespace))
	}
	return meta
}

// root is an object of a document.
func root(b *tree.Builder, doc tree.Value, apiVersion, kind string, pairs ...tree.Pair) *yaml.Node {
	start := tree.Value{Node: doc.Node}
	n := b.Map(start, tree.Pair{Name: "apiVersion", Value: b.String(start, apiVersion)}, tree.Pair{Name: "kind", Value: b.String(start, kind)})
	for _, p := range pairs {
		b.Set(n, p.Name, p.Value)
	}
	return n
}

func (c *converter) add(b *tree.Builder, object *yaml.Node) {
	c.Objects = append(c.Objects, b.Object(object, c.ref))
}

// volume is the claim that a volume is.
func (c *converter) volume(doc, workspace tree.Value) {
	c.object(doc, "volume")
	b := tree.NewBuilder()
	config := doc.Field("config")
	if !config.IsObject() {
		config = doc // as it was written before 2024
	}
	spec := b.Map(config, tree.Pair{Name: "accessModes", Value: b.Strings(config, []string{"ReadWriteMany"})})
	name := plainText(doc.Field("name"))
	c.longName(doc.Field("name"), name, "a volume")
	size, hasSize := numberOf(config.Field("size"))
	if class := config.Field("storage_class"); class.Is() {
		if name := plainText(class); name != "" {
			c.longName(class, name, "a storage class")
		}
		b.Set(spec, "storageClassName", b.String(class, plainText(class)))
	}
	if static := config.Field("persistent_volume_name"); static.Is() {
		c.longName(static, plainText(static), "a volume")
		b.Set(spec, "storageClassName", b.String(static, ""))
		b.Set(spec, "volumeName", b.String(static, plainText(static)))
		hasSize, size = true, 1
	}
	if !hasSize {
		if !doc.Field("config").Is() && !config.Field("size").Is() { // else it is said where config is checked
			c.fail(config.Field("size"), "missing: write config: {type: dynamic, storage_class: …, size: 10}, with the size in GB")
		}
		return
	}
	requests := b.Map(config, tree.Pair{Name: "storage", Value: b.String(config.Field("size"), decimal(size)+"Gi")})
	b.Set(spec, "resources", b.Map(config, tree.Pair{Name: "requests", Value: requests}))
	c.add(b, root(b, doc, "v1", "PersistentVolumeClaim", tree.Pair{Name: "metadata", Value: metadata(b, doc, workspace, name)}, tree.Pair{Name: "spec", Value: spec}))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
