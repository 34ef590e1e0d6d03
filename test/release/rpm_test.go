//go:build release

package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// files lists a tree: modes, kinds and names.
const files = `find . -printf '%m %y %P\n' | sort`

// checkRPM compares the package of RPM with that of Debian: the same files, apart from the folder
// in which zsh looks. It needs nothing but what rpm itself has to know, so it is installed in an
// empty root, where the program runs. Erased, it leaves nothing but rpm's own records.
func checkRPM(t *testing.T, r repository) {
	for _, tool := range []string{"rpm", "rpm2archive", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("NOT TESTED: there is no %s", tool)
		}
	}
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	rpms, err := filepath.Glob(filepath.Join(r.dir, "dist", "*."+arch+".rpm"))
	if err != nil || len(rpms) != 1 {
		t.Fatalf("the packages are %v, %v", rpms, err)
	}
	for line := range strings.Lines(output(t, r.dir, nil, "rpm", "-qp", "--requires", rpms[0])) {
		if !strings.HasPrefix(line, "rpmlib(") {
			t.Errorf("it requires %s", line)
		}
	}
	one, other := t.TempDir(), t.TempDir()
	output(t, one, nil, "sh", "-c", `rpm2archive - <"$1" | tar -xz`, "sh", rpms[0])
	output(t, other, nil, "sh", "-c", `dpkg-deb -x "$1"/dist/*_"$2".deb .`, "sh", r.dir, runtime.GOARCH)
	zsh := filepath.Join(other, "usr/share/zsh")
	if err := os.Rename(filepath.Join(zsh, "vendor-completions"), filepath.Join(zsh, "site-functions")); err != nil {
		t.Fatal(err)
	}
	output(t, r.dir, nil, "diff", "-r", one, other)
	if got, want := output(t, one, nil, "sh", "-c", files+" | grep -v '^[0-9]* d'"), output(t, other, nil, "sh", "-c", files+" | grep -v '^[0-9]* d'"); got != want {
		t.Errorf("it has\n%sand the package of Debian\n%s", got, want)
	}
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: an empty root takes root")
	}
	root := t.TempDir()
	output(t, r.dir, nil, "rpm", "--root", root, "--ignorearch", "-U", rpms[0])
	if got := output(t, r.dir, nil, "chroot", root, "/usr/bin/probity", "version"); !strings.HasPrefix(got, "probity  "+builtVersion+"\n") {
		t.Errorf("it prints\n%s", got)
	}
	output(t, r.dir, nil, "rpm", "--root", root, "-e", "probity")
	if left := output(t, root, nil, "sh", "-c", "find . -name '*probity*'"); left != "" {
		t.Errorf("it leaves\n%s", left)
	}
}
