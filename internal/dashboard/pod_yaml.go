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
	defer m.mu.Unlock()
	if known, ok := m.of[pod]; ok && known.json == string(text) {
		return known.yaml, nil
	}
	marked, err := markDefaults(spec, text)
	if err != nil {
		return "", err
	}
	if m.of == nil || len(m.of) >= maxSpecs {
		m.of = map[types.UID]markedSpec{}
	}
	m.of[pod] = markedSpec{string(text), marked}
	return marked, nil
}

// markDefaults writes a Pod's spec, of which text is the JSON, as YAML. A field is marked as a
// default if it is the same without anybody writing it.
func markDefaults(spec *corev1.PodSpec, text []byte) (string, error) {
	whole, err := runtime.DefaultUnstructuredConverter.ToUnstructured(spec)
	if err != nil {
		return "", err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return "", err
	}
	want := &corev1.Pod{Spec: *spec.DeepCopy()}
	manifest.Default(want)
	mark(document.Content[0], whole, func() bool {
		var pod corev1.Pod
		if runtime.DefaultUnstructuredConverter.FromUnstructured(whole, &pod.Spec) != nil {
			return false
		}
		manifest.Default(&pod)
		return equality.Semantic.DeepEqual(pod.Spec, want.Spec)
	})
	var out strings.Builder
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(document.Content[0]); err != nil {
		return "", err
	}
	return out.String(), encoder.Close()
}

// mark marks the defaults below a node. tree is the same as values, a part of what same looks at,
// which reports whether the whole comes to the same.
func mark(node *yaml.Node, tree any, same func() bool) {
	node.Style = 0
	switch tree := tree.(type) {
	case map[string]any:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], node.Content[i+1]
			key.Style = 0
			was := tree[key.Value]
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
