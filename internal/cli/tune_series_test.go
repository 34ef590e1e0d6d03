package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// A series that is there is replaced by one that is whole, and kept.
func TestReplaceFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "series.json.gz")
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	for _, c := range []struct{ write, kept, before string }{{"one", "", ""}, {"one", "", ""}, {"two", path + "~", "one"}, {"three", path + "~", "two"}} {
		kept, err := replaceFile(path, text(c.write))
		if err != nil || kept != c.kept {
			t.Fatalf("%s: kept %q (%v), want %q", c.write, kept, err, c.kept)
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != c.write {
			t.Errorf("%s: the file has %q (%v)", c.write, now, err)
		}
		if before, err := os.ReadFile(path + "~"); string(before) != c.before || err != nil && c.before != "" {
			t.Errorf("%s: before it was %q (%v), want %q", c.write, before, err, c.before)
		}
	}
	if _, err := replaceFile(path, func(io.Writer) error { return errors.New("full") }); err == nil {
		t.Error("a series that cannot be written is no error")
	}
	if now, _ := os.ReadFile(path); string(now) != "three" {
		t.Errorf("what could not be replaced is %q", now)
	}
}
