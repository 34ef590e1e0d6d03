package draft

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/fix"
	"github.com/probity-run/probity/internal/manifest"
)

// File is a manifest in which the workload stands.
type File struct {
	// Name is for people.
	Name string
	Text []byte
	// Line is where the container stands in it, from 1 on.
	Line int

	workload *advisor.Workload
	path     string // of the container
	values   Values
}

// Open finds the workload in a text. The error says that it is not there, or what cannot be read.
func (w Workload) Open(name string, text []byte) (*File, error) {
	m, err := advisor.NewManifests(advisor.Source{Name: name}).With(map[string][]byte{name: text})
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", name, err)
	}
	ref := manifest.Object{Resource: w.Resource}.Ref()
	for _, found := range m.Workloads {
		if other := found.Object.Ref(); other.Kind != ref.Kind || other.Name != ref.Name || namespaceOf(other) != namespaceOf(ref) {
			continue
		}
		c, path := (Workload{Resource: found.Object.Resource, Container: w.name()}).Spec()
		if c == nil {
			break
		}
		f := &File{Name: name, Text: text, Line: found.Object.PositionOf(path).Line, workload: found, path: path}
		f.values = Read(c, w.Grace(), func(field string) bool { return found.Object.Has(path + "." + field) })
		return f, nil
	}
	return nil, fmt.Errorf("%s does not have %s any more", name, ref)
}

func namespaceOf(ref manifest.Ref) string {
	if ref.Namespace == "" {
		return "default"
	}
	return ref.Namespace
}

// name is that of the container.
func (w Workload) name() string {
	if c, _ := w.Spec(); c != nil {
		return c.Name
	}
	return w.Container
}

// Otherwise says what the file has that these values have not, in a line each: liveness
// periodSeconds: 3. It is empty if both are the same.
func (f *File) Otherwise(v Values) (lines []string) {
	for _, d := range Differences(f.values, v) {
		lines = append(lines, d.Name+": "+d.Was)
	}
	return lines
}

// Write returns the text with these values in it; all else stays as it is, comments too. The error
// says what has to be changed by hand.
func (f *File) Write(v Values) ([]byte, error) {
	edits, err := f.edits(v)
	if original := f.workload.Object.Original(f.path); original.Format != "" && len(edits) > 0 {
		return nil, fmt.Errorf("cannot write to %s: there it is a %s of %s, whose fields are other ones: change it by hand", filepath.Base(f.Name), original.Object.Kind, original.Format)
	}
	if err != nil || len(edits) == 0 {
		return f.Text, err
	}
	finding := f.workload.Finding(f.path, "probes")
	finding.Patch = &advisor.Patch{Edits: edits}
	out, _, skipped := fix.Text(f.Text, []advisor.Finding{finding})
	for _, s := range skipped {
		return nil, fmt.Errorf("cannot write to %s: %w", filepath.Base(f.Name), s.Err)
	}
	return out, nil
}

// edits are the smallest ones after which the file has the values.
func (f *File) edits(v Values) (edits []advisor.Edit, err error) {
	for _, probe := range Probes() {
		path := f.path + "." + probe
		tree, errs := v.tree(probe, f.path)
		switch {
		case len(errs) > 0:
			return nil, fmt.Errorf("%s", errs[0].Text)
		case tree == nil && f.values.Handler(probe) == "":
			continue
		case tree == nil:
			edits = append(edits, advisor.Edit{Path: path, Remove: true})
			continue
		case f.values.Handler(probe) == "":
			edits = append(edits, advisor.Edit{Path: path, Value: flow(tree)})
			continue
		}
		handler := v.Handler(probe)
		if old := f.values.Handler(probe); old != handler {
			edits = append(edits, advisor.Edit{Path: path + "." + old, Remove: true}, advisor.Edit{Path: path + "." + handler, Value: flow(tree[handler])})
		}
		edits = append(edits, f.fieldEdits(probe, v, tree)...)
	}
	return edits, nil
}

// fieldEdits change the fields of a probe that stays.
func (f *File) fieldEdits(probe string, v Values, tree map[string]any) (edits []advisor.Edit) {
	handler := v.Handler(probe)
	for _, p := range Parameters(probe, "") {
		field := probe + "." + p.Name
		was, is := strings.TrimSpace(f.values[field]), strings.TrimSpace(v[field])
		if was == is || p.Handler != "" && (p.Handler != handler || f.values.Handler(probe) != handler) {
			continue
		}
		path := f.path + "." + field
		if p.Kind == Words { // with what has it: that would be empty in between
			path = f.path + "." + probe + "." + handler
			edits = append(edits, advisor.Edit{Path: path, Remove: true}, advisor.Edit{Path: path, Value: flow(tree[handler])})
			continue
		}
		if was != "" && (is == "" || p.Kind == Lines) && f.workload.Object.Has(path) {
			edits = append(edits, advisor.Edit{Path: path, Remove: true})
		}
		if is == "" {
			continue
		}
		value := tree[p.Name]
		if _, name, nested := strings.Cut(p.Name, "."); nested {
			value = tree[handler].(map[string]any)[name]
		}
		edits = append(edits, advisor.Edit{Path: path, Value: flow(value)})
	}
	return edits
}

// flow writes a value on one line of YAML, with plain words where they are plain.
func flow(value any) string {
	switch x := value.(type) {
	case map[string]any:
		var names []string
		for name := range x {
			names = append(names, name)
		}
		slices.SortFunc(names, func(a, b string) int { return strings.Compare(rank(a), rank(b)) })
		var fields []string
		for _, name := range names {
			fields = append(fields, name+": "+flow(x[name]))
		}
		return "{" + strings.Join(fields, ", ") + "}"
	case []any:
		var items []string
		for _, item := range x {
			items = append(items, flow(item))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case string:
		if isPlain(x) {
			return x
		}
	}
	text, err := json.Marshal(value) // JSON is YAML
	if err != nil {
		return `""`
	}
	return string(text)
}

// rank orders fields as people write them: what is asked, then how often.
func rank(name string) string {
	order := []string{HTTP, TCP, GRPC, Exec, "path", "name", "host", "port", "service", "command", "value",
		"initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold", "successThreshold"}
	if i := slices.Index(order, name); i >= 0 {
		return fmt.Sprintf("%02d", i)
	}
	return name
}

// isPlain reports whether a word means itself in YAML without quotes.
func isPlain(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if s == "" || strings.Trim(s, letters+"0123456789/._-") != "" || !strings.ContainsAny(s[:1], letters+"/") {
		return false
	}
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "null", "y", "n":
		return false
	}
	return true
}
