package survey

import (
	"encoding/json"
	"strings"

	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/internal/advisor/cluster"
)

// PatchText is a patch as a strategic merge patch in YAML, which kubectl patch takes.
func PatchText(p cluster.Patch) (string, error) {
	text, err := strategicpatch.CreateTwoWayMergePatch(p.Before, p.After, p.Like)
	if err != nil {
		return "", err
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		return "", err
	}
	withoutOrder(tree)
	lines, err := yaml.Marshal(tree)
	return string(lines), err
}

// withoutOrder takes away what says in which order the items of lists are: it stays as it is.
func withoutOrder(tree map[string]any) {
	for name, value := range tree {
		if strings.HasPrefix(name, "$setElementOrder/") {
			delete(tree, name)
			continue
		}
		switch v := value.(type) {
		case map[string]any:
			withoutOrder(v)
		case []any:
			for _, item := range v {
				if m, ok := item.(map[string]any); ok {
					withoutOrder(m)
				}
			}
		}
	}
}
