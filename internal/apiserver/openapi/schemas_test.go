package openapi

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/schemaconv"
	"k8s.io/kube-openapi/pkg/validation/spec"
	smdschema "sigs.k8s.io/structured-merge-diff/v6/schema"

	"github.com/probity-run/probity/internal/apiserver/resources"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/probe"
)

func schemas(t *testing.T) map[string]*spec.Schema {
	t.Helper()
	all, err := Schemas()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// wholeSchemas decodes the documents as the library does, with all that they say.
func wholeSchemas(t *testing.T) map[string]*spec.Schema {
	t.Helper()
	all := map[string]*spec.Schema{}
	for _, d := range Documents() {
		p, _ := read(t, d)
		for name, raw := range p.Components.Schemas {
			var s spec.Schema
			if err := json.Unmarshal(raw, &s); err != nil {
				t.Fatalf("%s of %s: %v", name, d.Path, err)
			}
			all[name] = &s
		}
	}
	return all
}

// TestSchemas: what is left out of the schemas makes no difference to how fields are owned.
func TestSchemas(t *testing.T) {
	convert := func(models map[string]*spec.Schema) []smdschema.TypeDef {
		converted, err := schemaconv.ToSchemaFromOpenAPI(models, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, def := range converted.Types {
			if def.Map != nil {
				slices.SortFunc(def.Map.Fields, func(a, b smdschema.StructField) int { return strings.Compare(a.Name, b.Name) })
			}
		}
		slices.SortFunc(converted.Types, func(a, b smdschema.TypeDef) int { return strings.Compare(a.Name, b.Name) })
		return converted.Types
	}
	want, got := convert(wholeSchemas(t)), convert(schemas(t))
	if len(want) < 200 {
		t.Fatalf("only %d types", len(want))
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(smdschema.Map{})); diff != "" {
		t.Errorf("types (-as the library reads them +as they are read here):\n%s", diff)
	}
}

// TestTypeConverter: the schemas are complete enough for managed fields, of every kind.
func TestTypeConverter(t *testing.T) {
	converter, err := managedfields.NewTypeConverter(schemas(t), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range resources.All() {
		o := &unstructured.Unstructured{}
		o.SetGroupVersionKind(r.GVK)
		if _, err := converter.ObjectToTyped(o); err != nil {
			t.Errorf("an object of %v: %v", r.GVK, err)
		}
		for _, s := range r.Subresources {
			o.SetGroupVersionKind(s.GVK)
			if _, err := converter.ObjectToTyped(o); err != nil && !strings.HasSuffix(s.GVK.Kind, "Options") {
				t.Errorf("an object of %v: %v", s.GVK, err)
			}
		}
	}
}

// TestMerge: lists are merged by the keys that the schemas name, and not as wholes.
func TestMerge(t *testing.T) {
	converter, err := managedfields.NewTypeConverter(schemas(t), false)
	if err != nil {
		t.Fatal(err)
	}
	deployment := &appsv1.Deployment{TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}}
	if err := json.Unmarshal([]byte(`{"spec":{"template":{"spec":{"containers":[{"name":"a","ports":[{"containerPort":80,"protocol":"TCP"}]}]}}}}`), deployment); err != nil {
		t.Fatal(err)
	}
	typed, err := converter.ObjectToTyped(deployment)
	if err != nil {
		t.Fatal(err)
	}
	set, err := typed.ToFieldSet()
	if err != nil {
		t.Fatal(err)
	}
	const want = `.spec.template.spec.containers[name="a"].ports[containerPort=80,protocol="TCP"].containerPort`
	if !strings.Contains(set.String(), want) {
		t.Errorf("the fields are\n%s\nwant one of them to be\n%s", set, want)
	}
}

// TestProbeReport compares the schemas that are written by hand with the types that they describe.
func TestProbeReport(t *testing.T) {
	all := wholeSchemas(t)
	for name, value := range map[string]any{"ProbeReport": node.ProbeReport{}, "ProbeRecord": node.ProbeRecord{}} {
		schema := all["run.probity.v1."+name]
		if schema == nil {
			t.Fatalf("there is no schema of %s", name)
		}
		var required []string
		want := map[string]string{}
		for _, field := range fieldsOf(reflect.TypeOf(value)) {
			property, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			want[property] = jsonType(field.Type)
			if field.Tag.Get("json") != "" && options == "" && property != "metadata" {
				required = append(required, property)
			}
		}
		got := map[string]string{}
		for property, s := range schema.Properties {
			got[property] = strings.Join(s.Type, " ")
			if s.Description == "" {
				t.Errorf("%s of %s is not described, and kubectl explain shows nothing", property, name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("properties of %s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(required)), slices.Sorted(slices.Values(schema.Required))); diff != "" {
			t.Errorf("required of %s (-want +got):\n%s", name, diff)
		}
	}
}

// fieldsOf returns the fields of a type as JSON has them: those of TypeMeta are its own.
func fieldsOf(t reflect.Type) []reflect.StructField {
	var fields []reflect.StructField
	for f := range t.Fields() {
		if f.Type == reflect.TypeFor[metav1.TypeMeta]() {
			fields = append(fields, fieldsOf(f.Type)...)
		} else {
			fields = append(fields, f)
		}
	}
	return fields
}

// jsonType is the type of a property in a schema; none where that refers to another schema.
func jsonType(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration](), t.Kind() == reflect.Int:
		return "integer"
	case t.Kind() == reflect.String:
		return "string"
	case t.Kind() == reflect.Bool:
		return "boolean"
	case t.Kind() == reflect.Slice:
		return "array"
	}
	return ""
}

// TestProbeReportWords: the words that a record may have are those that the schema lists.
func TestProbeReportWords(t *testing.T) {
	var types []any
	for _, probeType := range lifecycle.ProbeTypes() {
		types = append(types, string(probeType))
	}
	var outcomes []any
	for _, outcome := range []probe.Outcome{probe.Success, probe.Warning, probe.Failure, probe.Unknown} {
		outcomes = append(outcomes, outcome.String())
	}
	outcomes = append(outcomes, "error") // of an attempt that failed by itself
	results := []any{string(lifecycle.ResultSuccess), string(lifecycle.ResultFailure), string(lifecycle.ResultUnknown)}
	record := wholeSchemas(t)["run.probity.v1.ProbeRecord"]
	for property, want := range map[string][]any{"type": types, "outcome": outcomes, "result": results} {
		if diff := cmp.Diff(want, record.Properties[property].Enum); diff != "" {
			t.Errorf("words of %s (-want +got):\n%s", property, diff)
		}
	}
}

// BenchmarkSchemas is what the first write costs that needs managed fields.
func BenchmarkSchemas(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		all, err := Schemas()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := managedfields.NewTypeConverter(all, false); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDocuments is what the first question for the index costs.
func BenchmarkDocuments(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Index(Documents())
	}
}
