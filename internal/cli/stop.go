package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/system"
	"github.com/probity-run/probity/internal/terminal"
)

const stopHelp = `Stop a run as Ctrl-C in its terminal does: every Pod is deleted with its grace period, and nothing that it started is left. It returns when the
run has ended.

` + whichRun + `

Exit codes: 0 stopped; 1 it did not end in time; 2 bad input, or no such run.`

// stopFlags are the flags of stop.
type stopFlags struct {
	target
	all     bool
	timeout time.Duration
}

func newStop(streams Streams) *cobra.Command {
	var flags stopFlags
	cmd := &cobra.Command{
		Use:     "stop",
		Short:   "Stop a run",
		Long:    stopHelp,
		Example: "  probity stop\n  probity stop --all",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return stop(cmd.Context(), streams, flags)
		},
	}
	flags.addRun(cmd)
	cmd.Flags().BoolVarP(&flags.all, "all", "a", false, "each run of this user")
	cmd.Flags().DurationVar(&flags.timeout, "timeout", 0, "how long to wait for the end; 0 is for ever")
	return cmd
}

// stop stops the runs that are meant, all at a time, and waits for their ends.
func stop(ctx context.Context, streams Streams, flags stopFlags) error {
	runs, err := flags.runs(ctx, streams)
	if err != nil {
		return err
	}
	if flags.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, flags.timeout)
		defer cancel()
	}
	var problems []error
	began := time.Now()
	for _, run := range runs {
		if err := system.StopRun(run); err != nil {
			problems = append(problems, err)
			continue
		}
		terminal.Print(streams.Err, "probity: stopping "+titleOf(run)+", every Pod with its grace period")
	}
	for _, run := range runs {
		if err := system.AwaitEnd(ctx, run); err != nil {
			problems = append(problems, err)
			continue
		}
		if _, err := fmt.Fprintf(streams.Out, "stopped %s after %s\n", titleOf(run), diagnosis.Duration(time.Since(began))); err != nil {
			return failed(err)
		}
	}
	if len(problems) > 0 {
		return failed(errors.Join(problems...))
	}
	return nil
}

// runs are those that are to be stopped.
func (f *stopFlags) runs(ctx context.Context, streams Streams) ([]system.Run, error) {
	if !f.all {
		run, err := f.find(ctx, streams)
		return []system.Run{run}, err
	}
	if f.instance != "" || f.stateDir != "" {
		return nil, badInput(errors.New("--all means each run: leave out --instance and --state-dir"))
	}
	runs, err := system.Runs(ctx)
	if err != nil {
		return nil, badInput(err)
	}
	return runs, nil
}
