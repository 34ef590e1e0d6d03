package truefoundry

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Content is a Kubernetes object as JSON has it, as its author wrote it.
type Content = map[string]any

// A Misfit is a field of an object that no document of TrueFoundry can say.
type Misfit struct {
	// Object is the index of the object.
	Object int
	// Field is the path of the field; empty for the whole object.
	Field, Reason string
}

// FromKubernetes writes Deployments, with the Services in front of them and the ConfigMaps that
// they mount, as services of TrueFoundry, a document each. The objects are not changed.
func FromKubernetes(objects []Content) (text []byte, misfits []Misfit, err error) {
	r := &reverse{}
	for i, o := range objects {
		r.all = append(r.all, &taken{content: clone(o).(map[string]any), index: i})
	}
	var out strings.Builder
	for _, o := range r.all {
		if o.kind() != "Deployment" {
			continue
		}
		document := r.deployment(o)
		if out.Len() > 0 {
			out.WriteString("---\n")
		}
		encoder := yaml.NewEncoder(&out)
		encoder.SetIndent(2)
		if err := encoder.Encode(document.node); err != nil {
			return nil, nil, err
		}
	}
	for _, o := range r.all {
		r.rest(o)
	}
	slices.SortStableFunc(r.misfits, func(a, b Misfit) int { return a.Object - b.Object })
	return []byte(out.String()), r.misfits, nil
}

// clone copies a value of JSON.
func clone(value any) any {
	switch x := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, v := range x {
			out[key] = clone(v)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, v := range x {
			out[i] = clone(v)
		}
		return out
	}
	return value
}

// A taken object is one of which fields are taken away as they find their place in a document. What
// is left at the end does not fit.
type taken struct {
	content Content
	index   int
	isUsed  bool
}

func (t *taken) kind() string {
	kind, _ := t.content["kind"].(string)
	return kind
}

func (t *taken) name() string {
	meta, _ := t.content["metadata"].(map[string]any)
	name, _ := meta["name"].(string)
	return name
}

func (t *taken) namespace() string {
	meta, _ := t.content["metadata"].(map[string]any)
	namespace, _ := meta["namespace"].(string)
	return namespace
}

// take removes a field of an object and returns it.
func take(from map[string]any, name string) any {
	value := from[name]
	delete(from, name)
	return value
}

// mapAt is an object below another; an empty one if it is not there.
func mapAt(from map[string]any, path ...string) map[string]any {
	for _, name := range path {
		next, ok := from[name].(map[string]any)
		if !ok {
			return map[string]any{}
		}
		from = next
	}
	return from
}

func listAt(from map[string]any, name string) []any {
	list, _ := from[name].([]any)
	return list
}

func takeText(from map[string]any, name string) string {
	s, _ := take(from, name).(string)
	return s
}

// reverse turns objects into documents.
type reverse struct {
	all     []*taken
	misfits []Misfit
}

func (r *reverse) misfit(o *taken, field, reason string) {
	r.misfits = append(r.misfits, Misfit{o.index, field, reason})
}

// rest notes what is left of an object.
func (r *reverse) rest(o *taken) {
	if o.kind() != "Deployment" && !o.isUsed {
		reason := "no Deployment of these files needs it"
		if !slices.Contains([]string{"Service", "ConfigMap"}, o.kind()) {
			reason = "there is no form for it"
		}
		r.misfit(o, "", reason)
		return
	}
	for _, name := range []string{"apiVersion", "kind"} {
		delete(o.content, name)
	}
	meta := mapAt(o.content, "metadata")
	delete(meta, "name")
	delete(meta, "namespace")
	r.left(o, "", o.content)
}

// left notes the fields of a value that nothing took.
func (r *reverse) left(o *taken, path string, value any) {
	switch x := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(x)) {
			below := key
			if path != "" {
				below = path + "." + key
			}
			r.left(o, below, x[key])
		}
	case []any:
		for i, item := range x {
			r.left(o, path+"["+decimal(float64(i))+"]", item)
		}
	case nil:
	default:
		r.misfit(o, path, "there is no form for it")
	}
}

// A mapping builds an object in the order in which people write it.
type mapping struct{ node *yaml.Node }

func newMapping() mapping { return mapping{&yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}} }

// set adds a field; a value of nil, an empty text and an empty mapping are none.
func (m mapping) set(name string, value any) {
	if other, ok := value.(mapping); ok {
		if len(other.node.Content) == 0 {
			return
		}
		value = other.node
	}
	if list, ok := value.([]mapping); ok {
		nodes := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range list {
			nodes.Content = append(nodes.Content, item.node)
		}
		value = nodes
	}
	if value == nil || value == "" {
		return
	}
	node, ok := value.(*yaml.Node)
	if !ok {
		node = &yaml.Node{}
		if node.Encode(value) != nil {
			return // of JSON, everything can be encoded
		}
	}
	key := &yaml.Node{}
	key.SetString(name)
	m.node.Content = append(m.node.Content, key, node)
}
