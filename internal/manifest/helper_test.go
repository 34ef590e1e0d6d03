package manifest

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// pod wraps the fields of a container.
func pod(container string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: app\n    image: app:1\n" + indent(4, container)
}

// deployment wraps the fields of its spec.
func deployment(spec string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n" + indent(2, spec) + `
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: app, image: "app:1"}]
`
}

func indent(n int, text string) string {
	pad := strings.Repeat(" ", n)
	return pad + strings.ReplaceAll(strings.Trim(text, "\n"), "\n", "\n"+pad)
}

// wantLine finds the line that a fixture marks with "# want", or 0.
func wantLine(text string) int {
	for i, line := range strings.Split(text, "\n") {
		if strings.Contains(line, "# want") {
			return i + 1
		}
	}
	return 0
}

// messages renders errors as "field: message".
func messages(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	list, ok := errors.AsType[Errors](err)
	if !ok {
		t.Fatalf("error is %T, want Errors", err)
	}
	var out []string
	for _, e := range list {
		out = append(out, strings.TrimPrefix(e.Field+": "+e.Message, ": "))
	}
	return out
}

// loadText is Load for one text in memory; name stands for the file.
func loadText(opts Options, name string, data []byte) (*Set, error) {
	l := newLoader(opts)
	if !l.documents(name, data) {
		l.empty(name)
	}
	return l.result()
}

// load expects one object without errors.
func load(t *testing.T, text string) Object {
	t.Helper()
	s, err := loadText(Options{}, "app.yaml", []byte(text))
	if err != nil {
		t.Fatalf("loadText: %v\n%s", err, text)
	}
	if len(s.Objects) != 1 {
		t.Fatalf("objects = %d, want 1", len(s.Objects))
	}
	return s.Objects[0]
}

// fieldExists follows a pattern such as spec.ports[].nodePort along a kind's Go type.
func fieldExists(k objectType, pattern string) bool {
	d := (&decoder{}).next()
	t := reflect.TypeOf(k.make())
	for step := range strings.SplitSeq(pattern, ".") {
		name, isList := strings.CutSuffix(step, "[]")
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		o := objectSchema{fields: d.structFields(t)}
		next, ok := o.field(name)
		if !ok {
			return false
		}
		if t = next; isList {
			t = t.Elem()
		}
	}
	return true
}
