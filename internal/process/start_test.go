package process

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// starters are the ways to start that this system has; they differ in what they do to descendants
// only.
func starters(t *testing.T) map[string]Starter {
	return map[string]Starter{"shepherd": newShepherd(t), "group": GroupStarter{}}
}

func TestExit(t *testing.T) {
	tests := []struct {
		name, script string
		want         Exit
	}{
		{"success", "exit 0", Exit{}},
		{"own code", "exit 3", Exit{Code: 3}},
		{"largest code", "exit 255", Exit{Code: 255}},
		{"SIGTERM", "kill -TERM $$", Exit{Code: 143, Signal: syscall.SIGTERM}},
		{"SIGKILL", "kill -KILL $$", Exit{Code: 137, Signal: syscall.SIGKILL}},
	}
	for name, s := range starters(t) {
		for _, tt := range tests {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				before := time.Now()
				p := shell(t, s, tt.script)
				got := waitDone(t, p)
				times := []time.Time{before, p.StartedAt(), got.At, time.Now()}
				for i, at := range times[1:] {
					// The start is reported a moment after it happened.
					if at.Before(times[i].Add(-time.Second)) {
						t.Errorf("times before, start, exit, after = %v, want ascending", times)
					}
				}
				got.At = time.Time{}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("exit (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestExitIsZeroWhileRunning(t *testing.T) {
	for name, s := range starters(t) {
		p := shell(t, s, "sleep 1000")
		if diff := cmp.Diff(Exit{}, p.Exit()); diff != "" {
			t.Errorf("%s: exit of a running process (-want +got):\n%s", name, diff)
		}
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
		if exit := waitDone(t, p); exit.Code != 137 {
			t.Errorf("%s: exit = %+v, want code 137", name, exit)
		}
	}
}

func TestStartErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode fs.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plainFile := write("notes", "x", 0o644)
	orphanScript := write("orphan", "#!/no/such/interpreter\n", 0o755)
	garbage := write("garbage", "\x00\x01\x02\x03", 0o755)
	tests := []struct {
		name string
		spec Spec
		is   error
		text string
	}{
		{"nothing", Spec{}, syscall.EINVAL, "empty"},
		{"not in PATH", Spec{Argv: []string{"no-such-program"}, Env: []string{"PATH=" + dir}}, fs.ErrNotExist, dir},
		{"no file", Spec{Argv: []string{"./no-such-program"}, Dir: dir}, fs.ErrNotExist, filepath.Join(dir, "no-such-program")},
		{"no permission", Spec{Argv: []string{plainFile}}, fs.ErrPermission, "chmod +x"},
		{"no permission, in PATH", Spec{Argv: []string{"notes"}, Env: []string{"PATH=" + dir}}, fs.ErrPermission, plainFile},
		{"folder", Spec{Argv: []string{dir}}, syscall.EISDIR, dir},
		{"no interpreter", Spec{Argv: []string{orphanScript}}, fs.ErrNotExist, "interpreter"},
		{"no program", Spec{Argv: []string{garbage}}, syscall.ENOEXEC, "#!"},
		{"no directory", Spec{Argv: []string{"sh"}, Dir: dir + "/gone"}, fs.ErrNotExist, "working directory " + dir + "/gone"},
		{"directory is a file", Spec{Argv: []string{"sh"}, Dir: plainFile}, syscall.ENOTDIR, plainFile},
		{"NUL", Spec{Argv: []string{"sh", "a\x00b"}}, syscall.EINVAL, "NUL"},
		{"too large for the kernel", Spec{Argv: []string{"sh", strings.Repeat("x", 1<<20)}}, syscall.E2BIG, "too large"},
		{"too large for anybody", Spec{Argv: []string{"sh", strings.Repeat("x", maxCommand+1)}}, syscall.E2BIG, "too large"},
	}
	for name, s := range starters(t) {
		for _, tt := range tests {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				p, err := s.Start(tt.spec)
				if err == nil {
					p.Kill()
					t.Fatal("it started")
				}
				if _, ok := errors.AsType[*StartError](err); !ok || !errors.Is(err, tt.is) || errors.Is(err, ErrShortage) {
					t.Errorf("error %T %v, want a StartError that is %v and no shortage", err, err, tt.is)
				}
				if !strings.Contains(err.Error(), tt.text) {
					t.Errorf("error %q, want it to say %q", err, tt.text)
				}
			})
		}
	}
}

func TestCheck(t *testing.T) {
	if err := Check(Spec{Argv: []string{"sh"}}); err != nil {
		t.Errorf("Check of a shell = %v, want nil", err)
	}
	if err := Check(Spec{Argv: []string{"/no/such/program"}}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Check of no program = %v, want %v", err, fs.ErrNotExist)
	}
}

func TestShortage(t *testing.T) {
	for errno, want := range map[syscall.Errno]bool{
		syscall.EAGAIN: true, syscall.ENOMEM: true, syscall.EMFILE: true, syscall.ENFILE: true,
		syscall.ENOENT: false, syscall.EACCES: false,
	} {
		err := startError("app", "/app", "/", stepFork, errno)
		if got := errors.Is(err, ErrShortage); got != want {
			t.Errorf("errors.Is(%v, ErrShortage) = %v, want %v", err, got, want)
		}
	}
}

func TestLookUp(t *testing.T) {
	dir := t.TempDir()
	for _, folder := range []string{"bin", "first", "work/tools"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, program := range []string{"bin/app", "work/tools/app", "work/here"} {
		script := "#!/bin/sh\necho " + program + " in $(pwd -P)\n"
		if err := os.WriteFile(filepath.Join(dir, program), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "first/app"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	real, err := filepath.EvalSymlinks(filepath.Join(dir, "work"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, program, path, want string }{
		{"PATH of the spec", "app", dir + "/bin:/bin:/usr/bin", "bin/app"},
		{"file without permission is passed over", "app", dir + "/first:" + dir + "/bin:/bin:/usr/bin", "bin/app"},
		{"PATH relative to the directory", "app", "tools:/bin:/usr/bin", "work/tools/app"},
		{"empty PATH entry", "here", ":/bin:/usr/bin", "work/here"},
		{"relative path", "tools/app", "/bin:/usr/bin", "work/tools/app"},
		{"relative path upwards", "../bin/app", "/bin:/usr/bin", "bin/app"},
		{"absolute path", dir + "/bin/app", "/bin:/usr/bin", "bin/app"},
	}
	for name, s := range starters(t) {
		for _, tt := range tests {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				got := output(t, s, Spec{Argv: []string{tt.program}, Env: []string{"PATH=" + tt.path}, Dir: dir + "/work"})
				if want := tt.want + " in " + real + "\n"; got != want {
					t.Errorf("output %q, want %q", got, want)
				}
			})
		}
	}
}

func TestEnvironment(t *testing.T) {
	spec := Spec{
		Argv:      []string{"env"},
		Env:       []string{"PATH=/usr/bin:/bin", "A=1", "B=2", "A=3", "BYTES=\xff", ContainerVariable + "=forged"},
		Container: "web-1/app",
	}
	want := []string{"PATH=/usr/bin:/bin", "A=3", "B=2", "BYTES=\xff", ContainerVariable + "=web-1/app"}
	for name, s := range starters(t) {
		got := strings.Split(strings.TrimSpace(output(t, s, spec)), "\n")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: environment (-want +got):\n%s", name, diff)
		}
	}
}
