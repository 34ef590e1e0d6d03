package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUserSettings: of what "go env -w" has written only that gets into a release by which modules
// are found, and so it is with variables.
func TestUserSettings(t *testing.T) {
	written := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(written, []byte("GOFLAGS=-tags=x\nGOEXPERIMENT=arenas\nGOAMD64=v3\nGOPROXY=https://proxy.example.com\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOENV", written)
	for _, name := range []string{"GOFLAGS", "GOEXPERIMENT", "GOPROXY"} {
		t.Setenv(name, "")
	}
	t.Setenv("GOPRIVATE", "example.com")
	got, err := fixture(t).goCommand(t.Context(), platform{"linux", "amd64"}, "env", "GOFLAGS", "GOEXPERIMENT", "GOAMD64", "GOPROXY", "GOPRIVATE")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"", "", "v1", "https://proxy.example.com", "example.com", ""}; strings.Join(want, "\n") != string(got) {
		t.Errorf("the settings are %q, want %q", got, want)
	}
}
