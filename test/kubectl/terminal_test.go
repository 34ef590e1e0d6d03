//go:build kubectl

package kubectl

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"
)

// terminal is one on which a program runs, with what it shows.
type terminal struct {
	screen
	keyboard *os.File
	running  sync.WaitGroup // reads what it shows
}

// openTerminal makes a terminal and starts a program on it.
func openTerminal(t *testing.T, cmd *exec.Cmd, width, height uint16) *terminal {
	t.Helper()
	keyboard := must(os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0))(t)
	term := &terminal{keyboard: keyboard}
	var unlocked, number int32
	term.control(t, syscall.TIOCSPTLCK, unsafe.Pointer(&unlocked))
	term.control(t, syscall.TIOCGPTN, unsafe.Pointer(&number))
	term.resize(t, width, height)
	theirs := must(os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0))(t)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()                                             // the program has it
	term.running.Go(func() { _, _ = io.Copy(term, keyboard) }) // until it has no program
	return term
}

// control is ioctl.
func (term *terminal) control(t *testing.T, request uintptr, argument unsafe.Pointer) {
	t.Helper()
	raw := must(term.keyboard.SyscallConn())(t)
	var errno syscall.Errno
	err := raw.Control(func(fd uintptr) { _, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(argument)) })
	if err != nil || errno != 0 {
		t.Fatalf("ioctl %#x: %v, %v", request, err, errno)
	}
}

func (term *terminal) resize(t *testing.T, width, height uint16) {
	t.Helper()
	size := [4]uint16{height, width}
	term.control(t, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
}

func (term *terminal) press(t *testing.T, keys string) {
	t.Helper()
	if _, err := term.keyboard.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

// TestKubectlTerminal: kubectl exec -it has a terminal of the size of its user's, also when that
// changes; Ctrl-C is for what runs there; and when the user's window is closed nothing is left.
func TestKubectlTerminal(t *testing.T) {
	for name, setting := range map[string]string{"WebSocket": "true", "SPDY": "false"} {
		t.Run(name, func(t *testing.T) {
			p := use(t, "exec sleep 2000")
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			cmd := p.kubectl(ctx, t, "exec", "-it", p.name, "--", "sh")
			cmd.Env = append(os.Environ(), "KUBECTL_REMOTE_COMMAND_WEBSOCKETS="+setting)
			term := openTerminal(t, cmd, 100, 40)
			shows := func(size string) {
				t.Helper()
				eventually(t, "the size is "+size, func() bool { // it may come after the first command
					term.press(t, "stty size\r")
					return strings.Contains(term.String(), size+"\r\n")
				})
			}
			shows("40 100")
			term.resize(t, 70, 20)
			shows("20 70")
			term.press(t, "echo on $(tty)\r")
			term.await(t, "on /dev/pts/")
			term.press(t, "echo be''gun; sleep 1000\r")
			term.await(t, "begun\r\n")
			p.processes(t, 1, "sleep 1000")
			term.press(t, "\x03")
			p.processes(t, 0, "sleep 1000")
			term.press(t, "sleep 1001 & setsid sleep 1001 & echo aga''in\r")
			term.await(t, "again\r\n")
			p.processes(t, 2, "sleep 1001")
			term.keyboard.Close()
			_ = cmd.Wait() // its terminal is gone, however it takes that
			term.running.Wait()
			p.processes(t, 0, "sleep 1001")
			p.processes(t, 0, "sh")
			p.processes(t, 1, "sleep 2000")
		})
	}
}
