package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// hostsNamespace is a namespace with a hosts file of its own, which has one line.
func hostsNamespace(t *testing.T, key, line string) *Namespace {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(file, []byte(line+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return &Namespace{Key: key, Hostname: "web-1", Binds: []Bind{{file, "/etc/hosts"}}}
}

// newNamespaceShepherd is a shepherd that can make namespaces.
func newNamespaceShepherd(t *testing.T) *Shepherd {
	t.Helper()
	s := newShepherd(t)
	if err := s.TryNamespace(Namespace{Key: "try"}); err != nil {
		t.Skip("this machine lets nobody make namespaces: ", err)
	}
	return s
}

// in is a script that runs in a namespace, or outside if that is nil.
func in(n *Namespace, script string) Spec {
	return Spec{Argv: []string{"sh", "-c", script}, Env: os.Environ(), Namespace: n}
}

// TestNamespace: processes of one key share a view of the machine, of which nobody else sees
// anything.
func TestNamespace(t *testing.T) {
	s := newNamespaceShepherd(t)
	n := hostsNamespace(t, "pod", "127.77.0.1 store")
	if got, want := output(t, s, in(n, "cat /etc/hosts; uname -n")), "127.77.0.1 store\nweb-1\n"; got != want {
		t.Errorf("inside: %q, want %q", got, want)
	}
	const ids = "readlink /proc/self/ns/mnt /proc/self/ns/uts"
	first, outside := output(t, s, in(n, ids)), output(t, s, in(nil, ids))
	if second := output(t, s, in(n, ids)); first != second {
		t.Errorf("two processes of one key are in %q and %q", first, second)
	}
	if first == outside {
		t.Error("the process is in the namespaces of outside")
	}
	hosts, err := os.ReadFile("/etc/hosts")
	if err != nil {
		t.Fatal(err)
	}
	if got := output(t, s, in(nil, "cat /etc/hosts")); got != string(hosts) {
		t.Errorf("outside, /etc/hosts is %q", got)
	}
	// In place, as a rename would not be seen.
	file, err := os.OpenFile(n.Binds[0].Source, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt([]byte("127.77.0.2 store\n"), 0); err != nil {
		t.Fatal(err)
	}
	if got, want := output(t, s, in(n, "cat /etc/hosts")), "127.77.0.2 store\n"; got != want {
		t.Errorf("after a change: %q, want %q", got, want)
	}
}

// TestNamespaceForgotten: who comes after that gets another one, and no descriptor is left.
func TestNamespaceForgotten(t *testing.T) {
	s := newNamespaceShepherd(t)
	n := hostsNamespace(t, "pod", "127.77.0.1 store")
	const id = "readlink /proc/self/ns/mnt"
	// It goes on running, so that the kernel cannot use the number of the namespace again.
	start(t, s, in(n, "exec sleep 1000"))
	first := output(t, s, in(n, id))
	for range 20 {
		for _, key := range []string{"pod", "other"} {
			if err := s.ForgetNamespace(key); err != nil {
				t.Fatal(err)
			}
		}
		if second := output(t, s, in(n, id)); second == first {
			t.Fatal("what was forgotten was joined")
		}
	}
	eventually(t, "no descriptor is left of what was forgotten", func() bool {
		files, err := readNumbers(procPath(s.cmd.Process.Pid, "fd"))
		namespaces := 0
		for _, fd := range files {
			if to, _ := os.Readlink(procPath(s.cmd.Process.Pid, "fd/"+strconv.Itoa(fd))); strings.HasPrefix(to, "mnt:") {
				namespaces++
			}
		}
		return err == nil && namespaces == 1
	})
}

// TestNamespaceOfMany: processes that start at the same time, and end at once, share one namespace.
func TestNamespaceOfMany(t *testing.T) {
	s := newNamespaceShepherd(t)
	for round := range 10 {
		n := hostsNamespace(t, strconv.Itoa(round), "127.77.0.1 store")
		var all [8]string
		var wg sync.WaitGroup
		for i := range all {
			wg.Go(func() { all[i] = output(t, s, in(n, "readlink /proc/self/ns/mnt")) })
		}
		wg.Wait()
		for _, id := range all {
			if id == "" || id != all[0] {
				t.Fatalf("processes that started together are in %q", all)
			}
		}
	}
}

// TestNamespaceRefused: what the kernel refuses is told by step, path and errno, each time, and
// leaves nothing behind.
func TestNamespaceRefused(t *testing.T) {
	s := newNamespaceShepherd(t)
	n := hostsNamespace(t, "pod", "127.77.0.1 store")
	n.Binds = append(n.Binds, Bind{n.Binds[0].Source, "/no/such/file"})
	want := &NamespaceError{Step: StepMount, Path: "/no/such/file", Err: syscall.ENOENT}
	check := func(err error, text string) {
		t.Helper()
		got, ok := errors.AsType[*NamespaceError](err)
		if !ok {
			t.Fatalf("error %v, want a NamespaceError", err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("error (-want +got):\n%s", diff)
		}
		if err.Error() != text {
			t.Errorf("error text %q, want %q", err, text)
		}
	}
	check(s.TryNamespace(*n), "mount /no/such/file: no such file or directory")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_, err := s.Start(in(n, "true"))
			check(err, `cannot start "sh": the namespace of its Pod cannot be made: mount /no/such/file: no such file or directory`)
		})
	}
	wg.Wait()
	eventually(t, "no process is left of it", func() bool {
		children, err := childrenOf(s.cmd.Process.Pid)
		return err == nil && len(children) == 0
	})
	n.Binds = n.Binds[:1]
	if err := s.TryNamespace(*n); err != nil {
		t.Errorf("without that file: %v", err)
	}
	if got := output(t, s, in(n, "echo there")); got != "there\n" {
		t.Errorf("without that file, the program prints %q", got)
	}
	n.Hostname = strings.Repeat("x", 65)
	if got, _ := errors.AsType[*NamespaceError](s.TryNamespace(*n)); got == nil || got.Step != StepHostname {
		t.Errorf("a host name of 65 bytes = %v", got)
	}
}

// TestNamespaceOutOfDescriptors must fail one start only, with a shortage, and leave no process
// that waits.
func TestNamespaceOutOfDescriptors(t *testing.T) {
	s := newNamespaceShepherd(t)
	shepherd := s.cmd.Process.Pid
	var before unix.Rlimit
	if err := unix.Prlimit(shepherd, unix.RLIMIT_NOFILE, nil, &before); err != nil {
		t.Fatal(err)
	}
	n := hostsNamespace(t, "pod", "127.77.0.1 store")
	waitDone(t, start(t, s, in(nil, "true")))
	idle := -1
	for room := range 4 { // two arrive, two are the socket
		var used []int
		eventually(t, "the descriptors of the last start are closed", func() bool {
			used, _ = readNumbers(procPath(shepherd, "fd"))
			if idle < 0 {
				children, err := childrenOf(shepherd)
				if err == nil && len(children) == 0 {
					idle = len(used)
				}
			}
			return len(used) == idle
		})
		low := unix.Rlimit{Cur: limitWithRoom(used, room), Max: before.Max}
		if err := unix.Prlimit(shepherd, unix.RLIMIT_NOFILE, &low, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Start(in(n, "true")); !errors.Is(err, ErrShortage) {
			t.Errorf("Start with room for %d descriptors = %v, want a shortage", room, err)
		}
	}
	if err := unix.Prlimit(shepherd, unix.RLIMIT_NOFILE, &before, nil); err != nil {
		t.Fatal(err)
	}
	if got := output(t, s, in(n, "cat /etc/hosts")); got != "127.77.0.1 store\n" {
		t.Errorf("with room again: %q", got)
	}
	eventually(t, "no process is left", func() bool {
		children, err := childrenOf(shepherd)
		return err == nil && len(children) == 0
	})
}

// TestNamespacePromises: what a start promises holds for the process that makes a namespace and for
// those that join.
func TestNamespacePromises(t *testing.T) {
	s := newNamespaceShepherd(t)
	n := hostsNamespace(t, "pod", "127.77.0.1 store")
	spec := in(n, "pwd; ls /proc/self/fd; grep SigBlk /proc/self/status; ulimit -n")
	spec.Dir = t.TempDir()
	plain := spec
	plain.Namespace = nil
	outside := output(t, s, plain)
	for _, how := range []string{"the first", "the second"} {
		if inside := output(t, s, spec); inside != outside {
			t.Errorf("%s inside says %q, outside %q", how, inside, outside)
		}
	}
	for _, key := range []string{"pod", "new"} {
		n.Key = key
		_, err := s.Start(Spec{Argv: []string{"/no/such/program"}, Namespace: n})
		if _, ok := errors.AsType[*StartError](err); !ok || !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a program that does not exist = %v", err)
		}
		// A daemon does not escape.
		p := start(t, s, in(n, "setsid sleep 1000 & sleep 1000"))
		var tree []int
		eventually(t, "the daemon is there", func() (there bool) {
			tree, _ = Tree(p)
			return len(tree) == 3
		})
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
		waitDone(t, p)
		for _, pid := range tree {
			if !Dead(pid) {
				t.Errorf("process %d is left", pid)
			}
		}
	}
}

// TestNamespaceDeathSignal: the parent death signal is there in the process that makes a namespace
// and in those that join, so that the end of the shepherd is theirs.
func TestNamespaceDeathSignal(t *testing.T) {
	s := newNamespaceShepherd(t)
	n := hostsNamespace(t, "pod", "127.77.0.1 store")
	for _, how := range []string{"first", "second"} {
		spec := Spec{Argv: []string{"/proc/self/exe"}, Env: append(os.Environ(), roleVariable+"=death-signal"), Namespace: n}
		if got, want := output(t, s, spec), "parent death signal: killed\n"; got != want {
			t.Errorf("the %s process says %q, want %q", how, got, want)
		}
	}
	var started []Process
	for range 3 {
		started = append(started, start(t, s, in(n, "exec sleep 1000")))
	}
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, p := range started {
		waitDone(t, p)
		if !Dead(p.PID()) {
			t.Errorf("process %d is left", p.PID())
		}
	}
}

// playDeathSignal says which signal the process gets when its parent ends. The kernel keeps that of
// its first thread only, so it is asked there.
func playDeathSignal() error {
	found := make(chan error)
	for range 1000 { // each keeps a thread busy, until one is the first
		go func() {
			runtime.LockOSThread()
			if unix.Gettid() != os.Getpid() {
				select {}
			}
			var signal uint32
			if _, _, errno := unix.RawSyscall(unix.SYS_PRCTL, unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&signal)), 0); errno != 0 {
				found <- errno
			}
			fmt.Println("parent death signal:", syscall.Signal(signal))
			os.Exit(0)
		}()
		select {
		case err := <-found:
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
	return errors.New("no goroutine came to the first thread")
}

// TestNamespaceRights: a plain user keeps its numbers and gets no right that it did not have.
func TestNamespaceRights(t *testing.T) {
	s := newNamespaceShepherd(t)
	n := hostsNamespace(t, "pod", "")
	const rights = "id -u; id -g; grep CapEff /proc/self/status"
	if inside, outside := output(t, s, in(n, rights)), output(t, s, in(nil, rights)); inside != outside {
		t.Errorf("inside %q, outside %q", inside, outside)
	}
	user := output(t, s, in(n, "readlink /proc/self/ns/user"))
	if own := output(t, s, in(nil, "readlink /proc/self/ns/user")); (user == own) != (os.Geteuid() == 0) {
		t.Errorf("user %d runs in %q, outside is %q", os.Geteuid(), user, own)
	}
}

// TestNamespacePlainUser runs the tests above as somebody who is not root.
func TestNamespacePlainUser(t *testing.T) {
	if os.Geteuid() != 0 {
		return // they have just run that way
	}
	out, err := asPlainUser(t, "^TestNamespace|^TestLegacy$")
	if bytes.Contains(out, []byte("this machine lets nobody make namespaces")) {
		t.Skip("plain users cannot make namespaces here")
	}
	if err != nil || bytes.Count(out, []byte("--- PASS: TestNamespace")) < 7 {
		t.Errorf("as uid 65534: %v\n%s", err, out)
	}
}

// asPlainUser runs tests of this package as somebody who is not root, and returns what they print.
func asPlainUser(t *testing.T, tests string) ([]byte, error) {
	t.Helper()
	dir := t.TempDir()
	for d := dir; d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "process.test")
	if err := os.WriteFile(program, data, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run", tests, "-test.v")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+dir, "HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	return cmd.CombinedOutput()
}
