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
	"github.com/probity-run/probity/internal/terminal"
)

const dashboardHelp = `Print a link to the dashboard of a probity run that goes on: the Pods with every attempt of their probes, in a browser. With --context, serve the
same pages over a cluster.

The link can be opened within a minute, once; the browser stays signed in, also after the run was started again. Whoever has the link sees
and does what the user of the run does.

Without FILE it is the run that was started with a file of this folder or of a folder below it, else the only one there is; with the files that
a run was started with, it is that one. --instance or --state-dir name another. A run with --no-api has a dashboard too.

With --context it is a cluster that is shown, by the rules of kubectl: a namespace, or with -A all of them, as the user of the kubeconfig may see
it. This process serves the pages on this machine until Ctrl-C, and leaves nothing behind. It watches Pods, workloads, Services, EndpointSlices
and Events, and reads no Secrets. Kubelets report no attempt that succeeds and no counters: pages show failures as far as Events tell of them, and
say what is not known. Changes are made by server-side apply (field manager probity-dashboard); what the cluster refuses is shown in its words.

Exit codes: 0 printed, or ended; 1 something went wrong; 2 there is no such run, it has no dashboard, or nothing of the cluster can be seen.`

func newDashboard(streams Streams) *cobra.Command {
	var t target
	var open bool
	var onCluster dashboardCluster
	cmd := &cobra.Command{
		Use:     "dashboard [FILE...] | --context CONTEXT",
		Short:   "Print a link to the dashboard of a probity run, or serve that of a cluster",
		Long:    dashboardHelp,
		Example: "  probity dashboard --open\n  probity dashboard --context prod -n shop",
		RunE: func(cmd *cobra.Command, args []string) error {
			isCluster, err := onCluster.check(cmd, &t, args)
			switch {
			case err != nil:
				return badInput(err)
			case isCluster:
				return serveClusterDashboard(cmd.Context(), streams, onCluster, open)
			}
			link, err := t.dashboard(cmd.Context(), streams, args)
			if err != nil {
				return err
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
	t.addRun(cmd)
	onCluster.add(cmd)
	cmd.Flags().BoolVar(&open, "open", false, "open it in a browser, too")
	return cmd
}

// dashboard is a link to that of the run. Which run it is, is said if it is another than one would
// think.
func (t *target) dashboard(ctx context.Context, streams Streams, manifests []string) (link string, err error) {
	named := 0
	for _, is := range []bool{t.stateDir != "", t.instance != "", len(manifests) > 0} {
		if is {
			named++
		}
	}
	if named > 1 {
		return "", badInput(errors.New("--instance, --state-dir and files each name a run: leave all but one out"))
	}
	folder, err := os.Getwd()
	if err != nil {
		return "", badInput(err)
	}
	link, run, elsewhere, err := system.FindDashboard(ctx, system.DashboardQuery{StateDir: t.stateDir, Instance: t.instance, Manifests: manifests, Folder: folder})
	if err != nil {
		return "", badInput(err)
	}
	if elsewhere {
		terminal.Print(streams.Err, "probity: the dashboard is that of "+run.Title()+" (--state-dir "+run.StateDir+")")
	}
	return link, nil
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
