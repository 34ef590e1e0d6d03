package system

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/probity-run/probity/internal/apiserver/credentials"
	"github.com/probity-run/probity/internal/kube"
)

// RunsError says that it is not clear which run somebody means, or that there is none.
type RunsError struct{ text string }

func (e *RunsError) Error() string { return e.text }

// Runs are the runs of this user that answer, in the order of their state folders. Those that serve
// no API are none of them, and those with a state folder of another place only if they are listed
// ([Options.Listed]).
func Runs(ctx context.Context) ([]Run, error) {
	home, err := stateHome()
	if err != nil {
		return nil, err
	}
	folders, err := filepath.Glob(filepath.Join(home, "*", credentials.KubeconfigName))
	if err != nil {
		return nil, err
	}
	var asking sync.WaitGroup
	found := make([]*Run, len(folders))
	for i, kubeconfig := range folders {
		asking.Go(func() {
			if run, err := RunOf(ctx, filepath.Dir(kubeconfig)); err == nil { // without an answer it is none
				found[i] = &run
			}
		})
	}
	asking.Wait()
	var runs []Run
	for _, run := range found {
		if run != nil {
			runs = append(runs, *run)
		}
	}
	return runs, nil
}

// RunOf asks the run of a state folder what it is. The error says that none answers.
func RunOf(ctx context.Context, dir string) (Run, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	status, err := post(ctx, dir, "?dryRun=All", nil)
	if err != nil {
		return Run{}, &RunsError{fmt.Sprintf("no run answers for the state folder %s: %v", dir, err)}
	}
	return status.Run, nil
}

// ChooseRun returns the run that somebody means who is in a folder: that of an instance name, or of
// the beginning of one; without a name the one that was started with files of the folder, or of
// folders below it; else the only one that there is, which is elsewhere then. The error is a
// [*RunsError].
func ChooseRun(runs []Run, instance, folder string) (run Run, elsewhere bool, err error) {
	if instance != "" {
		run, err := chooseInstance(runs, instance)
		return run, false, err
	}
	fits := closestRuns(runs, folder)
	switch {
	case len(fits) == 1:
		return fits[0], false, nil
	case len(fits) > 1:
		return Run{}, false, &RunsError{fmt.Sprintf("%d runs were started with files of this folder: ", len(fits)) + sayWhich(fits)}
	case len(runs) == 1:
		return runs[0], true, nil
	case len(runs) > 1:
		return Run{}, false, &RunsError{"no run was started with a file of this folder, and there are several: " + sayWhich(runs)}
	}
	return Run{}, false, &RunsError{"no run is there: start one with probity run FILE, or name its folder with --state-dir"}
}

func chooseInstance(runs []Run, instance string) (Run, error) {
	fits := slices.Collect(filter(runs, func(r Run) bool { return r.Instance() == instance }))
	switch {
	case len(fits) == 1:
		return fits[0], nil
	case len(fits) > 1:
		var lines strings.Builder
		for _, run := range fits {
			lines.WriteString("\n  " + run.StateDir + "  " + run.Title())
		}
		return Run{}, &RunsError{fmt.Sprintf("%d instances are called %s: say which with --state-dir; there are:%s", len(fits), instance, &lines)}
	}
	fits = slices.Collect(filter(runs, func(r Run) bool { return strings.HasPrefix(r.Instance(), instance) }))
	switch {
	case len(fits) == 1:
		return fits[0], nil
	case len(fits) > 1:
		return Run{}, &RunsError{fmt.Sprintf("%d instances begin with %s: ", len(fits), instance) + sayWhich(fits)}
	case len(runs) == 0:
		return Run{}, &RunsError{fmt.Sprintf("no instance %s runs, nor any other", instance)}
	}
	return Run{}, &RunsError{fmt.Sprintf("no instance %s runs: ", instance) + sayWhich(runs)}
}

func sayWhich(runs []Run) string {
	var lines strings.Builder
	lines.WriteString("say which with --instance; there are:")
	for _, run := range runs {
		fmt.Fprintf(&lines, "\n  %s  %s", run.Instance(), run.Title())
	}
	return lines.String()
}

// closestRuns are the runs of files in a folder; if there are none, those of files below it.
func closestRuns(runs []Run, folder string) []Run {
	folder = resolved([]string{folder})[0]
	in := slices.Collect(filter(runs, func(r Run) bool {
		return slices.ContainsFunc(resolved(r.Manifests), func(path string) bool { return path == folder || filepath.Dir(path) == folder })
	}))
	if len(in) > 0 {
		return in
	}
	return slices.Collect(filter(runs, func(r Run) bool {
		return slices.ContainsFunc(resolved(r.Manifests), func(path string) bool { return strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/") })
	}))
}

// Connect returns a client of the run of a state folder.
func Connect(dir string) (*kube.Client, error) {
	client, url, err := connect(dir)
	if err != nil {
		return nil, err
	}
	return kube.New(client, url), nil
}

// connect returns a client of the run of a state folder that shows its token, and the URL of its
// API.
func connect(dir string) (client *http.Client, url string, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, "", err
	}
	defer root.Close() // it is only read
	if err := checkOwnDir(root, dir); err != nil {
		return nil, "", err
	}
	client, url, err = credentials.Client(root)
	if errors.Is(err, credentials.ErrNoAPI) {
		err = fmt.Errorf("%w; a run with --no-api takes no requests", err)
	}
	return client, url, err
}
