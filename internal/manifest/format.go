package manifest

import (
	"go.yaml.in/yaml/v3"
)

// A Format is another way to write down what to run: a kind of documents that are no Kubernetes
// objects, and are turned into some where they are read. Decoding, defaults, validation and all
// that follows then are those of every manifest, and what they have to say points into the document
// that a person wrote. Its methods are pure functions that may run at the same time.
type Format interface {
	// Name is what people call it: "TrueFoundry".
	Name() string
	// Mentions reports whether a text may hold such a document, at the cost of a search in it. Of a
	// folder that may hold anything, other texts are not even parsed.
	Mentions(text []byte) bool
	// Recognizes reports whether an object is such a document. It has no apiVersion, and its
	// aliases and merge keys are still there: judge by the names and plain values at the
	// top.
	Recognizes(root *yaml.Node) bool
	// Convert turns a document into objects. In root, aliases and merge keys are worked in and no
	// name is there twice; its nodes may be shared, so it is not to be changed. file is the name of
	// the file, "<stdin>" for standard input; it is for what follows from its folder's name.
	Convert(file string, root *yaml.Node) Conversion
}

// An ObjectFormat is a Format whose documents look like objects of Kubernetes: they have apiVersion
// and kind, by which it recognizes them.
type ObjectFormat interface {
	Format
	ReadsObjects()
}

// A Conversion is what became of a document of another format.
type Conversion struct {
	Objects []ConvertedObject
	// Errors are what has to be changed first. Beside errors, Objects are only judged, not run, so
	// leave out of them what an error is about.
	Errors []Remark
	// Warnings are what is legal and yet probably not meant; check makes findings of them.
	// NotApplied are what has no meaning here, and why.
	Warnings, NotApplied []Remark
	// Differences are what Kubernetes will do otherwise than the tool that the document was written
	// for. Nothing is wrong with them; who converts a document wants to know.
	Differences []Remark
	// Unknown are parts that are something else than a service, which nobody runs here: their
	// Object says what, and what it is called.
	Unknown []Remark
	// Into is set if what the document says is in what another file became, or nobody reads it:
	// then the rest is empty. The message tells which.
	Into *Remark
}

// A ConvertedObject is a Kubernetes object as nodes of YAML.
type ConvertedObject struct {
	// Root is the object: without aliases, each node with the line and the column in the document
	// of what it comes from.
	Root *yaml.Node
	// Fields are the paths, in the document, of what nodes below Root come from: by the node of a
	// value. What is absent there belongs to the nearest node around it.
	Fields map[*yaml.Node]string
	// Implied are the nodes of values that nobody wrote: a default of the format, for example.
	Implied map[*yaml.Node]bool
	// Ref is what people call it in the document: {Kind: "service", Name: "web"}.
	Ref Ref
}

// A Remark is about one place of a document.
type Remark struct {
	// At is the node to point at: a plain value, or the name of a field that holds more.
	At *yaml.Node
	// Object is what it is about, in the words of the document: {Kind: "service", Name: "web"}.
	Object Ref
	// Field is the path of the field as it is written there, or empty.
	Field   string
	Message string
	// Reason is for errors. Default ReasonFormat.
	Reason Reason
}

// ReasonFormat is the reason of what a [Format] refuses.
const ReasonFormat Reason = "Format"

// Original is how a document of another format says what an object, or a field of it, comes from.
// The zero value stands for a Kubernetes manifest, where both say the same.
type Original struct {
	Format string // its name
	Object Ref
	Field  string // path as it is written there; empty for the whole
}

// Converted is an object that comes from a document of another format, as JSON has it, without
// defaults. The content is for reading alone.
type Converted struct {
	Position
	Format  string
	Content map[string]any
	// Implied are the paths of the fields that nobody wrote.
	Implied []string
}

// origin is where a converted object comes from.
type origin struct {
	format  string
	ref     Ref
	nodes   map[*yaml.Node]string
	implied map[*yaml.Node]bool
	fields  map[string]string // path in the document by path in the object
}

// implies reports whether nobody wrote a value.
func (o *origin) implies(value *yaml.Node) bool { return o != nil && o.implied[value] }

// note remembers where the value of a field comes from.
func (o *origin) note(path string, value *yaml.Node) {
	if o == nil {
		return
	}
	if written, ok := o.nodes[value]; ok {
		o.fields[path] = written
	}
}

// Original says how a person wrote a field, in a document of another format. For an absent field it
// is the nearest enclosing one that exists.
func (o Object) Original(fieldPath string) Original { return o.origin.of(fieldPath) }

func (o *origin) of(path string) Original {
	if o == nil {
		return Original{}
	}
	original := Original{Format: o.format, Object: o.ref}
	for ; path != "" && original.Field == ""; path = parentPath(path) {
		original.Field = o.fields[path]
	}
	return original
}
