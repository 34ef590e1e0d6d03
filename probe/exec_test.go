package probe

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/probity-run/probity/probe/internal/probetest"
)

func sh(script string) []string { return []string{"sh", "-c", script} }

// TestExec goes through the ways in which a command can end (G01–G12).
func TestExec(t *testing.T) {
	tests := map[string]struct {
		command []string
		want    expectation
	}{
		"G01 success":               {[]string{"true"}, expectation{outcome: Success}},
		"G01 success with output":   {[]string{"echo", "fine"}, expectation{outcome: Success, output: "fine\n"}},
		"G02 stdout before stderr":  {sh("printf err >&2; printf out; exit 1"), expectation{outcome: Failure, output: "outerr"}},
		"G03 silent failure":        {sh("exit 3"), expectation{outcome: Failure}},
		"G04 long output":           {sh("head -c 20480 /dev/zero | tr '\\0' a; exit 1"), expectation{outcome: Failure, output: strings.Repeat("a", 10240)}},
		"G04 stdout crowds out":     {sh("echo err >&2; head -c 10240 /dev/zero | tr '\\0' a; exit 1"), expectation{outcome: Failure, output: strings.Repeat("a", 10240)}},
		"G04 both just fit":         {sh("printf err >&2; head -c 10237 /dev/zero | tr '\\0' a; exit 1"), expectation{outcome: Failure, output: strings.Repeat("a", 10237) + "err"}},
		"G06 much output":           {sh("head -c 1048576 /dev/zero | tr '\\0' a"), expectation{outcome: Success, output: strings.Repeat("a", 10240)}},
		"G06 much output to stderr": {sh("head -c 1048576 /dev/zero | tr '\\0' a >&2"), expectation{outcome: Success, output: strings.Repeat("a", 10240)}},
		"G10 signal":                {sh("echo bye; kill -9 $$"), expectation{outcome: Failure, output: "bye\n"}},
		"G12 no shell":              {[]string{"echo", "a", "|", "false"}, expectation{outcome: Success, output: "a | false\n"}},
		"G12 no expansion":          {[]string{"echo", "$HOME", "$(A)", "*"}, expectation{outcome: Success, output: "$HOME $(A) *\n"}},
		"empty argument":            {[]string{"printf", "[%s]", ""}, expectation{outcome: Success, output: "[]"}},
		"no standard input":         {[]string{"cat"}, expectation{outcome: Success}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.want.check(t, Exec{Command: test.command, Timeout: ample}.Probe(t.Context()), "")
		})
	}
}

// TestExecNotStartable goes through commands that never run (R85).
func TestExecNotStartable(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		exec Exec
		want string
	}{
		"no command":          {Exec{}, "cannot run an exec probe: its command is empty"},
		"empty name":          {Exec{Command: []string{""}}, `cannot start "": exec: "": executable file not found in $PATH`},
		"missing":             {Exec{Command: []string{"no-such-command"}}, `cannot start "no-such-command": exec: "no-such-command": executable file not found in $PATH`},
		"missing file":        {Exec{Command: []string{"/no/such"}}, `cannot start "/no/such": fork/exec /no/such: no such file or directory`},
		"not executable":      {Exec{Command: []string{plain}}, `cannot start "` + plain + `": fork/exec ` + plain + `: permission denied`},
		"missing folder":      {Exec{Command: []string{"true"}, Dir: filepath.Join(dir, "missing")}, `cannot start "true": cannot use the working directory: stat ` + filepath.Join(dir, "missing") + `: no such file or directory`},
		"not in its own PATH": {Exec{Command: []string{"true"}, Env: []string{"PATH=" + dir}}, `cannot start "true": exec: "true": executable file not found in $PATH`},
		"no PATH at all":      {Exec{Command: []string{"true"}, Env: []string{}}, `cannot start "true": exec: "true": executable file not found in $PATH`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.exec.Timeout = ample
			expectation{outcome: Unknown, err: test.want}.check(t, test.exec.Probe(t.Context()), "")
		})
	}
}

// TestExecSurroundings looks at the environment, the folder and the program of a command.
func TestExecSurroundings(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	tool := filepath.Join(dir, "tool")
	if err := os.WriteFile(tool, []byte("#!/bin/sh\necho tool $A\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	path := "PATH=" + os.Getenv("PATH")
	t.Setenv("PROBE_TEST", "inherited")
	tests := map[string]struct {
		exec Exec
		want string
	}{
		"environment of this process": {Exec{Command: sh("echo $PROBE_TEST")}, "inherited\n"},
		"environment of its own":      {Exec{Command: sh("echo $A-$PROBE_TEST"), Env: []string{path, "A=x"}}, "x-\n"},
		"folder":                      {Exec{Command: []string{"pwd"}, Dir: dir}, dir + "\n"},
		"program in its own PATH":     {Exec{Command: []string{"tool"}, Env: []string{path, "A=x", path + ":" + dir}}, "tool x\n"},
		"program in its folder":       {Exec{Command: []string{"./tool"}, Dir: dir}, "tool\n"},
		"relative PATH is skipped":    {Exec{Command: []string{"tool"}, Dir: dir, Env: []string{"PATH=.::" + dir}}, "tool\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.exec.Timeout = ample
			expectation{outcome: Success, output: test.want}.check(t, test.exec.Probe(t.Context()), "")
		})
	}
}

// TestExecTimeout overruns the time-out (G07, G08, G14).
func TestExecTimeout(t *testing.T) {
	tests := map[string]struct {
		command []string
		want    string
	}{
		"G07 runs on":             {[]string{"sleep", "60"}, `command timed out: "sleep 60" timed out after 150ms`},
		"G07 output is not shown": {sh("echo out; sleep 60"), `command timed out: "sh -c echo out; sleep 60" timed out after 150ms`},
		"G08 ignores SIGTERM":     {sh("trap '' TERM; sleep 60 & wait"), `command timed out: "sh -c trap '' TERM; sleep 60 & wait" timed out after 150ms`},
		"writes for ever":         {[]string{"yes"}, `command timed out: "yes" timed out after 150ms`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			starter := new(recorder)
			begin := time.Now()
			got := Exec{Command: test.command, Timeout: brief, Starter: starter}.Probe(t.Context())
			expectation{outcome: Failure, output: test.want}.check(t, got, "")
			if took := time.Since(begin); took < brief || took > 30*time.Second {
				t.Errorf("took %v, want about %v", took, brief)
			}
			starter.checkGone(t)
		})
	}
}

// TestExecStopped ends the attempt while the command runs: it is killed, and does not count.
func TestExecStopped(t *testing.T) {
	cause := errors.New("pod deleted")
	ctx, cancel := context.WithCancelCause(t.Context())
	starter := &recorder{started: func() { cancel(cause) }}
	checkStopped(t, Exec{Command: []string{"sleep", "60"}, Timeout: ample, Starter: starter}.Probe(ctx), cause)
	starter.checkGone(t)
}

// TestExecLeavesNothing: what a command leaves behind in its group ends with it and does not delay
// the result (G13).
func TestExecLeavesNothing(t *testing.T) {
	starter := new(recorder)
	got := Exec{Command: sh("sleep 60 & echo done"), Timeout: ample, Starter: starter}.Probe(t.Context())
	expectation{outcome: Success, output: "done\n"}.check(t, got, "")
	starter.checkGone(t)
}

// recorder is a Starter that starts locally and remembers the process group.
type recorder struct {
	started func() // called after the start; may be nil
	group   int
}

func (r *recorder) Start(command Command) (Running, error) {
	running, err := LocalStarter{}.Start(command)
	if err == nil {
		r.group = running.(*localProcess).child.pid
	}
	if r.started != nil {
		r.started()
	}
	return running, err
}

// checkGone waits until no process of the group is left.
func (r *recorder) checkGone(t *testing.T) {
	t.Helper()
	if r.group == 0 {
		t.Fatal("nothing was started")
	}
	if err := probetest.WaitFor(func() bool { return !groupAlive(r.group) }); err != nil {
		t.Errorf("process group %d is still there", r.group)
	}
}

// fakeCommand is a Running whose behaviour the test decides.
type fakeCommand struct {
	wait func() (int, error)
	kill func() error
}

func (f fakeCommand) Wait() (int, error) { return f.wait() }
func (f fakeCommand) Kill() error        { return f.kill() }

func (f fakeCommand) Start(Command) (Running, error) { return f, nil }

// TestExecForeignStarter has commands started elsewhere that end in ways which are hard to arrange
// for.
func TestExecForeignStarter(t *testing.T) {
	noKill := func() error { return nil }
	tests := map[string]struct {
		starter fakeCommand
		want    expectation
	}{
		"end unknown": {
			fakeCommand{func() (int, error) { return 0, errors.New("connection lost") }, noKill},
			expectation{outcome: Unknown, err: `cannot learn how "check" ended: connection lost`},
		},
		"signal": {fakeCommand{func() (int, error) { return 128 + 9, nil }, noKill}, expectation{outcome: Failure}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.want.check(t, Exec{Command: []string{"check"}, Timeout: ample, Starter: test.starter}.Probe(t.Context()), "")
		})
	}
}

// TestExecUnkillable: a process that does not go away holds up the attempt for one more second at
// most. The bubble's clock is virtual; no process is involved.
func TestExecUnkillable(t *testing.T) {
	tests := map[string]struct {
		kill error
		want string
	}{
		"does not die":      {nil, `command timed out: "check" timed out after 2s; its process did not go away within 1s of being killed`},
		"may not be killed": {syscall.EPERM, `command timed out: "check" timed out after 2s; its processes could not be killed: operation not permitted`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				command := fakeCommand{
					wait: func() (int, error) { <-release; return 0, nil },
					kill: func() error { return test.kill },
				}
				begin := time.Now()
				e := Exec{Command: []string{"check"}, Timeout: 2 * time.Second}
				got := e.await(t.Context(), command, noOutput())
				expectation{outcome: Failure, output: test.want}.check(t, got, "")
				if took, want := time.Since(begin), 2*time.Second+reapWait; took != want {
					t.Errorf("took %v, want %v", took, want)
				}
				close(release)
			})
		})
	}
}

// TestLocalCodes compares exit codes with those of a shell (R84).
func TestLocalCodes(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 3": 3, "exit 255": 255, "kill -9 $$": 137, "kill -15 $$": 143} {
		t.Run(script, func(t *testing.T) {
			running, err := LocalStarter{}.Start(Command{Argv: sh(script)})
			if err != nil {
				t.Fatal(err)
			}
			code, err := running.Wait()
			if code != want || err != nil {
				t.Errorf("Wait() = %d, %v, want %d", code, err, want)
			}
			if err := running.Kill(); err != nil {
				t.Errorf("Kill() after the end = %v, want nil", err)
			}
		})
	}
}
