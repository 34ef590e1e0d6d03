package manifest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/printable"
)

const (
	maxDepth  = 100 // of values in each other; the deepest Kubernetes type has about 15
	maxErrors = 100 // in one object
)

// decoder turns one object's nodes into a typed object: it walks them along the Go type, checks
// every name and type, remembers the positions, and leaves it to encoding/json to fill the object.
type decoder struct {
	file    string
	line    int // lines of the file before the document
	ref     Ref
	errs    Errors
	fields  map[string]fieldPosition
	budget  *budget
	depth   int
	open    map[*yaml.Node]bool           // anchors that are being expanded
	known   map[*yaml.Node][]mappingField // results of mappingFields
	types   map[reflect.Type][]structField
	lenient bool    // decode what can be decoded
	literal bool    // names are as they are written: YES is no true
	origin  *origin // of an object that was converted
}

// budget is what the objects of one document may still expand to.
type budget struct {
	nodes, bytes int
	spent        bool
}

func newDecoder(f *file, line int) *decoder {
	// Values that aliases repeat may not outgrow what a document can have without them.
	b := &budget{nodes: f.opts.MaxNodes, bytes: f.opts.MaxDocumentBytes}
	return (&decoder{file: f.name, line: line, budget: b, lenient: f.lenient}).next()
}

// next returns a decoder for another object of the same document.
func (d *decoder) next() *decoder {
	return &decoder{file: d.file, line: d.line, budget: d.budget, lenient: d.lenient, fields: map[string]fieldPosition{},
		open: map[*yaml.Node]bool{}, known: map[*yaml.Node][]mappingField{}, types: map[reflect.Type][]structField{}}
}

// into decodes n into r, and returns it as JSON. What is wrong is in d.errs.
func (d *decoder) into(n *yaml.Node, r Resource) []byte {
	tree := d.value(n, reflect.TypeOf(r), "", nil)
	if len(d.errs) > 0 && !d.lenient {
		return nil
	}
	data, err := json.Marshal(tree)
	if err == nil {
		err = json.Unmarshal(data, r)
	}
	if err != nil { // the walk has checked all that can go wrong; if it has not, say so
		d.fail(&Error{Position: d.position(n), Object: d.ref, Reason: ReasonType, Message: fmt.Sprintf("cannot decode: %v", err)})
	}
	return data
}

func (d *decoder) position(n *yaml.Node) Position {
	return Position{d.file, d.line + n.Line, n.Column}
}

func (d *decoder) fail(err *Error) {
	err.Original = d.origin.of(err.Field)
	switch {
	case len(d.errs) < maxErrors:
		d.errs = append(d.errs, err)
	case len(d.errs) == maxErrors:
		d.errs = append(d.errs, &Error{Position: err.Position, Object: d.ref, Reason: ReasonLimit,
			Message: fmt.Sprintf("more than %d errors: the rest of this object is left out", maxErrors)})
	}
}

func (d *decoder) failAt(n *yaml.Node, path string, reason Reason, format string, args ...any) {
	d.fail(&Error{Position: d.position(n), Object: d.ref, Field: path, Reason: reason, Message: fmt.Sprintf(format, args...)})
}

// spend takes one value from the budget; false means stop.
func (d *decoder) spend(n *yaml.Node, path string) bool {
	if d.budget.spent || len(d.errs) > maxErrors {
		return false
	}
	d.budget.nodes--
	d.budget.bytes -= len(n.Value)
	switch {
	case d.budget.nodes < 0 || d.budget.bytes < 0:
		d.budget.spent = true
		d.failAt(n, path, ReasonLimit, "the document has too many values, or its aliases expand to too many: refused")
		return false
	case d.depth > maxDepth:
		d.failAt(n, path, ReasonLimit, "more than %d values inside each other: refused", maxDepth)
		return false
	}
	return true
}

// value checks n against the type and returns what encoding/json makes of it. A nil type means
// anything goes.
func (d *decoder) value(n *yaml.Node, t reflect.Type, path string, o *objectSchema) any {
	if !d.spend(n, path) {
		return nil
	}
	d.depth++
	defer func() { d.depth-- }()
	if n.Kind == yaml.AliasNode {
		if d.open[n.Alias] {
			d.failAt(n, path, ReasonSyntax, "the value of anchor %s contains itself", printable.Quote(n.Value))
			return nil
		}
		d.open[n.Alias] = true
		defer delete(d.open, n.Alias)
		return d.value(n.Alias, t, path, o)
	}
	if isUntaggedNull(n) {
		return nil
	}
	return d.typed(n, t, path, o)
}

func (d *decoder) typed(n *yaml.Node, t reflect.Type, path string, o *objectSchema) any {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == nil || t.Kind() == reflect.Interface:
		return d.any(n, path)
	case isCustom(t):
		return d.custom(n, t, path)
	}
	switch t.Kind() {
	case reflect.Struct:
		return d.object(n, t, path, o)
	case reflect.Map:
		return d.mapping(n, t, path, o)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return d.base64(n, path)
		}
		return d.list(n, t, path, o)
	}
	return d.scalar(n, t, path)
}

func (d *decoder) object(n *yaml.Node, t reflect.Type, path string, up *objectSchema) any {
	if n.Kind != yaml.MappingNode {
		return d.mismatch(n, path, "object")
	}
	o := &objectSchema{path, d.structFields(t), up, d}
	out := map[string]any{}
	for _, e := range d.mappingFields(n, path) {
		ft, ok := o.field(e.key)
		if !ok {
			d.origin.note(childPath(path, e.key), e.value)
			d.unknownField(e.keyNode, e.key, o)
			d.noteKeys(childPath(path, e.key), e.value)
			continue
		}
		child := childPath(path, e.key)
		d.setPosition(child, e)
		out[e.key] = d.value(e.value, ft, child, o)
	}
	return out
}

func (d *decoder) mapping(n *yaml.Node, t reflect.Type, path string, o *objectSchema) any {
	if n.Kind != yaml.MappingNode {
		return d.mismatch(n, path, "object")
	}
	out := map[string]any{}
	for _, e := range d.mappingFields(n, path) {
		child := keyPath(path, e.key)
		d.setPosition(child, e)
		out[e.key] = d.value(e.value, t.Elem(), child, o)
	}
	return out
}

func (d *decoder) list(n *yaml.Node, t reflect.Type, path string, o *objectSchema) any {
	if n.Kind != yaml.SequenceNode {
		return d.mismatch(n, path, "list")
	}
	out := make([]any, 0, len(n.Content))
	for i, item := range n.Content {
		child := indexPath(path, i)
		d.fields[child] = d.fieldPosition(item, isUntaggedNull(item) || d.origin.implies(item))
		d.origin.note(child, item)
		out = append(out, d.value(item, t.Elem(), child, o))
	}
	return out
}

// any decodes without a type.
func (d *decoder) any(n *yaml.Node, path string) any {
	switch n.Kind {
	case yaml.MappingNode:
		return d.mapping(n, reflect.TypeFor[map[string]any](), path, nil)
	case yaml.SequenceNode:
		return d.list(n, reflect.TypeFor[[]any](), path, nil)
	}
	v, err := resolve(n)
	if err != nil {
		d.failAt(n, path, ReasonType, "%v", err)
	}
	return v
}

// setPosition remembers where a field is: a plain value's own position, else that of its name,
// where a reader looks first.
func (d *decoder) setPosition(path string, e mappingField) {
	at := e.keyNode
	if e.value.Kind == yaml.ScalarNode && !isUntaggedNull(e.value) {
		at = e.value
	}
	d.fields[path] = d.fieldPosition(at, isUntaggedNull(e.value) || d.origin.implies(e.value))
	d.origin.note(path, e.value)
}

func (d *decoder) fieldPosition(n *yaml.Node, null bool) fieldPosition {
	// no file has more lines than that: Options bound its size
	return fieldPosition{int32(d.line + n.Line), int32(n.Column), null}
}

func isUntaggedNull(n *yaml.Node) bool {
	if n.Kind != yaml.ScalarNode {
		return false
	}
	v, err := resolve(n)
	return v == nil && err == nil
}

// mismatch reports a value of the wrong type and returns nil.
func (d *decoder) mismatch(n *yaml.Node, path, want string) any {
	d.failAt(n, path, ReasonType, "cannot use %s as %s%s", d.describe(n, path), want, typeHint(n, want))
	return nil
}

func typeHint(n *yaml.Node, want string) string {
	if isTemplate(n) {
		return templateHint
	}
	if n.Kind != yaml.ScalarNode {
		return ""
	}
	v, _ := resolve(n) // a bad tag has been reported
	_, isString := v.(string)
	_, plainIsString := resolvePlain(n.Value).(string)
	switch {
	case want == "string" && v == true && !strings.EqualFold(n.Value, "true"),
		want == "string" && v == false && !strings.EqualFold(n.Value, "false"):
		return " (put it in quotes: yes, no, on, off, y and n are booleans in YAML)"
	case want == "string" && v != nil && !isString:
		return " (put it in quotes)"
	case (want == "integer" || want == "boolean") && isString && !plainIsString:
		return " (remove the quotes)"
	}
	return ""
}

// describe names what stands there. The values of a Secret are not shown.
func (d *decoder) describe(n *yaml.Node, path string) string {
	switch {
	case n == nil:
		return "nothing"
	case n.Kind == yaml.MappingNode:
		return "an object"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	}
	v, _ := resolve(n)
	name, shown := "string", printable.Cut(n.Value)
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		name = "boolean"
	case int64, uint64:
		name = "integer"
	case float64:
		name = "number"
	default:
		shown = printable.Quote(n.Value)
	}
	if d.ref.Kind == "Secret" && (strings.HasPrefix(path, "data[") || strings.HasPrefix(path, "stringData[")) {
		return "the " + name + " here"
	}
	return name + " " + shown
}
