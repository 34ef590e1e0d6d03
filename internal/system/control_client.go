package system

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// RequestApply has the system of another process, whose state folder is dir, apply manifests; paths
// are absolute. The error is that of [System.Apply], or an [*InputError] if nobody answers.
func RequestApply(ctx context.Context, dir string, paths []string) (run Run, lines []string, err error) {
	body, err := json.Marshal(applyRequest{Paths: paths})
	if err != nil {
		return run, nil, err
	}
	var reply applyReply
	if err := ask(ctx, dir, http.MethodPost, "apply", bytes.NewReader(body), &reply); err != nil {
		return run, nil, &InputError{fmt.Errorf("cannot reach the probity run of %s: %w", dir, err)}
	}
	if reply.InputError {
		return reply.Run, reply.Lines, &InputError{errors.New(reply.Error)}
	}
	if reply.Error != "" {
		return reply.Run, reply.Lines, errors.New(reply.Error)
	}
	return reply.Run, reply.Lines, nil
}

// ask sends one request to the run of a state folder.
func ask(ctx context.Context, dir, method, path string, body io.Reader, answer any) error {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialOwn(ctx, dir)
	}}}
	request, err := http.NewRequestWithContext(ctx, method, "http://probity/"+path, body)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", response.Status)
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

// dialOwn connects to the run of a state folder of this user.
func dialOwn(ctx context.Context, dir string) (net.Conn, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close() // only used for names
	if err := checkOwnDir(root, dir); err != nil {
		return nil, err
	}
	var conn net.Conn
	err = withSocketPath(root, func(path string) (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, "unix", path)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := checkPeer(conn.(*net.UnixConn)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// answerTime is how long a run may take to say what it runs.
const answerTime = 2 * time.Second

// Find returns the state folder of the running system that manifests belong to: it was started with
// them, or they are in a folder of its manifests.
func Find(ctx context.Context, paths []string) (dir string, err error) {
	home, err := stateHome()
	if err != nil {
		return "", err
	}
	sockets, err := filepath.Glob(filepath.Join(home, "*", controlSocket))
	if err != nil {
		return "", err
	}
	var running []Run
	for _, socket := range sockets {
		ctx, cancel := context.WithTimeout(ctx, answerTime)
		var run Run
		// without an answer it is none
		if err := ask(ctx, filepath.Dir(socket), http.MethodGet, "run", nil, &run); err == nil {
			running = append(running, run)
		}
		cancel()
	}
	run, err := choose(running, paths)
	return run.StateDir, err
}

// choose returns the one run that manifests belong to.
func choose(running []Run, paths []string) (Run, error) {
	if len(running) == 0 {
		return Run{}, errors.New("no probity run is there to apply to: start one with probity run, or name its folder with --state-dir")
	}
	paths = resolved(paths)
	fits := slices.Collect(filter(running, func(run Run) bool { return slices.Equal(resolved(run.Manifests), paths) }))
	if len(fits) == 0 {
		fits = slices.Collect(filter(running, func(run Run) bool { return run.has(paths) }))
	}
	if len(fits) == 1 {
		return fits[0], nil
	}
	what := "no probity run was started with " + strings.Join(paths, " ")
	if len(fits) > 1 {
		what, running = fmt.Sprintf("%d runs could be meant by %s", len(fits), strings.Join(paths, " ")), fits
	}
	var lines strings.Builder
	for _, run := range running {
		lines.WriteString("\n  " + run.String())
	}
	return Run{}, fmt.Errorf("%s: name the state folder of the run to change with --state-dir; there are:%s", what, &lines)
}

func filter(runs []Run, keep func(Run) bool) func(yield func(Run) bool) {
	return func(yield func(Run) bool) {
		for _, run := range runs {
			if keep(run) && !yield(run) {
				return
			}
		}
	}
}

// has reports whether all files are among the manifests of a run, or in one of their folders.
func (r Run) has(paths []string) bool {
	folders := map[string]bool{}
	manifests := resolved(r.Manifests)
	for _, path := range manifests {
		folders[filepath.Dir(path)] = true
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			folders[path] = true
			delete(folders, filepath.Dir(path))
		}
	}
	return !slices.ContainsFunc(paths, func(path string) bool {
		return !slices.Contains(manifests, path) && !folders[filepath.Dir(path)]
	})
}

// resolved makes paths comparable: absolute, and without symbolic links.
func resolved(paths []string) []string {
	all := make([]string, len(paths))
	for i, path := range paths {
		all[i] = path
		if absolute, err := filepath.Abs(path); err == nil {
			all[i] = absolute
		}
		if real, err := filepath.EvalSymlinks(all[i]); err == nil {
			all[i] = real
		} else if real, err := filepath.EvalSymlinks(filepath.Dir(all[i])); err == nil {
			all[i] = filepath.Join(real, filepath.Base(all[i])) // a file that is gone
		}
	}
	return all
}
