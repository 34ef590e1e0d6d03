package manifest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/printable"
)

// loader collects what Load returns. Not safe for concurrent use.
type loader struct {
	opts  Options
	set   *Set
	errs  Errors
	first map[Ref]Position // where each object was defined
	ports int              // of Services so far
	bytes int64            // of files so far; more than may be once that is reported
	// lenient is set for [DecodeLenient]: more kinds are read, and objects with errors are kept.
	lenient bool
}

func newLoader(opts Options) *loader {
	return &loader{opts: opts.withDefaults(), set: &Set{}, first: map[Ref]Position{}}
}

func (l *loader) fail(err *Error) { l.errs = append(l.errs, err) }

func (l *loader) result() (*Set, error) {
	if len(l.errs) == 0 {
		return l.set, nil
	}
	l.errs.sort()
	// one value may stand in several objects that a document became
	l.errs = slices.CompactFunc(l.errs, func(a, b *Error) bool { return a.Original.Format != "" && a.Error() == b.Error() })
	return l.set, l.errs
}

// documents reads the documents of one file and reports whether there were any, or errors.
func (l *loader) documents(name string, data []byte) bool {
	if int64(len(data)) > l.opts.MaxFileBytes {
		l.limit(Position{File: name}, "the file is larger than %d bytes", l.opts.MaxFileBytes)
		return true
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if line, column, problem := checkText(data); problem != "" {
		if l.opts.Mixed && !looksLikeObject(data) {
			l.set.PassedOver = append(l.set.PassedOver, PassedOver{Position{name, line, column}, noObject})
			return true
		}
		l.fail(&Error{Position: Position{name, line, column}, Reason: ReasonSyntax, Message: problem})
		return true
	}
	f := &file{loader: l, name: name, left: l.opts.MaxDocuments, searchable: searchable}
	before := len(l.errs)
	for _, c := range split(data) {
		if f.left >= 0 && !c.isEmpty() {
			f.chunk(c)
		}
	}
	return f.left < l.opts.MaxDocuments || len(l.errs) > before
}

func (l *loader) limit(at Position, format string, args ...any) {
	l.fail(&Error{Position: at, Reason: ReasonLimit, Message: fmt.Sprintf(format, args...) + ": refused"})
}

// file is one text on its way into the set.
type file struct {
	*loader
	name       string
	left       int // documents it may still have; -1 once the error about them is reported
	searchable int // bytes that may still be parsed again to find the lines of syntax errors
	// hasTemplate means that the document has the marks of a template engine.
	hasTemplate bool
}

func (f *file) chunk(c chunk) {
	at := Position{f.name, c.line + 1, 1}
	if f.opts.Mixed && !mayBeObject(c.text) && !f.mayBeForeign(c.text) {
		f.passOver(at, noObject)
		return
	}
	if len(c.text) > f.opts.MaxDocumentBytes {
		if f.lenient && f.skip(c, at) {
			return
		}
		f.limit(at, "the document is larger than %d bytes", f.opts.MaxDocumentBytes)
		return
	}
	f.hasTemplate = f.opts.Mixed && hasTemplate(c.text)
	search := len(c.text) <= f.searchable
	docs, syntax := parse(c, search)
	for _, doc := range docs {
		f.document(newDecoder(f, c.line), doc, "")
	}
	if syntax != nil {
		if reason, pass := f.notMeant(c); pass {
			f.passOver(at, reason)
			return
		}
		f.left--
		if search {
			f.searchable -= len(c.text)
		}
		f.fail(&Error{Position: Position{f.name, c.line + syntax.line, syntax.column}, Reason: ReasonSyntax, Message: syntax.message})
	}
}

// document takes one object, or the items of a list. The decoder is new except for its budget,
// which items share. implied is the kind that an item of a PodList, for example, may leave out.
func (f *file) document(d *decoder, n *yaml.Node, implied string) {
	if f.left <= 0 {
		if f.left == 0 {
			f.limit(d.position(n), "more than %d objects in the file", f.opts.MaxDocuments)
		}
		f.left = -1
		return
	}
	if implied == "" && f.foreign(d, n) {
		return
	}
	f.left--
	p, ok := d.partial(n, implied)
	switch {
	case f.opts.Mixed && !p.isMeant():
		f.set.PassedOver = append(f.set.PassedOver, PassedOver{p.at, noObject})
		return
	case f.opts.Mixed && p.isEncrypted():
		f.set.PassedOver = append(f.set.PassedOver, PassedOver{p.at, encrypted})
		return
	case !ok:
		f.refuse(d.errs...)
		return
	}
	if items, implied, ok := listOf(p); ok {
		f.list(d, p, items, implied)
		return
	}
	find := findType
	if f.lenient {
		find = findLenientType
	}
	k, ok, wrong, problem := find(p.apiVersion, p.kind)
	if workload, found := findExtraWorkload(p.apiVersion, p.kind); f.opts.AllWorkloads && found {
		k, ok, wrong, problem = workload, true, "", ""
	}
	switch {
	case problem != "" && !ok:
		f.refuse(&Error{Position: p.positionOf(wrong), Object: d.ref, Field: wrong, Reason: ReasonKind, Message: problem})
	case !ok:
		f.set.Unknown = append(f.set.Unknown, Unknown{p.at, p.apiVersion, p.kind, p.name})
	case f.lenient:
		if problem != "" {
			d.fail(&Error{Position: p.positionOf(wrong), Object: d.ref, Field: wrong, Reason: ReasonKind, Message: problem})
		}
		f.lenientObject(d, n, k, p)
	default:
		f.object(d, n, k)
	}
}

// refuse notes errors about a document that gives no object.
func (f *file) refuse(errs ...*Error) {
	if f.lenient {
		f.set.Invalid = append(f.set.Invalid, errs...)
		return
	}
	f.errs = append(f.errs, errs...)
}

// listOf recognizes a List of anything and the lists of our own kinds. ok is false for every other
// object.
func listOf(p partialObject) (items *yaml.Node, implied string, ok bool) {
	if p.apiVersion == "v1" && p.kind == "List" {
		return p.items, "", true
	}
	name, isList := strings.CutSuffix(p.kind, "List")
	for _, k := range objectTypes() {
		if isList && name == k.kind && p.apiVersion == k.apiVersion {
			return p.items, k.apiVersion + "/" + k.kind, true
		}
	}
	return nil, "", false
}

func (f *file) list(d *decoder, p partialObject, items *yaml.Node, implied string) {
	for _, e := range p.extra {
		d.unknownField(e.keyNode, e.key, &objectSchema{fields: listFields(), d: d})
	}
	items = d.follow(items)
	switch {
	case items == nil || isNull(items):
	case items.Kind != yaml.SequenceNode:
		d.mismatch(items, "items", "list")
	default:
		for _, item := range items.Content {
			f.document(d.next(), item, implied)
		}
	}
	f.refuse(d.errs...)
}

func listFields() []structField {
	return []structField{{name: "apiVersion"}, {name: "kind"}, {name: "metadata"}, {name: "items"}}
}

func (f *file) object(d *decoder, n *yaml.Node, k objectType) {
	r := k.make()
	written := d.into(n, r)
	if len(d.errs) > 0 {
		f.errs = append(f.errs, d.errs...)
		return
	}
	// an item of a PodList may have none
	r.GetObjectKind().SetGroupVersionKind(schema.FromAPIVersionAndKind(k.apiVersion, k.kind))
	o := Object{Resource: r, Position: d.position(n), fields: d.fields, written: written, origin: d.origin}
	if err := f.tooMany(o); err != nil {
		f.fail(err)
		return
	}
	warnings := append(Warnings(r), warnOfFault(r)...) // of what is written, before defaults change it
	PrepareForCreate(r)
	defaultLenient(r)
	ref := o.Ref()
	problems := append(Validate(r), validateExtraWorkload(r)...)
	for _, p := range problems {
		f.fail(&Error{Position: o.PositionOf(p.Field), Object: ref, Field: p.Field, Reason: Reason(p.Type), Message: body(p), Original: o.Original(p.Field)})
	}
	if f.isDuplicate(o, ref) || len(problems) > 0 {
		return
	}
	for _, w := range warnings {
		f.set.Warnings = append(f.set.Warnings, Note{o.PositionOf(w.Field), ref, w.Field, w.Message, o.Original(w.Field)})
	}
	f.set.NotApplied = append(f.set.NotApplied, notApplied(o)...)
	f.set.Objects = append(f.set.Objects, o)
}

// isDuplicate reports whether there was an object of this kind, namespace and name before, which is
// an error.
func (f *file) isDuplicate(o Object, ref Ref) bool {
	if o.Resource.GetName() == "" {
		return false
	}
	err := f.duplicate(o, ref)
	if err != nil {
		f.fail(err)
	}
	return err != nil
}

// duplicate is the error about an object that was there before, or nil.
func (f *file) duplicate(o Object, ref Ref) *Error {
	before, again := f.first[ref]
	if !again {
		f.first[ref] = o.Position
		return nil
	}
	return &Error{Position: o.PositionOf("metadata.name"), Object: ref, Field: "metadata.name", Reason: ReasonDuplicateObject, Original: o.Original("metadata.name"),
		Message: fmt.Sprintf("namespace %s has this object already, from %v", printable.Quote(ref.Namespace), before)}
}
