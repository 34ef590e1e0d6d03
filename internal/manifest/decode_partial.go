package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/printable"
)

// partialObject is what is read of an object to find its Go type, and what a message says about one
// that has none here.
type partialObject struct {
	at         Position
	apiVersion string
	kind       string
	name       string
	positions  map[string]Position // of apiVersion and kind
	items      *yaml.Node          // of a list
	extra      []mappingField      // fields that a list does not have
	// nameIsTemplate means that the name is still to be filled in: {{ .Name }}.
	nameIsTemplate bool
}

// partial reads apiVersion, kind and name. implied, as in "apps/v1/Deployment", is the type of an
// object that does not say it. It sets d.ref. It returns false, with the reason among d.errs, if
// the type is not said at all.
func (d *decoder) partial(n *yaml.Node, implied string) (partialObject, bool) {
	p := partialObject{at: d.position(n), positions: map[string]Position{}}
	if i := strings.LastIndexByte(implied, '/'); i >= 0 {
		p.apiVersion, p.kind = implied[:i], implied[i+1:]
	}
	n = d.follow(n)
	if n == nil || n.Kind != yaml.MappingNode {
		d.fail(&Error{Position: p.at, Reason: ReasonKind,
			Message: fmt.Sprintf("expected an object with apiVersion, kind and metadata, found %s", d.describe(n, ""))})
		return p, false
	}
	for _, e := range d.mappingFields(n, "") {
		value := d.follow(e.value)
		switch e.key {
		case "apiVersion":
			p.apiVersion = cmp.Or(stringOf(value), p.apiVersion)
			p.positions[e.key] = d.position(e.value)
		case "kind":
			p.kind = cmp.Or(stringOf(value), p.kind)
			p.positions[e.key] = d.position(e.value)
		case "metadata":
			p.name, p.nameIsTemplate = d.nameIn(value)
		case "items":
			p.items = e.value
		default:
			p.extra = append(p.extra, e)
		}
	}
	d.ref = Ref{Kind: p.kind, Name: p.name}
	for _, e := range d.errs { // about a field that is there twice
		e.Object = d.ref
	}
	if p.kind == "" {
		d.fail(&Error{Position: p.at, Object: d.ref, Field: "kind", Reason: ReasonKind,
			Message: "missing: expected an object with apiVersion, kind and metadata" + p.misspelt("kind")})
		return p, false
	}
	return p, true
}

// misspelt is a hint about a field that has another name but for its case or a letter.
func (p partialObject) misspelt(name string) string {
	for _, e := range p.extra {
		if Closest(e.key, []string{name}) != "" {
			return fmt.Sprintf(" (there is a field %s)", printable.Quote(e.key))
		}
	}
	return ""
}

// isMeant reports whether this is meant to be an object: it has an apiVersion and a kind, misspelt
// ones too, or one of them beside a name and a spec.
func (p partialObject) isMeant() bool {
	version := p.apiVersion != "" || p.misspelt("apiVersion") != ""
	kind := p.kind != "" || p.misspelt("kind") != ""
	hasSpec := slices.ContainsFunc(p.extra, func(e mappingField) bool { return e.key == "spec" })
	return version && kind || (version || kind) && p.name != "" && hasSpec
}

// positionOf is where the field is, or the object when it is absent.
func (p partialObject) positionOf(field string) Position {
	if at, ok := p.positions[field]; ok {
		return at
	}
	return p.at
}

func (d *decoder) nameIn(metadata *yaml.Node) (name string, isUnrendered bool) {
	if metadata == nil || metadata.Kind != yaml.MappingNode {
		return "", false
	}
	names := map[string]string{}
	for _, e := range d.mappingFields(metadata, "metadata") {
		value := d.follow(e.value)
		names[e.key] = stringOf(value)
		isUnrendered = isUnrendered || e.key == "name" && isTemplate(value)
	}
	return cmp.Or(names["name"], names["generateName"]), isUnrendered
}

// stringOf returns the value of a string, and "" for all else.
func stringOf(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	v, _ := resolve(n) // a misused tag is reported when the object is decoded
	s, _ := v.(string)
	return s
}
