package manifest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// scalar checks a string, boolean or number.
func (d *decoder) scalar(n *yaml.Node, t reflect.Type, path string) any {
	want := typeName(t)
	if n.Kind != yaml.ScalarNode {
		return d.mismatch(n, path, want)
	}
	v, err := resolve(n)
	if err != nil {
		d.failAt(n, path, ReasonType, "%v", err)
		return nil
	}
	switch x := v.(type) {
	case string:
		if t.Kind() == reflect.String {
			return x
		}
	case bool:
		if t.Kind() == reflect.Bool {
			return x
		}
	case uint64: // only what is larger than an int64
		if want == "integer" {
			return d.outOfRange(n, t, path)
		}
	case int64:
		if want == "integer" {
			return d.integer(n, x, t, path)
		}
	case float64:
		// JSON knows one kind of number: 1e3 and 5.0 are integers on a cluster too.
		if whole := math.Trunc(x); want == "integer" && whole == x && math.Abs(x) < 1<<53 {
			return d.integer(n, int64(whole), t, path)
		}
	}
	return d.mismatch(n, path, want)
}

func (d *decoder) integer(n *yaml.Node, v int64, t reflect.Type, path string) any {
	if reflect.Zero(t).OverflowInt(v) {
		return d.outOfRange(n, t, path)
	}
	return v
}

func (d *decoder) outOfRange(n *yaml.Node, t reflect.Type, path string) any {
	d.failAt(n, path, ReasonType, "cannot use %s as integer: it does not fit into %d bits", d.describe(n, path), t.Bits())
	return nil
}

// typeName covers the kinds that occur in the types we read.
func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.Int32, reflect.Int64:
		return "integer"
	}
	return "string"
}

// base64 checks the bytes of a Secret or a ConfigMap's binaryData.
func (d *decoder) base64(n *yaml.Node, path string) any {
	v, err := resolve(n)
	s, ok := v.(string)
	if err != nil || n.Kind != yaml.ScalarNode || !ok {
		return d.mismatch(n, path, "string of base64")
	}
	if _, err := base64.StdEncoding.DecodeString(s); err != nil {
		hint := ""
		if d.ref.Kind == "Secret" {
			hint = " (plain text goes under stringData)"
		}
		d.failAt(n, path, ReasonType, "cannot use this as base64: %v%s", err, hint)
		return nil
	}
	return s
}

// isCustom reports whether a type decodes itself.
func isCustom(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]())
}

// custom asks a type that decodes itself whether it takes the value.
func (d *decoder) custom(n *yaml.Node, t reflect.Type, path string) any {
	v := d.any(n, path)
	want := "value"
	switch t {
	case reflect.TypeFor[intstr.IntOrString]():
		want = "integer or string"
	case reflect.TypeFor[resource.Quantity]():
		want = `quantity such as 250m or "1Gi"`
		if len(n.Value) > 64 { // the arithmetic grows with the exponent
			return d.mismatch(n, path, want)
		}
	case reflect.TypeFor[metav1.Time](), reflect.TypeFor[metav1.MicroTime]():
		want = "time in RFC 3339"
	case reflect.TypeFor[metav1.FieldsV1]():
		want = "object"
	}
	if err := decodes(v, t); err != nil {
		return d.mismatch(n, path, want)
	}
	return v
}

func decodes(v any, t reflect.Type) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("cannot encode: %w", err)
	}
	return json.Unmarshal(data, reflect.New(t).Interface())
}
