package system

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestChoose: other commands change a run only if their files are of its files or folders.
func TestChoose(t *testing.T) {
	dir := folder(t)
	for _, name := range []string{"shop", "bank", "mono/a", "mono/b"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "shop"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	run := func(paths ...string) Run {
		for i, path := range paths {
			paths[i] = filepath.Join(dir, path)
		}
		return Run{StateDir: paths[0], Manifests: paths}
	}
	shop, bank, mono, monoA, input := run("shop/web.yaml", "shop/db.yaml"), run("bank"), run("mono/a/x.yaml"), run("mono/a/y.yaml"), Run{StateDir: "input"}
	for name, test := range map[string]struct {
		running []Run
		paths   []string
		want    Run
		refusal string
	}{
		"the same files":                {[]Run{shop, bank}, []string{"shop/web.yaml", "shop/db.yaml"}, shop, ""},
		"one of them":                   {[]Run{shop, bank}, []string{"shop/db.yaml"}, shop, ""},
		"by a link":                     {[]Run{shop, bank}, []string{"link/db.yaml"}, shop, ""},
		"beside them":                   {[]Run{shop, bank}, []string{"shop/new.yaml"}, shop, ""},
		"of a folder":                   {[]Run{shop, bank}, []string{"bank/new.yaml"}, bank, ""},
		"beside a folder":               {[]Run{bank}, []string{"new.yaml"}, Run{}, "no probity run was started with"},
		"below a folder":                {[]Run{bank}, []string{"bank/sub/new.yaml"}, Run{}, "no probity run was started with"},
		"another project's, one run":    {[]Run{shop}, []string{"bank/app.yaml"}, Run{}, "no probity run was started with"},
		"one of theirs and a stranger":  {[]Run{shop}, []string{"shop/web.yaml", "bank/app.yaml"}, Run{}, "no probity run was started with"},
		"a run of standard input":       {[]Run{input}, []string{"shop/web.yaml"}, Run{}, "standard input"},
		"no run at all":                 {nil, []string{"shop/web.yaml"}, Run{}, "no probity run is there"},
		"two runs of one folder, exact": {[]Run{mono, monoA}, []string{"mono/a/y.yaml"}, monoA, ""},
		"two runs of one folder":        {[]Run{mono, monoA}, []string{"mono/a/z.yaml"}, Run{}, "2 runs could be meant"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := choose(test.running, run(append([]string{}, test.paths...)...).Manifests)
			if got.StateDir != test.want.StateDir {
				t.Errorf("chose %v, want %v", got, test.want)
			}
			if test.refusal == "" && err != nil || test.refusal != "" && (err == nil || !strings.Contains(err.Error(), test.refusal)) {
				t.Errorf("error %v, want %q", err, test.refusal)
			}
			for _, r := range test.running {
				if err != nil && test.refusal != "2 runs could be meant" && !strings.Contains(err.Error(), r.StateDir) {
					t.Errorf("error %v: does not list %s", err, r.StateDir)
				}
			}
		})
	}
}

// TestControlSocketIsPrivate: whatever the folder allows, only this user's processes are answered.
func TestControlSocketIsPrivate(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	dir := folder(t)
	started(t, t.Context(), Options{StateDir: dir})
	socket := filepath.Join(dir, controlSocket)
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v, want 0600", info.Mode(), err)
	}
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(socket, 0o666)); err != nil {
		t.Fatal(err)
	}
	answer := func(uid int) string {
		answers := make(chan string)
		go func() {
			// the thread ends with the goroutine, and only it is another user
			runtime.LockOSThread()
			if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)); errno != 0 {
				answers <- errno.Error()
				return
			}
			conn, err := net.Dial("unix", socket)
			if err != nil {
				answers <- err.Error()
				return
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			_, _ = io.WriteString(conn, "GET /run HTTP/1.0\r\n\r\n")
			text, _ := io.ReadAll(conn)
			answers <- string(text)
		}()
		return <-answers
	}
	if got := answer(0); !strings.Contains(got, "200 OK") {
		t.Errorf("its own user is answered %q", got)
	}
	if got := answer(65534); got != "" {
		t.Errorf("another user is answered %q", got)
	}
}

// TestLongSocketPath: a path that is too long for a socket is no obstacle.
func TestLongSocketPath(t *testing.T) {
	dir := filepath.Join(folder(t), strings.Repeat("d", 120), strings.Repeat("e", 120))
	s := started(t, t.Context(), Options{StateDir: dir})
	path := podOf(t, filepath.Join(folder(t), "pod.yaml"), "web", "Always", "exec sleep 60")
	run, lines, err := RequestApply(t.Context(), dir, []string{path})
	if err != nil || len(lines) != 1 || run.PID != os.Getpid() {
		t.Errorf("applied %q to %v, %v", lines, run, err)
	}
	s.Stop()
	if err := ended(t, s); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(filepath.Join(dir, controlSocket)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
}
