package openapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/apiserver/resources"
)

// sizeBudget is for all documents together, in bytes: they are in every program. 171 KB in November
// 2026; without the descriptions, which kubectl explain shows, 22 KB.
const sizeBudget = 180_000

// parsed is what clients read of a document.
type parsed struct {
	OpenAPI string
	Paths   map[string]map[string]struct {
		Action     string                  `json:"x-kubernetes-action"`
		GVK        schema.GroupVersionKind `json:"x-kubernetes-group-version-kind"`
		Parameters []struct{ Name string }
		// of a PATCH
		RequestBody struct{ Content map[string]any }
	}
	Components struct{ Schemas map[string]json.RawMessage }
}

func read(t *testing.T, d Document) (p parsed, text []byte) {
	t.Helper()
	text, err := d.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatalf("%s: %v", d.Path, err)
	}
	return p, text
}

// TestDocuments: there is one for each group and version that is served, and for no other.
func TestDocuments(t *testing.T) {
	var want, got []string
	for _, gv := range resources.GroupVersions() {
		want = append(want, strings.TrimPrefix("apis/"+gv.String(), "apis/v1"))
	}
	want[slices.Index(want, "")] = "api/v1"
	slices.Sort(want)
	size := 0
	for _, d := range Documents() {
		got = append(got, d.Path)
		size += len(d.Gzip())
		sum := sha256.Sum256(d.Gzip())
		if !strings.EqualFold(d.Hash, hex.EncodeToString(sum[:])) {
			t.Errorf("the hash of %s is %s, want that of its content, %x", d.Path, d.Hash, sum)
		}
		if p, _ := read(t, d); p.OpenAPI != "3.0.0" {
			t.Errorf("%s is of OpenAPI %q", d.Path, p.OpenAPI)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("documents (-want +got):\n%s", diff)
	}
	if size > sizeBudget {
		t.Errorf("the documents have %d bytes, more than the budget of %d", size, sizeBudget)
	}
}

// TestReferences: a document has every schema that it refers to, as clients follow no reference to
// another one.
func TestReferences(t *testing.T) {
	reference := regexp.MustCompile(`"\$ref":"([^"]*)"`)
	for _, d := range Documents() {
		p, text := read(t, d)
		references := reference.FindAllSubmatch(text, -1)
		if len(references) == 0 {
			t.Errorf("%s refers to nothing", d.Path)
		}
		for _, m := range references {
			name, inside := strings.CutPrefix(string(m[1]), "#/components/schemas/")
			if _, there := p.Components.Schemas[name]; !inside || !there {
				t.Errorf("%s refers to %s, which it does not have", d.Path, m[1])
			}
		}
	}
}

// TestOperations looks for what kubectl looks for: the path of a resource, by which it finds the
// kind to explain, and the parameters and encodings of the PATCH of a kind.
func TestOperations(t *testing.T) {
	documents := map[string]parsed{}
	for _, d := range Documents() {
		documents[d.Path], _ = read(t, d)
	}
	for _, r := range resources.All() {
		prefix := "apis/" + r.GVK.GroupVersion().String()
		if r.GVK.Group == "" {
			prefix = "api/" + r.GVK.Version
		}
		collection := "/" + prefix
		if r.Namespaced {
			collection += "/namespaces/{namespace}"
		}
		collection += "/" + r.Name
		for method, op := range documents[prefix].Paths[collection] {
			if op.GVK != r.GVK || op.Action == "" {
				t.Errorf("%s %s is for %q of %v, want %v", method, collection, op.Action, op.GVK, r.GVK)
			}
		}
		item := documents[prefix].Paths[collection+"/{name}"]
		if _, can := item["delete"]; can != r.Can("delete") {
			t.Errorf("whether %s can be deleted is %v, want %v", r.Name, can, r.Can("delete"))
		}
		if _, can := item["patch"]; can != r.Can("patch") {
			t.Errorf("whether %s can be patched is %v, want %v", r.Name, can, r.Can("patch"))
		} else if !can {
			continue
		}
		var parameters []string
		for _, p := range item["patch"].Parameters {
			parameters = append(parameters, p.Name)
		}
		if diff := cmp.Diff([]string{"dryRun", "fieldManager", "fieldValidation", "force"}, parameters); diff != "" {
			t.Errorf("parameters of a PATCH of %s (-want +got):\n%s", r.Name, diff)
		}
		for _, encoding := range []string{"apply-patch+yaml", "json-patch+json", "merge-patch+json", "strategic-merge-patch+json"} {
			if _, can := item["patch"].RequestBody.Content["application/"+encoding]; !can {
				t.Errorf("a PATCH of %s takes no %s", r.Name, encoding)
			}
		}
	}
}

// TestIndex: the hash is part of the URL, or a client would keep an old document.
func TestIndex(t *testing.T) {
	got := Index([]Document{{Path: "api/v1", Hash: "0A"}, {Path: "apis/apps/v1", Hash: "FF"}})
	want := `{"paths":{"api/v1":{"serverRelativeURL":"/openapi/v3/api/v1?hash=0A"},` +
		`"apis/apps/v1":{"serverRelativeURL":"/openapi/v3/apis/apps/v1?hash=FF"}}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("index (-want +got):\n%s", diff)
	}
	if empty := Index(nil); !bytes.Equal(empty, []byte(`{"paths":{}}`)) {
		t.Errorf("an index of nothing is %s", empty)
	}
}

// TestVersion2: kubectl sends no List without a document of the older form.
func TestVersion2(t *testing.T) {
	// as the Go library of protobuf writes it
	if got, want := string(Version2Protobuf()), "\n\x032.0\x12\x19\n\nKubernetes\x12\vunversionedB\x00"; got != want {
		t.Errorf("protobuf is %q, want %q", got, want)
	}
	var document map[string]any
	if err := json.Unmarshal(Version2JSON(), &document); err != nil || document["swagger"] != "2.0" {
		t.Errorf("JSON is %s: %v", Version2JSON(), err)
	}
}
