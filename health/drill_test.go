package health

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// drilled runs a service with two loops, of which one works and one waits for work, and returns the
// socket on which a drill can stop them.
func drilled(t *testing.T) (h *Health, socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "drill") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	t.Setenv(drillVariable, socket)
	h = New(Options{})
	works, waits := h.Live("works", 200*time.Millisecond), h.Live("waits", 200*time.Millisecond)
	waits.Idle()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for ctx.Err() == nil {
			works.Beat()
			time.Sleep(time.Millisecond)
		}
	})
	running.Go(func() { h.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return h, socket
}

// order sends an order, and returns the connection and the answer to it.
func order(t *testing.T, socket, text string) (net.Conn, string) {
	t.Helper()
	var conn net.Conn
	within(t, "somebody listens", func() (ok bool) {
		var err error
		conn, err = net.Dial("unix", socket)
		return err == nil
	})
	t.Cleanup(func() { conn.Close() })
	if _, err := conn.Write([]byte(text + "\n")); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return conn, strings.TrimSpace(line)
}

func within(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// TestDrill: a drill makes a loop seem to hang, one that works and one that waits, until it ends.
func TestDrill(t *testing.T) {
	h, socket := drilled(t)
	for text, name := range map[string]string{"stop": "works", "stop works": "works", "stop waits": "waits"} {
		conn, answer := order(t, socket, text)
		if answer != "ok "+name {
			t.Fatalf("%s: answer %q, want ok %s", text, answer, name)
		}
		within(t, "liveness fails", func() bool { return !h.OK(Liveness) })
		conn.Close()
		within(t, "liveness succeeds again", func() bool { return h.OK(Liveness) })
	}
	for _, text := range []string{"stop nothing", "go", ""} {
		if _, answer := order(t, socket, text); !strings.HasPrefix(answer, "error: ") {
			t.Errorf("%q: answer %q, want an error", text, answer)
		}
	}
}

// TestDrillNotAsked: without the variable nothing listens.
func TestDrillNotAsked(t *testing.T) {
	t.Setenv(drillVariable, "")
	if d, err := openDrillSocket(New(Options{}), newLogQueue(nil)); d != nil || err != nil {
		t.Errorf("openDrillSocket = %v, %v, want none", d, err)
	}
}

// TestDrillSocket: the socket is for its owner alone; what an earlier process has left is removed,
// and what somebody uses is not.
func TestDrillSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "drill")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	t.Setenv(drillVariable, path)
	open := func() (*drillSocket, error) { return openDrillSocket(New(Options{}), newLogQueue(nil)) }
	first, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(); err == nil || !strings.Contains(err.Error(), "another process listens") {
		t.Errorf("beside another process: %v, want an error", err)
	}
	first.listener.(*net.UnixListener).SetUnlinkOnClose(false)
	first.listener.Close()
	second, err := open()
	if err != nil {
		t.Fatalf("after another process: %v", err)
	}
	second.listener.Close()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("where a file is: %v, want an error", err)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Error("the file is gone")
	}
	if err := errors.Join(os.Remove(path), os.Chmod(dir, 0o750)); err != nil {
		t.Fatal(err)
	}
	if _, err := open(); err == nil || !strings.Contains(err.Error(), "others than its owner") {
		t.Errorf("in a folder of others: %v, want an error", err)
	}
}
