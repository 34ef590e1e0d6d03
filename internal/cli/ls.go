package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/kube/view"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/system"
)

const lsHelp = `List the runs of this user: the instance by which --instance names them, what they were started with, and how many Pods are ready.

A run with --no-api is not listed, as nobody can ask it.

Exit codes: 0 listed, also if there is none; 2 bad input.`

func newLs(streams Streams) *cobra.Command {
	var output string
	var quiet bool
	cmd := &cobra.Command{
		Use:     "ls",
		Short:   "List the runs of this user",
		Long:    lsHelp,
		Example: "  probity ls\n  probity ls -q | xargs -n1 probity stop --instance",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ls(cmd.Context(), streams, output, quiet)
		},
	}
	addOutput(cmd, &output)
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "instances alone, one on a line")
	return cmd
}

// listedRun is a run as -o json prints it.
type listedRun struct {
	Instance  string    `json:"instance"`
	StateDir  string    `json:"stateDir"`
	PID       int       `json:"pid"`
	Started   time.Time `json:"started"`
	Manifests []string  `json:"manifests"`
	// State is Ready, or how many Pods are.
	State string `json:"state"`
}

// ls prints the runs that answer.
func ls(ctx context.Context, streams Streams, output string, quiet bool) error {
	if err := checkOutput(output); err != nil {
		return err
	}
	runs, err := system.Runs(ctx)
	if err != nil {
		return badInput(err)
	}
	now := time.Now()
	listed := []listedRun{}
	cells := [][]string{{"INSTANCE", "STATE", "PROCESS", "UP", "FILES"}}
	var names strings.Builder
	for _, run := range runs {
		state := ""
		if !quiet {
			state = stateOf(ctx, run, now)
		}
		listed = append(listed, listedRun{run.Instance(), run.StateDir, run.PID, run.Started.Time, run.Manifests, state})
		cells = append(cells, []string{printable.Line(run.Instance()), state, strconv.Itoa(run.PID), diagnosis.Age(now.Sub(run.Started.Time)), titleOf(run)})
		names.WriteString(run.Instance() + "\n")
	}
	text := view.Table(cells, widthOf(streams))
	switch {
	case output != "":
		return printAs(streams, output, listed)
	case quiet:
		text = names.String()
	}
	if _, err := fmt.Fprint(streams.Out, text); err != nil {
		return failed(err)
	}
	return nil
}

// stateOf is how a run is, in a word or two.
func stateOf(ctx context.Context, run system.Run, now time.Time) string {
	client, err := system.Connect(run.StateDir)
	if err != nil {
		return "does not answer"
	}
	defer client.Close()
	s, err := client.Snapshot(ctx, "")
	if err != nil {
		return "does not answer"
	}
	return view.Summary(view.Overview(s, nil, now))
}
