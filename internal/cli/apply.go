package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/system"
	"github.com/probity-run/probity/internal/terminal"
)

const applyHelp = `Let a running probity run bring its objects to what manifests say now.

A changed template of a Deployment or a StatefulSet rolls, a changed Pod is replaced, an unchanged one is left alone. With the very files that the run
was started with, objects that are no longer in them are taken away; saving such a file does the same, and so does the signal HUP. Other files add
their objects, and take away what an earlier apply of the same files had added.

Without --state-dir the run is the one that was started with these files, or with others of the same folder. If there is none, nothing is
changed, and the runs that there are are listed. The run that was found is named on standard error.

A manifest with an error changes nothing. The run is asked through its Kubernetes API, so one with --no-api takes no requests.

Exit codes: 0 applied; 1 something could not be applied; 2 bad input, or no such run.`

func newApply(streams Streams) *cobra.Command {
	var stateDir string
	cmd := &cobra.Command{
		Use:     "apply FILE...",
		Short:   "Change what a probity run runs",
		Long:    applyHelp,
		Example: "  probity apply app.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return apply(cmd.Context(), streams, stateDir, args)
		},
	}
	cmd.Flags().StringVar(&stateDir, "state-dir", "", "state folder of the run (default: that of the run that was started with these files, or with others of their folder)")
	return cmd
}

// apply has a running system apply manifests.
func apply(ctx context.Context, streams Streams, stateDir string, args []string) error {
	paths, err := absolute(args)
	if err != nil {
		return badInput(err)
	}
	search := stateDir == ""
	if search {
		if stateDir, err = system.Find(ctx, args); err != nil {
			return badInput(err)
		}
	}
	run, lines, err := system.RequestApply(ctx, stateDir, paths)
	if search && run.PID != 0 {
		terminal.Print(streams.Err, "probity: "+run.String())
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(streams.Out, line); err != nil {
			return failed(err)
		}
	}
	if _, ok := errors.AsType[*system.InputError](err); ok {
		return badInput(err)
	}
	if err != nil {
		return failed(err)
	}
	return nil
}

// absolute makes paths independent of the working folder.
func absolute(paths []string) ([]string, error) {
	all := make([]string, len(paths))
	for i, path := range paths {
		if path == "-" {
			return nil, errors.New("cannot apply standard input: write it to a file")
		}
		var err error
		if all[i], err = filepath.Abs(path); err != nil {
			return nil, fmt.Errorf("cannot find %s: %w", path, err)
		}
	}
	return all, nil
}
