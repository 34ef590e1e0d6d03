package manifest

import (
	"encoding/json"
	"testing"

	"go.yaml.in/yaml/v3"
	sigsyaml "sigs.k8s.io/yaml"
)

func scalars() []string {
	return []string{
		"yes", "Yes", "YES", "yEs", "no", "on", "OFF", "y", "Y", "n", "true", "True", "tRue", "null", "Null", "~", "NULL", "nUll",
		"0", "-0", "+5", "08", "0644", "0o644", "0x1F", "0b11", "-0b11", "1_000", "18446744073709551615", "18446744073709551616", "-9223372036854775809",
		"1.5", "1.", ".5", "1e3", "1E-3", "-1.5e+3", "+.5", ".5.5", "1.10", "12e", "0.1", "1:30", "190:20:30", "2024-01-01", "2024-01-01T00:00:00Z", "1.2.3",
		"250m", "1Gi", "5s", "a", "http", "-a", "+a", ".a", "...a", "<<", "a b", "0x", "1__0", "_1", "=", "/", "é",
	}
}

// plainScalar parses s as one plain scalar.
func plainScalar(s string) (*yaml.Node, bool) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(s), &doc); err != nil || len(doc.Content) != 1 {
		return nil, false
	}
	n := doc.Content[0]
	return n, n.Kind == yaml.ScalarNode && n.Style == 0 && n.Value == s && n.Anchor == ""
}

// checkScalar holds resolve against the library that kubectl uses.
func checkScalar(t *testing.T, s string) {
	t.Helper()
	n, ok := plainScalar(s)
	if !ok {
		return
	}
	want, wantErr := sigsyaml.YAMLToJSON([]byte(s))
	v, err := resolve(n)
	if err != nil {
		t.Fatalf("resolve(%q): %v", s, err)
	}
	got, gotErr := json.Marshal(v)
	if string(got) != string(want) || (gotErr == nil) != (wantErr == nil) {
		t.Errorf("resolve(%q) = %s %v, want %s %v", s, got, gotErr, want, wantErr)
	}
}

func TestResolve(t *testing.T) {
	for _, s := range scalars() {
		checkScalar(t, s)
	}
	for text, want := range map[string]any{
		`"yes"`: "yes", `'8080'`: "8080", `""`: "", "!!str 5": "5", "!!float 5": 5.0, "!!int 5": int64(5), "!!bool on": true, "!!null ''": nil, "!!int a": "error",
		"!x a": "error", "!!binary eA==": "error", "|\n  5": "5", "!!int '5'": int64(5),
	} {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		got, err := resolve(doc.Content[0])
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("resolve(%s) = %v (%v), want %v", text, got, err, want)
		}
	}
}

func FuzzResolve(f *testing.F) {
	for _, s := range scalars() {
		f.Add(s)
	}
	f.Fuzz(checkScalar)
}
