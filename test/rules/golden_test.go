//go:build !race

package rules

import (
	"bytes"
	"flag"
	"os"
	"testing"
)

// update makes the tests of this package write what they would otherwise compare.
var update = flag.Bool("update", false, "write go.mod, go.sum and testdata/api instead of comparing them")

// golden compares a file with what it should be, or writes it.
func golden(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if bytes.Equal(got, []byte(want)) {
		return
	}
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s is not up to date; go test ./test/rules -update writes it. It should be:\n%s", path, want)
}
