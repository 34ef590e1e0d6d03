package deploy

import (
	"io"
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// prefix is that of Probity's own annotations.
const prefix = "probity.run/"

// Strip takes Probity's own annotations away, from the object and from what it makes Pods of.
func Strip(o *Object) {
	for _, path := range [][]string{
		{"metadata"}, {"spec", "template", "metadata"}, {"spec", "jobTemplate", "metadata"}, {"spec", "jobTemplate", "spec", "template", "metadata"},
	} {
		meta, ok, _ := unstructured.NestedFieldNoCopy(o.Object, path...)
		fields, isMap := meta.(map[string]any)
		annotations, has := fields["annotations"].(map[string]any)
		if !ok || !isMap || !has {
			continue
		}
		maps.DeleteFunc(annotations, func(name string, _ any) bool { return strings.HasPrefix(name, prefix) })
		if len(annotations) == 0 {
			delete(fields, "annotations")
		}
	}
}

// Render writes objects as plain YAML. The same objects give the same bytes.
func Render(w io.Writer, objects []*Object) error {
	for i, o := range objects {
		text, err := yaml.Marshal(o.Object)
		if err != nil {
			return err
		}
		if i > 0 {
			text = append([]byte("---\n"), text...)
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return nil
}
