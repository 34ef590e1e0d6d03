package dashboard

import (
	"encoding/json"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
)

// defaultMark stands behind a field that nobody has to write.
const defaultMark = "# default"

// markedSpecs are specs as YAML with their defaults marked. Finding them out takes milliseconds and
// pages come again each second, so that they are kept as long as the spec is the same.
type markedSpecs struct {
	mu sync.Mutex // guards of
	of map[types.UID]markedSpec
}

type markedSpec struct{ json, yaml string }

// maxSpecs is how many are kept.
const maxSpecs = 64

// yamlOf is the Pod's spec, its defaults in italics.
func (s *Server) yamlOf(p *podView) item {
	marked, err := s.specs.yaml(p.UID, &p.Pod.Spec)
	if err != nil {
		return e("p.bad", text("cannot print the spec: "+err.Error()))
	}
	var lines list
	for line := range strings.Lines(marked) {
		if strings.HasSuffix(strings.TrimSpace(line), defaultMark) {
			lines = append(lines, e("i", text(line)))
		} else {
			lines = append(lines, text(line))
		}
	}
	return e("details", at("id", "yaml"), e("summary.small", text("Spec as YAML, with defaults")), e("div.wire", at("tabindex", "0"), at("role", "region"), at("aria-label", "Spec as YAML"), e("pre", lines)))
}

func (m *markedSpecs) yaml(pod types.UID, spec *corev1.PodSpec) (string, error) {
	text, err := json.Marshal(spec)
	if err != nil {
		return "", err
	}
	m.mu.Lock()
	known, ok := m.of[pod]
	m.mu.Unlock()
	if ok && known.json == string(text) {
		return known.yaml, nil
	}
	marked, err := markDefaults(spec, text)
	if err != nil {
		return "", err
	}
	m.keep(pod, markedSpec{string(text), marked})
	return marked, nil
}

// keep keeps a spec, if need be in the place of any other one.
func (m *markedSpecs) keep(pod types.UID, spec markedSpec) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil {
		m.of = map[types.UID]markedSpec{}
	}
	if _, ok := m.of[pod]; !ok && len(m.of) >= maxSpecs {
		for other := range m.of {
			delete(m.of, other)
			break
		}
	}
	m.of[pod] = spec
}

// maxMarking is how many bytes of JSON may be defaulted to find the defaults of a spec out: each of
// its fields is tried with the whole of it. One of 8 KB may have 250 fields.
const maxMarking = 2 << 20

// notMarked ends a spec that has more.
const notMarked = "# The defaults of further fields are not marked: there are too many.\n"

// markDefaults writes a Pod's spec, of which text is the JSON, as YAML. A field is marked as a
// default if it is the same without anybody writing it.
func markDefaults(spec *corev1.PodSpec, text []byte) (string, error) {
	whole, err := runtime.DefaultUnstructuredConverter.ToUnstructured(spec)
	if err != nil {
		return "", err
	}
	dropUndefaulted(whole)
	size, err := json.Marshal(whole)
	if err != nil {
		return "", err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return "", err
	}
	defaulted := func() (pod corev1.Pod, err error) {
		err = runtime.DefaultUnstructuredConverter.FromUnstructured(whole, &pod.Spec)
		manifest.Default(&pod)
		return pod, err
	}
	want, err := defaulted()
	if err != nil {
		return "", err
	}
	tries := maxMarking / len(size)
	mark(document.Content[0], whole, func() bool {
		if tries--; tries < 0 {
			return false
		}
		pod, err := defaulted()
		return err == nil && equality.Semantic.DeepEqual(pod.Spec, want.Spec)
	})
	var out strings.Builder
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(document.Content[0]); err != nil {
		return "", err
	}
	if tries < 0 {
		out.WriteString(notMarked)
	}
	return out.String(), encoder.Close()
}

// dropUndefaulted takes out of a spec what has no defaults, and on which none depends, where there
// may be much of it: command lines and environments.
func dropUndefaulted(spec map[string]any) {
	for _, list := range []string{"initContainers", "containers", "ephemeralContainers"} {
		containers, _ := spec[list].([]any)
		for _, c := range containers {
			container, _ := c.(map[string]any)
			delete(container, "command")
			delete(container, "args")
			refers := false // a fieldRef has a default
			variables, _ := container["env"].([]any)
			for _, v := range variables {
				variable, _ := v.(map[string]any)
				delete(variable, "name")
				delete(variable, "value")
				refers = refers || len(variable) > 0
			}
			if !refers {
				delete(container, "env")
			}
		}
	}
}

// mark marks the defaults below a node. tree is the same as values, without what has no defaults;
// it is a part of what same looks at, which reports whether the whole comes to the same.
func mark(node *yaml.Node, tree any, same func() bool) {
	node.Style = 0
	switch tree := tree.(type) {
	case map[string]any:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], node.Content[i+1]
			key.Style = 0
			was, ok := tree[key.Value]
			if !ok {
				plain(value)
				continue
			}
			delete(tree, key.Value)
			isDefault := same()
			tree[key.Value] = was
			if isDefault {
				markAll(key, value)
			} else {
				mark(value, was, same)
			}
		}
	case []any:
		for i, inner := range tree {
			mark(node.Content[i], inner, same)
		}
	}
}

// plain has a node and all that is below it written as people write it.
func plain(node *yaml.Node) {
	node.Style = 0
	for _, inner := range node.Content {
		plain(inner)
	}
}

// markAll marks a field and all that is below it.
func markAll(key, value *yaml.Node) {
	value.Style = 0
	if len(value.Content) == 0 {
		value.LineComment = defaultMark
		return
	}
	key.LineComment = defaultMark
	for i, inner := range value.Content {
		if value.Kind == yaml.MappingNode && i%2 == 1 {
			markAll(value.Content[i-1], inner)
		} else if value.Kind == yaml.SequenceNode {
			markAll(inner, inner)
		}
	}
}
