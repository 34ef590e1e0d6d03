package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// playForeground runs a shell script in the foreground, and after it reads a line of the terminal.
// It runs a file that cannot be executed if the script is the name of that.
func playForeground(script string) error {
	if _, err := os.Stat(script); err == nil {
		_, err := StartForeground(ForegroundCommand{Argv: []string{script}, Env: os.Environ()})
		fmt.Println(err)
		return readLine()
	}
	f, err := StartForeground(ForegroundCommand{
		Argv: []string{"sh", "-c", script}, Env: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Suspended: func() { fmt.Println("suspended") },
	})
	if err != nil {
		return err
	}
	status := f.Status()
	fmt.Printf("exit %d signal %d\n", status.ExitStatus(), int(status.Signal()))
	return readLine()
}

func readLine() error {
	line := make([]byte, 100)
	n, err := os.Stdin.Read(line)
	fmt.Printf("then %q\n", line[:n])
	return err
}

// terminal is a pseudo-terminal and what was written to it.
type terminal struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd

	mu   sync.Mutex
	seen bytes.Buffer
}

// onTerminal runs a shell script in a session of its own on a new terminal. $PLAY runs
// playForeground.
func onTerminal(t *testing.T, script string) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	x := &terminal{t: t, master: master}
	x.cmd = exec.Command("sh", "-c", script)
	x.cmd.Env = append(os.Environ(), roleVariable+"=foreground", "PLAY="+os.Args[0])
	x.cmd.Stdin, x.cmd.Stdout, x.cmd.Stderr = slave, slave, slave
	x.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = x.cmd.Process.Kill() // most often it has ended
		_ = x.cmd.Wait()
	})
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			x.mu.Lock()
			x.seen.Write(buf[:n])
			x.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return x
}

func (x *terminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return strings.ReplaceAll(x.seen.String(), "\r", "")
}

// waitFor waits for a text on the terminal.
func (x *terminal) waitFor(text string) {
	x.t.Helper()
	defer func() {
		if x.t.Failed() {
			x.t.Logf("the terminal:\n%s", x.text())
		}
	}()
	eventually(x.t, fmt.Sprintf("%q on the terminal", text), func() bool { return strings.Contains(x.text(), text) })
}

// waitForStop waits until the job of the shell is stopped: a shell can continue it from then on.
func (x *terminal) waitForStop() {
	x.t.Helper()
	eventually(x.t, "the job is stopped", func() bool {
		jobs, err := childrenOf(x.cmd.Process.Pid)
		if err != nil || len(jobs) == 0 {
			return false
		}
		stat, err := readStat(jobs[0])
		return err == nil && stat.state == 'T'
	})
}

func (x *terminal) write(keys string) {
	x.t.Helper()
	if _, err := io.WriteString(x.master, keys); err != nil {
		x.t.Fatal(err)
	}
}

// TestForegroundCtrlC: the key is for the command alone, which decides what it means; after its end
// the terminal is this program's again.
func TestForegroundCtrlC(t *testing.T) {
	x := onTerminal(t, `exec "$PLAY" 'trap "echo trapped; exit 5" INT; echo up; while :; do sleep 0.02; done'`)
	x.waitFor("up\n")
	x.write("\x03")
	x.waitFor("trapped\nexit 5 signal -1\n")
	x.write("words\n")
	x.waitFor(`then "words\n"`)
}

// TestForegroundSuspend: Ctrl-Z gives the terminal to the shell, and its fg gives it back to the
// command.
func TestForegroundSuspend(t *testing.T) {
	x := onTerminal(t, `set -m; "$PLAY" 'echo up; read line; echo "got $line"; exit 3'; echo "shell has it"; read word; echo "shell got $word"; fg; echo over`)
	x.waitFor("up\n")
	x.write("\x1a")
	x.waitFor("suspended\n")
	x.waitFor("shell has it\n")
	x.write("one\n")
	x.waitFor("shell got one\n")
	x.write("two\n")
	x.waitFor("got two\nexit 3 signal -1\n")
	x.write("three\n")
	x.waitFor(`then "three\n"`)
	x.waitFor("over\n")
}

// TestForegroundSuspendWithoutShell: where nobody could continue it, Ctrl-Z does not stop it for
// ever.
func TestForegroundSuspendWithoutShell(t *testing.T) {
	x := onTerminal(t, `exec "$PLAY" 'echo up; read line; echo "got $line"'`)
	x.waitFor("up\n")
	x.write("\x1a")
	x.waitFor("suspended\n")
	x.write("on\n")
	x.waitFor("got on\nexit 0 signal -1\n")
	x.write("\n")
	x.waitFor("then ")
}

// TestForegroundSuspendThenBackground: while the shell has the terminal the command's end leaves it
// there. The command waits at a pipe and starts nothing: a shell that is about to start a program
// when Ctrl-Z comes can be held up by it, because a child of vfork(2) stops before its exec.
func TestForegroundSuspendThenBackground(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "go")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GO_ON", pipe)
	x := onTerminal(t, `set -m; "$PLAY" 'echo up; read line <"$GO_ON"'; bg; echo "shell has it"; read word; echo "shell got $word"; fg; echo over`)
	x.waitFor("up\n")
	x.write("\x1a")
	x.waitFor("shell has it\n")
	if err := os.WriteFile(pipe, []byte("on\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	x.waitFor("exit 0 signal -1\n")
	x.write("two\n")
	x.waitFor("shell got two\n")
	x.write("three\n")
	x.waitFor(`then "three\n"`)
	x.waitFor("over\n")
}

// TestForegroundStartsInBackground: a command that is started in the background, and reads, waits
// for the shell's fg.
func TestForegroundStartsInBackground(t *testing.T) {
	x := onTerminal(t, `set -m; "$PLAY" 'read line; echo "got $line"' & read word; echo "shell got $word"; fg; echo over`)
	x.waitFor("suspended\n")
	x.waitForStop()
	x.write("one\n")
	x.waitFor("shell got one\n")
	x.write("two\n")
	x.waitFor("got two\nexit 0 signal -1\n")
	x.write("three\n")
	x.waitFor(`then "three\n"`)
	x.waitFor("over\n")
}

// TestForegroundComesFromBackground: one that runs in the background has the terminal after fg.
func TestForegroundComesFromBackground(t *testing.T) {
	x := onTerminal(t, `set -m; "$PLAY" 'echo up; until awk "{ exit \$5 != \$8 }" /proc/$$/stat; do sleep 0.02; done; echo "has it"' & read word; fg; echo over`)
	x.waitFor("up\n")
	x.write("one\n")
	x.waitFor("has it\nexit 0 signal -1\n")
	x.write("two\n")
	x.waitFor(`then "two\n"`)
	x.waitFor("over\n")
}

// TestForegroundNotExecuted: a command that cannot be executed does not keep the terminal.
func TestForegroundNotExecuted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "garbage")
	if err := os.WriteFile(file, []byte("no program\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GARBAGE", file)
	x := onTerminal(t, `set -m; "$PLAY" "$GARBAGE"; echo over`)
	x.waitFor("exec format error\n")
	x.write("words\n")
	x.waitFor(`then "words\n"`)
	x.waitFor("over\n")
}

// TestForegroundSignalWhileStopped: a signal reaches a command that is stopped.
func TestForegroundSignalWhileStopped(t *testing.T) {
	f, err := StartForeground(ForegroundCommand{Argv: []string{"sh", "-c", "kill -STOP $$; exec sleep 1000"}, Env: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	pid := f.pid
	eventually(t, "it is stopped", func() bool {
		stat, err := readStat(pid)
		return err == nil && stat.state == 'T'
	})
	f.Signal(syscall.SIGTERM)
	if status := f.Status(); status.Signal() != syscall.SIGTERM {
		t.Errorf("status %v, want the end by SIGTERM", status)
	}
}

// TestForegroundReapsOrphans: a process that the command has left to this one is no zombie for the
// rest of the run.
func TestForegroundReapsOrphans(t *testing.T) {
	shepherd := newShepherd(t)
	shell(t, shepherd, "exec sleep 1000")
	file := filepath.Join(t.TempDir(), "pid")
	f, err := StartForeground(ForegroundCommand{Argv: []string{"sh", "-c", `(setsid sh -c 'echo $$ >"$0.new"; mv "$0.new" "$0"' "$0" &); exec sleep 1000`, file}, Env: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Signal(syscall.SIGKILL) // if it fails
	eventually(t, "the orphan is reaped", func() bool {
		text, err := os.ReadFile(file)
		if err != nil {
			return false
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
	})
	f.Signal(syscall.SIGKILL)
	if status := f.Status(); status.Signal() != syscall.SIGKILL {
		t.Errorf("status %v, want the end by SIGKILL", status)
	}
	if err := shepherd.Err(); err != nil {
		t.Error(err)
	}
}

// TestForegroundLeavesShepherdsEnd: the end of a shepherd that was killed while a command runs is
// still known by its signal.
func TestForegroundLeavesShepherdsEnd(t *testing.T) {
	shepherd := newShepherd(t)
	waitDone(t, shell(t, shepherd, "true")) // it has its name
	f, err := StartForeground(ForegroundCommand{Argv: []string{"sleep", "1000"}, Env: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(shepherd.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-shepherd.Done()
	if err := shepherd.Err(); !errors.Is(err, ErrShepherdGone) || !strings.Contains(err.Error(), "killed") {
		t.Errorf("error %v", err)
	}
	f.Signal(syscall.SIGKILL)
	<-f.Done()
}

// TestForegroundLeavesNothing: the group of the command is killed with its end, and this process
// has no zombie of it.
func TestForegroundLeavesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	f, err := StartForeground(ForegroundCommand{Argv: []string{"sh", "-c", `sleep 1000 & echo $! >"$0"; kill -KILL $$`, file}, Env: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	if status := f.Status(); !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Errorf("status %v, want the end by SIGKILL", status)
	}
	f.Signal(syscall.SIGTERM) // does nothing any more
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is left: %v", pid, err)
	}
}

// TestForegroundDies: it does not outlive this program.
func TestForegroundDies(t *testing.T) {
	x := onTerminal(t, `exec "$PLAY" 'trap "" HUP; echo "pid $$ $PPID."; exec sleep 1000'`)
	x.waitFor(".\n")
	var pid, parent int
	if _, err := fmt.Sscanf(x.text(), "pid %d %d.", &pid, &parent); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(parent, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the command dies", func() bool { return len(living([]int{pid})) == 0 })
}

// TestForegroundErrors: the exit codes of a shell.
func TestForegroundErrors(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"plain": 0o600, "garbage": 0o700} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("no program\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, code := range map[string]int{"no-such-program-here": 127, filepath.Join(dir, "gone"): 127, filepath.Join(dir, "plain"): 126, filepath.Join(dir, "garbage"): 126, dir: 126} {
		_, err := StartForeground(ForegroundCommand{Argv: []string{name}, Env: os.Environ()})
		if failure, ok := errors.AsType[*CommandError](err); !ok || failure.Code != code {
			t.Errorf("%s: %v, want code %d", name, err, code)
		}
	}
}
