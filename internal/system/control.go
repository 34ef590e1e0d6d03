package system

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// controlSocket is the name of the socket in the state folder by which other commands reach a run.
// Only the folder's owner can.
const controlSocket = "control.sock"

// applyRequest asks a system to apply manifests.
type applyRequest struct {
	Paths []string `json:"paths"` // absolute
}

// applyReply is what became of the objects.
type applyReply struct {
	Lines []string `json:"lines"`
	Error string   `json:"error,omitempty"`
	// InputError says that the error is one of the manifests.
	InputError bool `json:"inputError,omitempty"`
}

// control answers other commands at a socket in the state folder. close ends it.
type control struct {
	server http.Server
	done   chan error
}

// newControl serves requests until close.
func newControl(dir string, apply func(ctx context.Context, paths []string) ([]string, error)) (*control, error) {
	path := filepath.Join(dir, controlSocket)
	// of a run that was killed; the folder's lock is ours
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("cannot listen to other commands at %s: %w; --state-dir names another folder, and a socket needs a short path", path, err)
	}
	c := &control{done: make(chan error, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /apply", func(w http.ResponseWriter, r *http.Request) { serveApply(w, r, apply) })
	c.server.Handler = mux
	c.server.ReadHeaderTimeout = 10 * time.Second
	go func() { c.done <- c.server.Serve(listener) }()
	return c, nil
}

func serveApply(w http.ResponseWriter, r *http.Request, apply func(ctx context.Context, paths []string) ([]string, error)) {
	var request applyRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	lines, err := apply(r.Context(), request.Paths)
	reply := applyReply{Lines: lines}
	if err != nil {
		reply.Error = err.Error()
		_, reply.InputError = errors.AsType[*InputError](err)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(reply) // a client that is gone does not want it
}

func (c *control) close() error {
	if err := c.server.Close(); err != nil {
		return err
	}
	if err := <-c.done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// RequestApply has the system of another process, whose state folder is dir, apply manifests; paths
// are absolute. The error is that of [System.Apply], or an [*InputError] if nobody answers.
func RequestApply(ctx context.Context, dir string, paths []string) (lines []string, err error) {
	reply, err := post(ctx, dir, applyRequest{Paths: paths})
	if err != nil {
		return nil, &InputError{fmt.Errorf("cannot reach the probity run of %s: %w", dir, err)}
	}
	if reply.InputError {
		return reply.Lines, &InputError{errors.New(reply.Error)}
	}
	if reply.Error != "" {
		return reply.Lines, errors.New(reply.Error)
	}
	return reply.Lines, nil
}

func post(ctx context.Context, dir string, message applyRequest) (reply applyReply, err error) {
	body, err := json.Marshal(message)
	if err != nil {
		return reply, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, controlSocket))
	}}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://probity/apply", bytes.NewReader(body))
	if err != nil {
		return reply, err
	}
	response, err := client.Do(request)
	if err != nil {
		return reply, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return reply, fmt.Errorf("it answers %s", response.Status)
	}
	return reply, json.NewDecoder(response.Body).Decode(&reply)
}

// Find returns the state folder of the running system that uses manifests, or of the only one there
// is.
func Find(paths []string) (dir string, err error) {
	home, err := stateHome()
	if err != nil {
		return "", err
	}
	base := filepath.Join(home, "probity")
	own := filepath.Join(base, manifestKey(paths))
	sockets, err := filepath.Glob(filepath.Join(base, "*", controlSocket))
	if err != nil {
		return "", err
	}
	var running []string
	for _, socket := range sockets {
		if conn, err := net.Dial("unix", socket); err == nil {
			_ = conn.Close()
			running = append(running, filepath.Dir(socket))
		}
	}
	if slices.Contains(running, own) {
		return own, nil
	}
	switch len(running) {
	case 0:
		return "", errors.New("no probity run is there to apply to: start one with probity run, or name its folder with --state-dir")
	case 1:
		return running[0], nil
	}
	return "", fmt.Errorf("several probity runs are there: name the folder of one with --state-dir: %s", strings.Join(running, ", "))
}
