package manifest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func configMap(name string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\n"
}

func TestLoadPaths(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"app.yaml": configMap("app"), "k8s/b.yml": configMap("b"), "k8s/a.yaml": configMap("a"), "k8s/c.json": `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}`,
		"k8s/notes.txt": "not: [yaml", "k8s/.hidden.yaml": "not: [yaml", "k8s/sub/d.yaml": configMap("d"), "k8s/comment.yaml": "# nothing\n",
		"empty.yaml": "", "text/readme.md": "x", "blank/a.yaml": "---\n", "k8s/folder.yaml/x": "",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name    string
		paths   []string
		objects string
		err     string
	}{
		{"file", []string{"app.yaml"}, "app", ""},
		{"folder", []string{"k8s"}, "a b c", ""},
		{"order and repetition", []string{"k8s/c.json", "app.yaml", "./app.yaml", "k8s/b.yml"}, "c app b", ""},
		{"standard input", []string{"-", "app.yaml"}, "stdin app", ""},
		{"nothing", nil, "", "no manifest given: name a file, a folder or - for standard input"},
		{"missing", []string{"nope.yaml", "app.yaml"}, "app", "nope.yaml: cannot read: no such file or directory"},
		{"empty file", []string{"empty.yaml"}, "", "empty.yaml: nothing in it: expected at least one Kubernetes object"},
		{"empty folder", []string{"text"}, "", "text: no manifest in this folder: expected files named *.yaml, *.yml or *.json (subfolders are not read)"},
		{"folder of comments", []string{"blank"}, "", "blank: nothing in it: expected at least one Kubernetes object"},
		{"same object in two files", []string{"k8s", "k8s/a.yaml"}, "a b c", `k8s/a.yaml:3:18: ConfigMap a: metadata.name: namespace "default" has this object already, from k8s/a.yaml:1:1`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			set, err := Load(Options{Stdin: strings.NewReader(configMap("stdin"))}, tt.paths...)
			var names []string
			for _, o := range set.Objects {
				names = append(names, o.Ref().Name)
			}
			if got := strings.Join(names, " "); got != tt.objects {
				t.Errorf("objects = %q, want %q", got, tt.objects)
			}
			if got := fmt.Sprint(err); got != tt.err && (err != nil || tt.err != "") {
				t.Errorf("error\n got %s\nwant %s", got, tt.err)
			}
		})
	}
}

func TestStdinErrors(t *testing.T) {
	if _, err := Load(Options{}, "-"); err == nil || err.Error() != "<stdin>: cannot read: there is no standard input here" {
		t.Errorf("error = %v", err)
	}
	if _, err := Load(Options{Stdin: strings.NewReader("a: [\n")}, "-"); err == nil || !strings.HasPrefix(err.Error(), "<stdin>:1:1: not valid YAML: ") {
		t.Errorf("error = %v", err)
	}
}

// TestUnreadable has a file that nobody can read, and one that plain users cannot.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	loop := filepath.Join(dir, "loop.yaml")
	if err := os.Symlink("loop.yaml", loop); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(Options{}, loop); err == nil || err.Error() != loop+": cannot read: too many levels of symbolic links" {
		t.Errorf("error = %v", err)
	}
	private := filepath.Join(dir, "private.yaml")
	if err := os.WriteFile(private, nil, 0); err != nil {
		t.Fatal(err)
	}
	asPlainUser(t, func() {
		if _, err := Load(Options{}, private); err == nil || err.Error() != private+": cannot read: permission denied" {
			t.Errorf("error = %v", err)
		}
	})
}

// What asks for too much is refused with a place. Some of it would otherwise keep the test busy
// until its timeout.
func TestLimits(t *testing.T) {
	expanding := Options{MaxNodes: 1000, MaxDocumentBytes: 30_000}
	small := Options{MaxFileBytes: 2000, MaxDocumentBytes: 1000, MaxDocuments: 3, MaxNodes: 100}
	laughs := []string{"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, managedFields: [{fieldsV1: {\n  a: &a [x, x, x, x, x, x, x, x, x, x]"}
	for c := 'b'; c < 'z'; c++ {
		alias := fmt.Sprintf("*%c, ", c-1)
		laughs = append(laughs, fmt.Sprintf("  %c: &%c [%s]", c, c, strings.Repeat(alias, 9)+alias[:2]))
	}
	nested := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	for _, tt := range []struct {
		name, text, want string
		opts             Options
	}{
		{"file", strings.Repeat("# comment\n", 300), "a.yaml: the file is larger than 2000 bytes: refused", small},
		{"document", configMap("a") + "---\n" + configMap("b") + "data: {a: " + strings.Repeat("x", 1000) + "}\n", "a.yaml:4:1: the document is larger than 1000 bytes: refused", small},
		{"documents", configMap("a") + "---\n" + configMap("b") + "---\n" + configMap("c") + "---\n" + configMap("d") + "---\n" + configMap("e"),
			"a.yaml:13:1: more than 3 objects in the file: refused", small},
		{"nodes", pod("args: [" + strings.Repeat("a,", 100) + "]"), "the document has too many values, or its aliases expand to too many: refused", small},
		{"aliases of aliases", strings.Join(laughs, ",\n") + "}}]}\n", "the document has too many values, or its aliases expand to too many: refused", expanding},
		{"aliases as text", pod("workingDir: &a " + strings.Repeat("x", 10_000) + "\nargs: [*a, *a, *a, *a]"), "the document has too many values, or its aliases expand to too many: refused", expanding},
		{"aliases as merges", "x: &a {b: 1}\n" + pod("<<: ["+strings.Repeat("*a, ", 1000)+"*a]"), "the document has too many values, or its aliases expand to too many: refused", expanding},
		{"alias of itself", pod("env: &a\n- *a"), "cannot use a list as object", Options{}},
		{"fields of itself", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  managedFields: [{fieldsV1: &a {b: *a}}]\n", `the value of anchor "a" contains itself`, Options{}},
		{"list of itself", "apiVersion: v1\nkind: List\nitems: &a\n- {apiVersion: v1, kind: List, items: *a}\n", "more than 1000 objects in the file: refused", Options{}},
		{"deep", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, managedFields: [{fieldsV1: " + nested + "}]}\n", "more than 100 values inside each other: refused", Options{}},
		{"deeper", strings.Repeat("[", 1<<20), "not valid YAML: exceeded max depth of 10000", Options{}},
		{"errors", pod(strings.Repeat("foo: bar\n", 1000)), "more than 100 errors: the rest of this object is left out", Options{}},
		{"exponent", pod("resources: {limits: {cpu: '1" + strings.Repeat("0", 100) + "'}}"), "as quantity such as 250m", Options{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := loadText(tt.opts, "a.yaml", []byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "a.yaml:") {
				t.Errorf("error\n got %.500v\nwant %s", err, tt.want)
			}
		})
	}
}

// In a large document the parser's own line has to do.
func TestSyntaxErrorInLargeText(t *testing.T) {
	text := configMap("a") + "data:\n" + strings.Repeat("  k: v\n", 50_000) + "  {\n"
	_, err := loadText(Options{}, "a.yaml", []byte(text))
	list, _ := errors.AsType[Errors](err)
	if len(list) != 1 || list[0].Reason != ReasonSyntax || list[0].Line < 50_000 {
		t.Errorf("error = %v, want a syntax error near line 50005", err)
	}
}

// Many broken documents do not make many errors.
func TestManySyntaxErrors(t *testing.T) {
	_, err := loadText(Options{MaxDocuments: 5}, "a.yaml", []byte(strings.Repeat("---\na: [\n", 1000)))
	list, _ := errors.AsType[Errors](err)
	if len(list) == 0 || len(list) > 7 {
		t.Errorf("errors = %d, want about 5", len(list))
	}
}

func TestSplit(t *testing.T) {
	var got []string
	for _, c := range split([]byte("# a\n---\nb\n--- c\n---d\n ---\n---\r\n...\n---")) {
		got = append(got, fmt.Sprintf("%d %q", c.line, c.text))
	}
	want := []string{`0 "# a\n---\nb\n"`, `3 "--- c\n---d\n ---\n"`, `6 "---\r\n...\n"`, `8 "---"`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("chunks (-want +got):\n%s", diff)
	}
}

// TestFolderOfOddFiles: what cannot be a manifest is passed over and named, and refuses nothing
// else.
func TestFolderOfOddFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.yaml"), configMap("a"))
	err := errors.Join(
		os.Symlink("nowhere", filepath.Join(dir, "dangling.yaml")), os.Symlink("loop.yaml", filepath.Join(dir, "loop.yaml")),
		os.Symlink("a.yaml/x", filepath.Join(dir, "through.yaml")), syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o600), os.Mkdir(filepath.Join(dir, "dir.yaml"), 0o700))
	if err != nil {
		t.Fatal(err)
	}
	set, err := Load(Options{}, dir)
	if err != nil || len(set.Objects) != 1 {
		t.Fatalf("%d objects, %v, want one", len(set.Objects), err)
	}
	var got []string
	for _, w := range set.Warnings {
		got = append(got, strings.TrimPrefix(w.String(), dir+"/"))
	}
	want := []string{
		"dangling.yaml: passed over: the symbolic link leads nowhere", "loop.yaml: passed over: the symbolic link leads nowhere",
		"pipe.yaml: passed over: it is not a regular file", "through.yaml: passed over: the symbolic link leads nowhere",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// TestRegularFilesOnly: a named pipe has nobody who writes, and a device no end.
func TestRegularFilesOnly(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe.yaml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, os.DevNull} {
		if _, err := Load(Options{RegularFiles: true}, path); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: error %v", path, err)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
