package health

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// drillVariable names a socket on which a test asks for the beat of one loop to stay away, as if
// the loop hung. See the package comment.
const drillVariable = "PROBITY_DRILL"

const (
	maxDrillLine  = 1 << 10         // all that is read of a connection
	drillPatience = 5 * time.Second // until a connection says what it wants
)

// drillSocket lets a loop seem to hang: "stop NAME" holds the beats of that heartbeat back, or of
// the first one that was registered if there is no name, until the connection ends or sends a
// further line. So a test that is killed leaves nothing held back.
type drillSocket struct {
	h        *Health
	log      *logQueue
	listener net.Listener
}

// openDrillSocket listens at the path that the environment names; it returns nil if that names
// none. Only the owner may have access to the folder.
func openDrillSocket(h *Health, log *logQueue) (*drillSocket, error) {
	path := os.Getenv(drillVariable)
	if path == "" {
		return nil, nil
	}
	folder, err := os.Stat(filepath.Dir(path))
	if err == nil && folder.Mode().Perm()&0o077 != 0 {
		err = errors.New("others than its owner have access to its folder")
	}
	if err == nil {
		err = removeSocket(path)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen at %s=%s: %w", drillVariable, path, err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("cannot listen at %s: %w", drillVariable, err)
	}
	return &drillSocket{h, log, listener}, nil
}

// removeSocket removes the socket that an earlier process has left; one at which somebody listens
// stays.
func removeSocket(path string) error {
	conn, err := net.Dial("unix", path)
	if err == nil {
		conn.Close()
		return errors.New("another process listens there")
	}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Mode().Type() != fs.ModeSocket {
		return errors.New("it is no socket")
	}
	return errors.Join(err, os.Remove(path))
}

// serve takes one connection after the other until ctx ends.
func (d *drillSocket) serve(ctx context.Context) {
	defer context.AfterFunc(ctx, func() { d.listener.Close() })()
	for {
		conn, err := d.listener.Accept()
		if err != nil {
			return // closed
		}
		d.hold(ctx, conn)
	}
}

// hold does what one connection wants.
func (d *drillSocket) hold(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	conn.SetReadDeadline(time.Now().Add(drillPatience)) // of an order; others may wait for their turn
	lines := bufio.NewScanner(io.LimitReader(conn, maxDrillLine))
	if !lines.Scan() {
		return
	}
	conn.SetReadDeadline(time.Time{})
	name, known := strings.CutPrefix(lines.Text(), "stop")
	l := d.h.heartbeatNamed(strings.TrimSpace(name))
	switch {
	case !known:
		fmt.Fprintln(conn, "error: the one order is stop NAME")
		return
	case l == nil:
		fmt.Fprintln(conn, "error: no loop of that name was registered with Live")
		return
	}
	d.log.put(slog.LevelWarn, "Heartbeat is held back by a drill", slog.String("name", l.name))
	since := l.hold()
	fmt.Fprintln(conn, "ok", l.name)
	lines.Scan() // the end, or a line
	d.h.release(l, since)
	d.log.put(slog.LevelWarn, "Heartbeat is no longer held back", slog.String("name", l.name))
}

// heartbeatNamed is the heartbeat of a loop by its name; without a name, the first one.
func (h *Health) heartbeatNamed(name string) *heartbeat {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.registry.heartbeats {
		if name == "" || l.name == name {
			return l
		}
	}
	return nil
}

// hold makes the present moment that of the last beat, as of a loop that was at work and hangs.
func (l *heartbeat) hold() (since int64) {
	since = l.now()
	l.missed.Store(l.last.Load())
	l.held.Store(true)
	l.last.Store(since)
	return since
}

// release makes up for what was not heard since hold.
func (h *Health) release(l *heartbeat, since int64) {
	l.held.Store(false)
	l.last.CompareAndSwap(since, l.missed.Load())
	h.heard(l)
}
