package manifest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
)

// What kubectl reads as JSON is read, although YAML would refuse it.
func TestJSON(t *testing.T) {
	config := func(name, data string) string {
		return fmt.Sprintf(`{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": %q}, "data": {%s}}`, name, data)
	}
	long := strings.Repeat("k", 2000)
	for name, c := range map[string]struct {
		text string
		want []string // of the values of the key "a", one for each object
	}{
		"escaped slash":    {config("a", `"a": "1\/2"`), []string{"1/2"}},
		"surrogates":       {config("a", `"a": "\ud83d\ude00"`), []string{"😀"}},
		"half of a pair":   {config("a", `"a": "\ud83d!"`), []string{"\ufffd!"}},
		"a stream":         {config("a", `"a": "1"`) + "\n" + config("b", `"a": "2"`), []string{"1", "2"}},
		"indented by tabs": {strings.ReplaceAll(config("a", `"a": "1"`), "{", "{\n\t"), []string{"1"}},
		"a long value":     {config("a", `"a": "`+long+`"`), []string{long}},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := loadText(Options{}, "x.json", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if len(set.Objects) != len(c.want) {
				t.Fatalf("%d objects, want %d", len(set.Objects), len(c.want))
			}
			for i, want := range c.want {
				if got := set.Objects[i].Resource.(*corev1.ConfigMap).Data["a"]; got != want {
					t.Errorf("object %d has %q, want %q", i, got, want)
				}
			}
		})
	}
}

// YAML has no key of more than 1,024 characters.
func TestLongKeyInJSON(t *testing.T) {
	key := strings.Repeat("k", 2000)
	docs, ok := parseJSON([]byte(`{"` + key + `": 1}`))
	if !ok || len(docs) != 1 || docs[0].Content[0].Value != key {
		t.Errorf("%v, %v", docs, ok)
	}
}

// YAML would make a string of such a number.
func TestLargeNumberInJSON(t *testing.T) {
	_, err := loadText(Options{}, "x.json", []byte(`{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": 3e999}}`))
	want := "x.json:1:84: ConfigMap a: data[a]: the number 3e999 is too large"
	if err == nil || err.Error() != want {
		t.Errorf("error\n got %v\nwant %s", err, want)
	}
}

// FuzzJSON holds that JSON which YAML can read as well means the same, and stands at the same
// place.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"a": [1, -0, 1.5, 1e3, 18446744073709551616, true, null, "é\u00e9\n"], "b": {"c": {}}, "": []}`,
		"{\n\t\"a\" :\r\n 1 , \"ä\": {\"b\":2}\n}\n", `{"a":1}{"b":2}`, `{"a":1,}`, `{"a":[}`, `{`, `{"<<": {"a": 1}}`, `{"a": "\ud800"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		docs, ok := parseJSON([]byte(text))
		if !ok {
			return
		}
		if len(docs) == 1 && !json.Valid([]byte(text)) {
			t.Fatalf("%q was taken for JSON", text)
		}
		if strings.ContainsAny(strings.ReplaceAll(text, "\r\n", "\n"), "\r\u0085\u2028\u2029") {
			return // YAML counts lines by these
		}
		var doc yaml.Node
		if len(docs) != 1 || outOfRange(docs[0]) || yaml.Unmarshal([]byte(text), &doc) != nil {
			return
		}
		if got, want := outline(docs[0]), outline(doc.Content[0]); got != want {
			t.Errorf("%q is\n%s\nas JSON and\n%s\nas YAML", text, got, want)
		}
	})
}

// outOfRange reports whether a node has a number that no float64 holds. It stays a number, and is
// refused; YAML makes a string of it.
func outOfRange(n *yaml.Node) bool {
	return n.Tag == "!!float" && isTooLarge(n.Value) || slices.ContainsFunc(n.Content, outOfRange)
}

// outline is a node with its positions.
func outline(n *yaml.Node) string {
	var b strings.Builder
	var add func(*yaml.Node)
	add = func(n *yaml.Node) {
		fmt.Fprintf(&b, "%d:%d %s %q\n", n.Line, n.Column, n.ShortTag(), n.Value)
		for _, child := range n.Content {
			add(child)
		}
	}
	add(n)
	return b.String()
}
