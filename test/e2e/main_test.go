package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/test/harness"
)

// TestMain makes the test binary other programs as well, by the name it is called by.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "lookup":
		fmt.Println(lookup(os.Args[1]))
		os.Exit(0)
	case "try-namespace":
		fmt.Println(tryNamespace())
		os.Exit(0)
	case "without-unshare":
		fmt.Fprintln(os.Stderr, withoutUnshare(os.Args[1:]))
		os.Exit(1)
	}
	harness.Main(m)
}

// lookup is what Go's resolver says of a name.
func lookup(name string) string {
	addresses, err := net.DefaultResolver.LookupHost(context.Background(), name)
	if err != nil {
		return err.Error()
	}
	return strings.Join(addresses, " ")
}

// tryNamespace is what the machine has against a namespace.
func tryNamespace() error {
	s, err := process.NewShepherd(process.ShepherdOptions{})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.TryNamespace(process.Namespace{Key: "try"})
}

// role makes the test binary the program of that name, which every user can run.
func role(t *testing.T, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, name)
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755), os.Link(self, path)); err != nil {
		t.Fatal(err)
	}
	return path
}
