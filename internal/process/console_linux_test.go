package process

import (
	"strings"
	"testing"
)

// TestTerminal: a command has a terminal of its own, of the right size, and is told when that
// changes.
func TestTerminal(t *testing.T) {
	const script = `trap 'stty size' WINCH; stty size; [ "$(ps -o tty= -p $$)" != '?' ] && echo is there
		[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo thrice
		until [ "$word" = end ]; do read word && echo "read $word"; done`
	for name, s := range starters(t) {
		t.Run(name, func(t *testing.T) {
			k, shown, sizes := newKeyboard(), &screen{}, make(chan WindowSize)
			u := use(t, s, sh(script), Streams{Stdin: k, Stdout: shown, Terminal: true, Size: WindowSize{100, 40}, Sizes: sizes})
			shown.await(t, "40 100\r\nis there\r\nthrice\r\n")
			sizes <- WindowSize{132, 50}
			shown.await(t, "50 132\r\n")
			k.press(t, "typed\r")
			shown.await(t, "read typed\r\n")
			k.press(t, "end\r")
			if exit := u.wait(t); exit.Code != 0 {
				t.Errorf("exit %+v", exit)
			}
		})
	}
}

// TestTerminalInterrupt: keys signal what runs in the foreground.
func TestTerminalInterrupt(t *testing.T) {
	for name, s := range starters(t) {
		k, shown := newKeyboard(), &screen{}
		u := use(t, s, sh("echo begun; exec sleep 1000"), Streams{Stdin: k, Stdout: shown, Terminal: true})
		shown.await(t, "begun")
		k.press(t, "\x03")
		if exit := u.wait(t); exit.Code != 130 {
			t.Errorf("%s: exit %+v after Ctrl-C, want 130", name, exit)
		}
	}
}

// TestTerminalJobs: what a shell has put into groups and sessions of their own ends with it.
func TestTerminalJobs(t *testing.T) {
	shown := &screen{}
	u := use(t, newShepherd(t), sh("set -m; sleep 1000 & (setsid sleep 1000 &); echo begun; sleep 1000"), Streams{Stdout: shown, Terminal: true})
	shown.await(t, "begun")
	var tree []int
	eventually(t, "all four run", func() bool {
		var err error
		tree, err = Tree(u.Process)
		return err == nil && len(tree) == 4
	})
	if err := u.Kill(); err != nil {
		t.Fatal(err)
	}
	u.wait(t)
	if left := living(tree); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}

// TestTerminalLast: what a command has shown is there after its end, however late somebody looks.
func TestTerminalLast(t *testing.T) {
	for name, s := range starters(t) {
		late := &lateUser{begin: make(chan struct{})}
		u := use(t, s, []string{"seq", "2000"}, Streams{Stdout: late, Terminal: true})
		<-u.Done()
		close(late.begin)
		u.wait(t)
		if shown := late.text.String(); !strings.HasPrefix(shown, "1\r\n2\r\n") || !strings.HasSuffix(shown, "\r\n1999\r\n2000\r\n") || strings.Count(shown, "\n") != 2000 {
			t.Errorf("%s: %d bytes are shown, with %d lines", name, len(shown), strings.Count(shown, "\n"))
		}
	}
}

// lateUser takes nothing before it shall.
type lateUser struct {
	begin chan struct{}
	text  strings.Builder
}

func (u *lateUser) Write(p []byte) (int, error) {
	<-u.begin
	return u.text.Write(p)
}
