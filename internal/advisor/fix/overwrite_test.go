package fix

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk is a file on a disk with room for so many bytes.
type smallDisk struct {
	room int
	text []byte
}

func (d *smallDisk) WriteAt(p []byte, off int64) (n int, err error) {
	n = min(len(p), d.room-int(off))
	if n < len(p) {
		err = syscall.ENOSPC
	}
	if end := int(off) + n; end > len(d.text) {
		d.text = append(d.text, make([]byte, end-len(d.text))...)
	}
	copy(d.text[off:], p[:n])
	return n, err
}

func (d *smallDisk) Truncate(size int64) error {
	d.text = d.text[:size]
	return nil
}

// TestReplaceText: what cannot be written whole is not written at all.
func TestReplaceText(t *testing.T) {
	const before = "periodSeconds: 10\n"
	for name, c := range map[string]struct {
		after string
		room  int
		want  string
	}{
		"there is room": {after: "periodSeconds: 30\ntimeoutSeconds: 5\n", room: 100, want: "periodSeconds: 30\ntimeoutSeconds: 5\n"},
		"it is shorter": {after: "a: 1\n", room: len(before), want: "a: 1\n"},
		"no room":       {after: "periodSeconds: 30\ntimeoutSeconds: 5\n", room: len(before) + 5, want: before},
	} {
		t.Run(name, func(t *testing.T) {
			disk := &smallDisk{room: c.room, text: []byte(before)}
			err := replaceText(disk, []byte(before), []byte(c.after))
			if got := string(disk.text); got != c.want || (err != nil) != (c.want == before) {
				t.Errorf("the file has %q, error %v, want %q", got, err, c.want)
			}
		})
	}
}

// TestOverwrite: what an editor has saved meanwhile is not lost, and a link stays one.
func TestOverwrite(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("one"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if err := Overwrite(link, []byte("one"), []byte("two")); err != nil {
		t.Error(err)
	}
	if err := Overwrite(link, []byte("one"), []byte("three")); err == nil || !strings.Contains(err.Error(), "changed meanwhile") {
		t.Errorf("error %v, want that it has been changed meanwhile", err)
	}
	text, err := os.ReadFile(file)
	info, linkErr := os.Lstat(link)
	if err != nil || linkErr != nil || string(text) != "two" || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("the file has %q (%v), the link is %v (%v)", text, err, info.Mode(), linkErr)
	}
}
