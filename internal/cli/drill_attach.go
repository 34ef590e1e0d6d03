package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/drill/archive"
	"github.com/probity-run/probity/internal/drill/attach"
	"github.com/probity-run/probity/internal/drill/pages"
	"github.com/probity-run/probity/internal/system"
)

// attachHere is --attach without a name: the run is found by the folder.
const attachHere = "."

// ownFlags are those of drill that are about a run of its own.
func ownFlags() []string {
	return []string{"command", "env", "env-file", "dependency", "allow-remote", "no-dashboard"}
}

// addAttach adds the flags about a run that goes on.
func (f *drillFlags) addAttach(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.attach, "attach", "", "drill a run that goes on, of this folder or of the name that probity ls has, instead of one of its own")
	cmd.Flags().Lookup("attach").NoOptDefVal = attachHere
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "with --attach: do not ask whether its Pods may be broken")
	f.addRun(cmd)
	complete(cmd, "attach", func(ctx context.Context) []string { return instanceNames(ctx) })
}

// checkAttach refuses what makes no sense together. args are the files.
func (f *drillFlags) checkAttach(cmd *cobra.Command, args []string) error {
	switch {
	case f.attach == "" && (f.instance != "" || f.stateDir != "" || f.yes):
		return errors.New("--instance, --state-dir and --yes are about a run that goes on: add --attach, or leave them out")
	case f.attach == "" && len(args) == 0:
		return errors.New("there is nothing to drill: name a FILE, or a run that goes on by --attach")
	case f.attach == "":
		return nil
	case len(args) > 0:
		return fmt.Errorf("--attach drills what a run has started: leave out %s, or --attach; --only chooses workloads", strings.Join(args, " "))
	case f.attach != attachHere && (f.instance != "" || f.stateDir != ""):
		return fmt.Errorf("--attach=%s names a run already: leave out --instance and --state-dir", f.attach)
	}
	for _, name := range ownFlags() {
		if cmd.Flags().Changed(name) {
			return fmt.Errorf("--attach leaves nothing for --%s to do: the run was started already; probity drill FILE starts one of its own", name)
		}
	}
	return nil
}

// attachedRun finds the run to drill, and asks whether it may be.
func (f *drillFlags) attachedRun(ctx context.Context, streams Streams) (run system.Run, err error) {
	if f.attach != attachHere {
		f.instance = f.attach
	}
	if run, err = f.find(ctx, streams); err != nil || f.yes {
		return run, err
	}
	name := fmt.Sprintf("%s (instance %s)", titleOf(run), run.Instance())
	yes, err := ask(ctx, streams, "This stops, slows and cuts off the Pods of "+name+", which others may use: go on?")
	switch {
	case errors.Is(err, errNobodyToAsk):
		return run, badInput(fmt.Errorf("nothing was done: the drill stops, slows and cuts off the Pods of %s, which others may use; say --yes to have that", name))
	case err != nil:
		return run, failed(err)
	case !yes:
		return run, failed(errors.New("nothing was done"))
	}
	return run, nil
}

// drillRun has a run drilled. What comes of it is as that of a drill of its own.
func drillRun(ctx context.Context, run system.Run, opts drill.Options) (*drill.Report, error) {
	report, err := attach.Drill(ctx, run.StateDir, attach.RequestOf(opts), opts.Progress)
	if err != nil {
		return nil, err
	}
	placeHere(report)
	return report, nil
}

// placeHere names the files of a report as somebody in this folder would.
func placeHere(r *drill.Report) {
	r.Files = slices.Clone(r.Files)
	for i := range r.Files {
		shorten(&r.Files[i])
	}
	for i := range r.Workloads {
		w := &r.Workloads[i]
		shorten(&w.File)
		for j := range w.Probes {
			shorten(&w.Probes[j].File)
		}
	}
	for _, result := range r.Results {
		for _, v := range result.Verdicts {
			if v.Advice != nil {
				shorten(&v.Advice.File)
			}
		}
	}
}

// shorten makes the path of a file in this folder, or below it, a relative one.
func shorten(path *string) {
	folder, err := filepath.Abs(".")
	if err != nil {
		return
	}
	if short, err := filepath.Rel(folder, *path); err == nil && filepath.IsLocal(short) {
		*path = short
	}
}

// drillable is what has a run drilled for who asks its API. shown is its dashboard's.
func drillable(streams Streams, files []string, env map[string]string, shown *pages.Drills, notice func(string)) func(*system.System) http.Handler {
	files = archive.Paths(files)
	return func(s *system.System) http.Handler {
		return attach.NewHandler(attach.HandlerOptions{System: s, Notice: notice, Drill: func() drill.Options {
			opts := drill.Options{Files: files, Env: env, Version: version(), Watch: shown.Watch}
			opts.Judged = adviceFor(streams, opts)
			return opts
		}})
	}
}
