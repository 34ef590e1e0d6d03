package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/system"
)

const dashboardHelp = `Print a link to the dashboard of a probity run that goes on: the Pods with every attempt of their probes, in a browser.

The link can be opened within a minute, once; the browser stays signed in, also after the run was started again. Whoever has the link sees
and does what the user of the run does.

Without FILE it is the only run there is; with the files that a run was started with, it is that one.

Exit codes: 0 printed; 2 there is no such run, or it has no dashboard.`

func newDashboard(streams Streams) *cobra.Command {
	var stateDir string
	var open bool
	cmd := &cobra.Command{
		Use:     "dashboard [FILE...]",
		Short:   "Print a link to the dashboard of a probity run",
		Long:    dashboardHelp,
		Example: "  probity dashboard --open",
		RunE: func(cmd *cobra.Command, args []string) error {
			link, err := system.FindDashboard(cmd.Context(), stateDir, args)
			if _, ok := errors.AsType[*system.InputError](err); ok {
				return badInput(err)
			}
			if err != nil {
				return failed(err)
			}
			if _, err := fmt.Fprintln(streams.Out, link); err != nil {
				return failed(err)
			}
			if open {
				return openBrowser(cmd.Context(), link)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&stateDir, "state-dir", "", "state folder of the run")
	cmd.Flags().BoolVar(&open, "open", false, "open it in a browser, too")
	return cmd
}

// openBrowser has the desktop open an address. It does not wait for the browser.
func openBrowser(ctx context.Context, link string) error {
	if link == "" {
		return errors.New("cannot open the dashboard: there is none")
	}
	program := "xdg-open"
	if runtime.GOOS == "darwin" {
		program = "open"
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, link)
	cmd.Env = os.Environ()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot open the dashboard in a browser: %w; open the link yourself", err)
	}
	go func() { _ = cmd.Wait() }() // what becomes of the browser is its own business
	return nil
}
