package manifest

import (
	"cmp"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// header is what one has to know of an object before its type is known.
type header struct {
	at         Position
	apiVersion string
	kind       string
	name       string
	places     map[string]Position // of apiVersion and kind
	items      *yaml.Node          // of a list
	extra      []entry             // fields that a list does not have
}

// header reads apiVersion, kind and name. implied, as in "apps/v1/Deployment", stands for a type
// that is not written. It sets d.ref. It reports false, with the reason among d.errs, if there is
// no telling what the object is.
func (d *decoder) header(n *yaml.Node, implied string) (header, bool) {
	h := header{at: d.position(n), places: map[string]Position{}}
	if i := strings.LastIndexByte(implied, '/'); i >= 0 {
		h.apiVersion, h.kind = implied[:i], implied[i+1:]
	}
	n = d.follow(n)
	if n == nil || n.Kind != yaml.MappingNode {
		d.fail(&Error{Position: h.at, Reason: ReasonKind,
			Message: fmt.Sprintf("expected an object with apiVersion, kind and metadata, found %s", d.describe(n, ""))})
		return h, false
	}
	for _, e := range d.entries(n, "") {
		value := d.follow(e.value)
		switch e.key {
		case "apiVersion":
			h.apiVersion = cmp.Or(text(value), h.apiVersion)
			h.places[e.key] = d.position(e.value)
		case "kind":
			h.kind = cmp.Or(text(value), h.kind)
			h.places[e.key] = d.position(e.value)
		case "metadata":
			h.name = d.nameIn(value)
		case "items":
			h.items = e.value
		default:
			h.extra = append(h.extra, e)
		}
	}
	d.ref = Ref{Kind: h.kind, Name: h.name}
	if h.kind == "" {
		d.fail(&Error{Position: h.at, Object: d.ref, Field: "kind", Reason: ReasonKind,
			Message: "missing: expected an object with apiVersion, kind and metadata"})
		return h, false
	}
	return h, true
}

// place is where the field is, or the object when it is absent.
func (h header) place(field string) Position {
	if p, ok := h.places[field]; ok {
		return p
	}
	return h.at
}

func (d *decoder) nameIn(metadata *yaml.Node) string {
	if metadata == nil || metadata.Kind != yaml.MappingNode {
		return ""
	}
	names := map[string]string{}
	for _, e := range d.entries(metadata, "metadata") {
		names[e.key] = text(d.follow(e.value))
	}
	return cmp.Or(names["name"], names["generateName"])
}

// text returns a string scalar's value, and nothing for all else.
func text(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	v, _ := resolve(n) // a misused tag is reported when the object is decoded
	s, _ := v.(string)
	return s
}
