package system

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/apiserver"
)

// Run describes a running system to other commands.
type Run = apiserver.Run

// Describe says which run this is.
func (s *System) Describe() Run {
	own := slices.DeleteFunc(slices.Clone(s.opts.Manifests), func(path string) bool { return path == "-" })
	return Run{StateDir: s.state.dir, PID: os.Getpid(), Manifests: resolved(own), Started: metav1.NewTime(s.created)}
}

// ApplyFiles is Apply for a client of the API.
func (s *System) ApplyFiles(ctx context.Context, spec apiserver.ApplyRequestSpec) apiserver.ApplyRequestStatus {
	lines, err := s.Apply(ctx, spec.Paths)
	status := apiserver.ApplyRequestStatus{Lines: lines}
	if err != nil {
		status.Error = err.Error()
		_, status.Invalid = errors.AsType[*InputError](err)
	}
	return status
}

// RequestApply has the system of another process, whose state folder is dir, apply manifests; paths
// are absolute. The error is that of [System.Apply], or an [*InputError] if nobody answers.
func RequestApply(ctx context.Context, dir string, paths []string) (run Run, lines []string, err error) {
	status, err := post(ctx, dir, "", paths)
	switch {
	case err != nil:
		return run, nil, &InputError{fmt.Errorf("cannot reach the probity run of %s: %w", dir, err)}
	case status.Invalid:
		err = &InputError{errors.New(status.Error)}
	case status.Error != "":
		err = errors.New(status.Error)
	}
	return status.Run, status.Lines, err
}

// post sends an ApplyRequest to the run of a state folder.
func post(ctx context.Context, dir, query string, paths []string) (status apiserver.ApplyRequestStatus, err error) {
	client, url, err := connect(dir)
	if err != nil {
		return status, err
	}
	body, err := json.Marshal(apiserver.ApplyRequest{Spec: apiserver.ApplyRequestSpec{Paths: paths}})
	if err != nil {
		return status, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+apiserver.ApplyRequestPath+query, bytes.NewReader(body))
	if err != nil {
		return status, err
	}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return status, err
	}
	defer response.Body.Close() // it was only read
	if response.StatusCode != http.StatusCreated {
		return status, fmt.Errorf("it answers %s", response.Status)
	}
	var answer apiserver.ApplyRequest
	err = json.NewDecoder(response.Body).Decode(&answer)
	return answer.Status, err
}

// answerTime is how long a run may take to say what it runs.
const answerTime = 2 * time.Second

// Find returns the state folder of the running system that manifests belong to: it was started with
// them, or they are in a folder of its manifests.
func Find(ctx context.Context, paths []string) (dir string, err error) {
	running, err := Runs(ctx)
	if err != nil {
		return "", err
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
		fits = slices.Collect(filter(running, func(run Run) bool { return has(run, paths) }))
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
func has(r Run, paths []string) bool {
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
