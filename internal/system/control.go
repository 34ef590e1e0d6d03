package system

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// controlSocket is the name of the socket in the state folder by which other commands reach a run.
const controlSocket = "control.sock"

// Run describes a running system to other commands.
type Run struct {
	StateDir  string   `json:"stateDir"`
	PID       int      `json:"pid"`
	Manifests []string `json:"manifests"` // absolute
}

// String names the run as people know it.
func (r Run) String() string {
	what := strings.Join(r.Manifests, " ")
	if what == "" {
		what = "standard input"
	}
	return fmt.Sprintf("the run of %s (process %d, --state-dir %s)", what, r.PID, r.StateDir)
}

// applyRequest asks a system to apply manifests.
type applyRequest struct {
	Paths []string `json:"paths"` // absolute
}

// applyReply is what became of the objects.
type applyReply struct {
	Run   Run      `json:"run"`
	Lines []string `json:"lines"`
	Error string   `json:"error,omitempty"`
	// InputError says that the error is one of the manifests.
	InputError bool `json:"inputError,omitempty"`
}

// control answers other commands at a socket in the state folder. close ends it.
type control struct {
	server http.Server
	root   *os.Root
	done   chan error
}

// newControl serves requests until close.
func newControl(root *os.Root, run Run, apply func(ctx context.Context, paths []string) ([]string, error)) (*control, error) {
	// of a run that was killed; the folder's lock is ours
	if err := root.Remove(controlSocket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	listener, err := listenOwn(root)
	if err != nil {
		return nil, fmt.Errorf("cannot listen to other commands at %s: %w; --state-dir names another folder, and a socket needs a short path",
			filepath.Join(root.Name(), controlSocket), err)
	}
	c := &control{root: root, done: make(chan error, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /apply", func(w http.ResponseWriter, r *http.Request) { serveApply(w, r, run, apply) })
	mux.HandleFunc("GET /run", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, run) })
	c.server.Handler = mux
	c.server.ReadHeaderTimeout = 10 * time.Second
	go func() { c.done <- c.server.Serve(listener) }()
	return c, nil
}

// listenOwn listens at a socket in a folder for this user's processes.
func listenOwn(root *os.Root) (net.Listener, error) {
	var listener *net.UnixListener
	err := withSocketPath(root, func(path string) (err error) {
		listener, err = net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: path})
		return err
	})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false) // the path may be good for now only
	if err := root.Chmod(controlSocket, 0o600); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return ownListener{listener}, nil
}

// ownListener closes connections of other users, whatever the socket's mode was when they came.
type ownListener struct{ *net.UnixListener }

// Accept implements [net.Listener].
func (l ownListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		if err := checkPeer(conn); err == nil {
			return conn, nil
		}
		_ = conn.Close() // nobody to tell
	}
}

// checkPeer makes sure that this user's or root's process is at the other end.
func checkPeer(conn *net.UnixConn) error {
	uid, err := peerUID(conn)
	if err != nil {
		return fmt.Errorf("cannot find out who is at the other end: %w", err)
	}
	if uid != os.Geteuid() && uid != 0 {
		return fmt.Errorf("another user (id %d) is at the other end", uid)
	}
	return nil
}

func serveApply(w http.ResponseWriter, r *http.Request, run Run, apply func(ctx context.Context, paths []string) ([]string, error)) {
	var request applyRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	lines, err := apply(r.Context(), request.Paths)
	reply := applyReply{Run: run, Lines: lines}
	if err != nil {
		reply.Error = err.Error()
		_, reply.InputError = errors.AsType[*InputError](err)
	}
	writeJSON(w, reply)
}

func writeJSON(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // a client that is gone does not want it
}

func (c *control) close() error {
	err := c.server.Close()
	if served := <-c.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if removed := c.root.Remove(controlSocket); !errors.Is(removed, fs.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	return err
}
