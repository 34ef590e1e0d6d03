package process

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFaultDisk: a disk of a namespace is full for everybody in it and for nobody outside, until
// that is undone, or its process has ended.
func TestFaultDisk(t *testing.T) {
	s := newShepherd(t)
	target, folder := filepath.Join(t.TempDir(), "disk"), t.TempDir()
	if err := os.Mkdir(target, 0o700); err != nil {
		t.Fatal(err)
	}
	n := &Namespace{Key: "pod", Disks: []Disk{{Target: target, Size: 1 << 20}}}
	if err := s.TryNamespace(*n); err != nil {
		t.Skip("this machine lets nobody mount: ", err)
	}
	write := func() string {
		return output(t, s, in(n, "head -c 5000 /dev/zero 2>/dev/null >"+target+"/data && echo ok || echo full; rm -f "+target+"/data"))
	}
	writes := func(when, want string) {
		t.Helper()
		if got := write(); got != want+"\n" {
			t.Errorf("%s: writing says %q, want %s", when, got, want)
		}
	}
	p := start(t, s, in(n, "exec sleep 1000"))
	writes("before", "ok")
	undo := inject(t, p, Fault{Kind: FaultDisk, Disks: []string{target}})
	writes("while it is full", "full")
	if _, err := p.(Faulty).Inject(Fault{Kind: FaultDisk, Disks: []string{target}}); !errors.Is(err, ErrFaultBusy) {
		t.Errorf("filled twice: %v", err)
	}
	if entries, err := os.ReadDir(target); err != nil || len(entries) > 0 {
		t.Errorf("outside are %v, %v", entries, err)
	}
	for range 2 {
		if err := undo(); err != nil {
			t.Fatal(err)
		}
	}
	writes("after", "ok")
	// A folder that is no disk of its own is that of everybody.
	if _, err := p.(Faulty).Inject(Fault{Kind: FaultDisk, Disks: []string{target, folder}}); !errors.Is(err, unix.ENOTSUP) {
		t.Errorf("a folder is filled: %v", err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("in the folder are %v, %v", entries, err)
	}
	writes("after what could not be done", "ok")
	inject(t, p, Fault{Kind: FaultDisk, Disks: []string{target}})
	writes("while it is full again", "full")
	p.Kill()
	waitDone(t, p)
	eventually(t, "the next process can write", func() bool { return write() == "ok\n" })
}
