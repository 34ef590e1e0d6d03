package release

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTag(t *testing.T) {
	r := newRepository(t)
	r.run(t, "release/release", "prepare", "v0.3.0")
	r.commit(t)
	if out := r.run(t, "release/release", "tag", "--dry-run", "v0.3.0"); !strings.Contains(out, "git push --atomic origin health/v0.3.0 ") {
		t.Errorf("a dry run prints\n%s", out)
	}
	if tags := r.tags(t); tags != "" {
		t.Fatalf("a dry run made tags:\n%s", tags)
	}
	out := r.run(t, "release/release", "tag", "v0.3.0")
	const order = "health/v0.3.0 health/connecthealth/v0.3.0 health/grpchealth/v0.3.0 health/otel/v0.3.0 health/prometheus/v0.3.0 v0.3.0"
	if !strings.HasSuffix(out, "git push --atomic origin "+order+"\n") {
		t.Errorf("the tags are not listed in the order %s:\n%s", order, out)
	}
	for tag := range strings.FieldsSeq(order) {
		if r.run(t, "git", "rev-parse", tag+"^{commit}") != r.run(t, "git", "rev-parse", "HEAD") {
			t.Errorf("%s is no tag of the commit", tag)
		}
	}
	if got := r.refused(t, "tag", "v0.3.0"); !strings.Contains(got, "the tag health/v0.3.0 exists") {
		t.Errorf("a second release is refused with\n%s", got)
	}
}

func TestRefused(t *testing.T) {
	r := newRepository(t)
	r.run(t, "release/release", "prepare", "v0.3.0")
	r.commit(t)
	mod := filepath.Join("health", "grpchealth", "go.mod")
	tests := []struct {
		name    string
		change  func(t *testing.T)
		version string
		want    string
	}{
		{"no version", nil, "0.3.0", "0.3.0 is no version"},
		{"major version without a path", nil, "v2.0.0", "v2.0.0 is no version"},
		{"another version", nil, "v0.3.1", "requires another version: run release/release prepare v0.3.1"},
		{"a changed file", func(t *testing.T) { r.append(t, "README.md", "\n") }, "v0.3.0", "the tree is not clean"},
		{"a new file", func(t *testing.T) { r.append(t, "new", "") }, "v0.3.0", "the tree is not clean"},
		{"a replaced module", func(t *testing.T) {
			r.append(t, mod, "\nreplace "+module+"/health => ../\n")
			r.commit(t)
		}, "v0.3.0", "replaces a module"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := strings.TrimSpace(r.run(t, "git", "rev-parse", "HEAD"))
			if test.change != nil {
				test.change(t)
			}
			if got := r.refused(t, "tag", test.version); !strings.Contains(got, test.want) {
				t.Errorf("it says\n%swant %q", got, test.want)
			}
			if tags := r.tags(t); tags != "" {
				t.Errorf("it made tags:\n%s", tags)
			}
			r.run(t, "git", "reset", "-q", "--hard", before)
			r.run(t, "git", "clean", "-qfd")
		})
	}
}

// append adds text to a file, which need not exist.
func (r repository) append(t *testing.T, name, text string) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(r.dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(text); err != nil {
		t.Fatal(err)
	}
}
