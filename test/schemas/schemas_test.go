package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate/script"
)

// compiled is a schema as an editor has it, by its file.
func compiled(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("../../docs/reference/schemas", name))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// documents are those of a YAML file, as JSON has them.
func documents(t *testing.T, data string) (all []any) {
	t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(data))
	for {
		var value any
		err := decoder.Decode(&value)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		asJSON, err := json.Marshal(value)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		if value, err = jsonschema.UnmarshalJSON(bytes.NewReader(asJSON)); err != nil {
			t.Fatal(err)
		}
		if value != nil {
			all = append(all, value)
		}
	}
}

// validate holds each document of a file against a schema.
func validate(t *testing.T, schema *jsonschema.Schema, data string) error {
	t.Helper()
	var errs []error
	for _, document := range documents(t, data) {
		errs = append(errs, schema.Validate(document))
	}
	return errors.Join(errs...)
}

// TestScripts: the scripts of the repository, those of its pages and tests, validate.
func TestScripts(t *testing.T) {
	schema := compiled(t, "fault-script.json")
	scripts := []string{lastExample(t)}
	for _, name := range []string{"../../docs/how-to/simulate-a-fault.md", "../../docs/how-to/write-in-an-editor.md"} {
		for _, block := range blocks(t, name) {
			if isScript(block) {
				scripts = append(scripts, block)
			}
		}
	}
	for _, name := range []string{"simulate/simulate.txt", "script/drill.txt"} {
		archive, err := txtar.ParseFile("../../internal/cli/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range archive.Files {
			if isScript(string(file.Data)) {
				scripts = append(scripts, string(file.Data))
			}
		}
	}
	scripts = slices.DeleteFunc(scripts, func(data string) bool { // tests have wrong ones, too
		_, err := script.Decode("script.yaml", []byte(data))
		return err != nil
	})
	if len(scripts) < 4 {
		t.Fatalf("%d scripts were found", len(scripts))
	}
	for _, data := range scripts {
		if err := validate(t, schema, data); err != nil {
			t.Errorf("%v\n%s", err, data)
		}
	}
}

func isScript(data string) bool {
	return strings.HasPrefix(data, "programs:") || strings.Contains("\n"+data, "\nfaults:")
}

// lastExample is that of the reference.
func lastExample(t *testing.T) string {
	t.Helper()
	_, example, ok := strings.Cut(script.Reference(), "\nExample:\n\n")
	if !ok {
		t.Fatal("the reference has no example")
	}
	return strings.ReplaceAll(example, "\n    ", "\n")[4:]
}

// blocks are the blocks of YAML of a page.
func blocks(t *testing.T, path string) (all []string) {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(page), "```yaml\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		all = append(all, block)
	}
	return all
}

// TestScriptsAlike: the schema and the program take the same, and refuse the same.
func TestScriptsAlike(t *testing.T) {
	schema := compiled(t, "fault-script.json")
	for _, tt := range []struct {
		data  string
		valid bool
	}{
		{"podSetup: 2s", true},
		{"podSetup: 1h30m", true},
		{"podSetup: 1.5d", true},
		{"podSetup: 0", true},
		{"podSetup: {exponential: 3s}", true},
		{"podSetup: {lognormal: {median: 20s, p99: 50s}}", true},
		{"programs: {'*': {beforeStartup: hang, latency: {uniform: {from: 5ms, to: 80ms}}, failures: 0.5}}", true},
		{"programs: {'deployment/web:app': {shutdown: never, exit: {after: 3s, code: 2}}}", true},
		{"faults: {fault: hang, at: 3s}", true},
		{"faults: [{fault: hang, probes: readiness, replicas: 1, shared: true}]", true},
		{"faults: [{fault: slow, latency: 3s, ramp: 10m}]", true},
		{"faults: [{fault: throttle, share: 0.1}]", true},
		{"faults: [{fault: status, reply: 404, name: 42}]", true},
		{"faults: [{fault: dependency-slow, latency: 1s, outlastsRestart: false}]", true},

		{"podsetup: 2s", false},
		{"podSetup: 2", false},
		{"podSetup: 2 seconds", false},
		{"podSetup: -2s", false},
		{"podSetup: ''", false},
		{"podSetup: {normal: {mean: 3s}}", false},
		{"podSetup: {gamma: {mean: 3s}}", false},
		{"podSetup: {constant: 1s, exponential: 3s}", false},
		{"programs: [web]", false},
		{"programs: {web: {start: 3s}}", false},
		{"programs: {web: {beforeStartup: silent}}", false},
		{"programs: {web: {failures: 1.5}}", false},
		{"programs: {web: {exit: {code: 256}}}", false},
		{"faults: [{at: 3s}]", false},
		{"faults: [{fault: hangs}]", false},
		{"faults: [{fault: overload}]", false},
		{"faults: [{fault: slow}]", false},
		{"faults: [{fault: hang, latency: 3s}]", false},
		{"faults: [{fault: slow, latency: 3s, share: 0.1}]", false},
		{"faults: [{fault: hang, probes: [ready]}]", false},
		{"faults: [{fault: hang, replicas: [-1]}]", false},
		{"faults: [{fault: hang, shared: 3}]", false},
		{"faults: [{fault: status, reply: 99}]", false},
		{"faults: [{fault: dependency-outage, reply: refused}]", false},
		{"[]", false},
	} {
		bySchema := validate(t, schema, tt.data)
		_, byProgram := script.Decode("script.yaml", []byte(tt.data))
		if (bySchema == nil) != tt.valid || (byProgram == nil) != tt.valid {
			t.Errorf("%s\nvalid: %t, by the schema: %v\nby the program: %v", tt.data, tt.valid, bySchema, byProgram)
		}
	}
}

// TestManifests: the manifests of the repository validate.
func TestManifests(t *testing.T) {
	schema := compiled(t, "annotations.json")
	with := 0
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".yaml") || strings.Contains(path, "testdata") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(data, []byte("kind:")) {
			return err
		}
		if bytes.Contains(data, []byte("probity.run/")) {
			with++
		}
		if err := validate(t, schema, string(data)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if with < 3 {
		t.Errorf("%d manifests with annotations were found", with)
	}
}

// annotated is an object of a kind with annotations, on itself or on its template.
func annotated(kind, annotations string, onTemplate bool) string {
	const pod = "{containers: [{name: web, image: web, command: [web], ports: [{containerPort: 8080}]}]}"
	switch {
	case kind == "Pod":
		return "apiVersion: v1\nkind: Pod\nmetadata: {name: web, annotations: {" + annotations + "}}\nspec: " + pod + "\n"
	case kind == "Service":
		return "apiVersion: v1\nkind: Service\nmetadata: {name: web, annotations: {" + annotations + "}}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n"
	case onTemplate:
		return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}, annotations: {" + annotations + "}}, spec: " + pod + "}}\n"
	}
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, annotations: {" + annotations + "}}\nspec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: " + pod + "}}\n"
}

// TestAnnotationsAlike: the schema and the program take the same, and refuse or warn of the same.
func TestAnnotationsAlike(t *testing.T) {
	schema := compiled(t, "annotations.json")
	for _, tt := range []struct {
		kind, annotations string
		onTemplate, valid bool
	}{
		{"Pod", "probity.run/command.web: ./web --config dev.yaml", false, true},
		{"Pod", "probity.run/drain: 1m30s, probity.run/ports: fixed, probity.run/names: 'off'", false, true},
		{"Pod", "probity.run/after: 'db=healthy, migrate=completed,cache'", false, true},
		{"Pod", "probity.run/dependency.db: owned, probity.run/drill.deadlock.web: kill -USR1 $PID", false, true},
		{"Pod", "probity.run/fault: slow=500ms", false, true},
		{"Pod", "probity.run/fault: refuse, example.com/probity.run: x", false, true},
		{"Pod", "probity.run/ignore.no-drain: the gateway retries", false, true},
		{"Service", "probity.run/hold: 10s", false, true},
		{"Deployment", "probity.run/drain: 5s, probity.run/directory.web: ..", true, true},
		{"Deployment", "probity.run/ignore.no-drain: the gateway retries, probity.run/keep: ''", false, true},
		{"Pod", "probity.run/rotation: out, probity.run/restarted-at: '2026-11-30T05:00:00Z'", false, true},
		{"Deployment", "probity.run/rotation: out, probity.run/restarted-at: ''", true, true},

		{"Pod", "probity.run/ports: fixd", false, false},
		{"Pod", "probity.run/drain: 5", false, false},
		{"Pod", "probity.run/drain: five", false, false},
		{"Pod", "probity.run/drain: -5s", false, false},
		{"Pod", "probity.run/command.web: ''", false, false},
		{"Pod", "probity.run/after: db=ready", false, false},
		{"Pod", "probity.run/after: ''", false, false},
		{"Pod", "probity.run/dependency.db: 'yes'", false, false},
		{"Pod", "probity.run/drill.deadlock.web: ' '", false, false},
		{"Pod", "probity.run/fault: hang", false, false},
		{"Pod", "probity.run/fault: refuse=2s", false, false},
		{"Pod", "probity.run/rotation: in", false, false},
		{"Pod", "probity.run/port: fixed", false, false},
		{"Pod", "probity.run/hold: 10s", false, false},
		{"Service", "probity.run/hold: later", false, false},
		{"Service", "probity.run/drain: 5s", false, false},
		{"Deployment", "probity.run/drain: 5s", false, false},
		{"Deployment", "probity.run/fault: unready", true, false},
		{"Deployment", "probity.run/names: on", true, false},
		{"Deployment", "probity.run/rotation: in", true, false},
		{"Deployment", "probity.run/rotation: out", false, false},
		{"Deployment", "probity.run/restarted-at: now", false, false},
	} {
		data := annotated(tt.kind, tt.annotations, tt.onTemplate)
		bySchema := validate(t, schema, data)
		byProgram := judged(t, data)
		if (bySchema == nil) != tt.valid || (byProgram == nil) != tt.valid {
			t.Errorf("%s\nvalid: %t, by the schema: %v\nby the program: %v", data, tt.valid, bySchema, byProgram)
		}
	}
}

// judged is what Probity refuses in a manifest, or warns of in its annotations.
func judged(t *testing.T, data string) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app.yaml")
	if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
	set, err := manifest.Load(manifest.Options{}, path)
	errs := []error{err}
	for _, object := range set.Objects {
		for _, warning := range manifest.Warnings(object.Resource) {
			if strings.Contains(warning.Field, "annotations") {
				errs = append(errs, errors.New(warning.Field+": "+warning.Message))
			}
		}
	}
	return errors.Join(errs...)
}
