package gobuild

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestEnvironment: of what "go env -w" has written only that is kept by which modules are found,
// and so it is with variables.
func TestEnvironment(t *testing.T) {
	written := filepath.Join(t.TempDir(), "env")
	put(t, written, "GOFLAGS=-tags=x\nGOEXPERIMENT=arenas\nGOAMD64=v3\nGOWASM=satconv\nGOPROXY=https://proxy.example.com\n")
	t.Setenv("GOENV", written)
	for _, name := range []string{"GOFLAGS", "GOEXPERIMENT", "GOAMD64", "GOWASM", "GOPROXY"} {
		t.Setenv(name, "")
	}
	t.Setenv("GOPRIVATE", "example.com")
	t.Setenv("GOFIPS140", "latest")
	env, err := Environment()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "env", "GOFLAGS", "GOEXPERIMENT", "GOAMD64", "GOWASM", "GOFIPS140", "GOPROXY", "GOPRIVATE")
	cmd.Env = env
	got, err := cmd.Output()
	if want := "\n\nv1\n\noff\nhttps://proxy.example.com\nexample.com\n"; err != nil || string(got) != want {
		t.Errorf("the settings are %q, %v, want %q", got, err, want)
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// TestModules: a module has the texts in the folders of its packages and above them, and none of
// another package or from outside.
func TestModules(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"LICENSE", // of nobody
		"go/LICENSE", "go/src/a/a.go",
		"m/COPYING.md", "m/license.go", "m/in/taken/Licence", "m/in/taken/deep/deep.go", "m/other/LICENSE", "m/licenses/a.go",
	} {
		put(t, filepath.Join(dir, name), "text of "+name)
	}
	pkg := func(below, module string) string {
		return fmt.Sprintf(`{"Dir": %q%s}`, filepath.Join(dir, below), module)
	}
	ours := fmt.Sprintf(`, "Module": {"Path": "example.com/m", "Version": "v1.0.0", "Main": true, "Dir": %q}`, filepath.Join(dir, "m"))
	list := strings.Join([]string{pkg("m", ours), pkg("go/src/a", ""), pkg("m/in/taken/deep", ours)}, "\n")
	got, err := Modules([]byte(list), Module{Path: "std", Version: "go1.26.0", Dir: filepath.Join(dir, "go")})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, m := range got {
		said = append(said, fmt.Sprintf("%s %s %t %s", m.Path, m.Version, m.Main, m.Licenses))
	}
	const want = `example.com/m v1.0.0 true map[COPYING.md:text of m/COPYING.md in/taken/Licence:text of m/in/taken/Licence]
std go1.26.0 false map[LICENSE:text of go/LICENSE]`
	if strings.Join(said, "\n") != want {
		t.Errorf("they are\n%s\nwant\n%s", strings.Join(said, "\n"), want)
	}
}
