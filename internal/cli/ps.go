package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/kube/view"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/system"
	"github.com/probity-run/probity/internal/terminal"
)

const psHelp = `Show what runs: Services with their addresses, workloads and their Pods, how many are ready, restarts, and why not.

It shows the run that was started with a file of this folder; if there is none, or with --all, each run of this user. probity describe says more
of one object, and what to do next.

` + onCluster + `

With --all-namespaces a column says the namespaces, and names do not. -o json and -o yaml also have the process numbers of a run's containers.

Exit codes: 0 shown; 1 a run did not answer; 2 bad input, or no such run.`

// psFlags are the flags of ps.
type psFlags struct {
	target
	all    bool
	output string
}

func newPs(streams Streams) *cobra.Command {
	var flags psFlags
	cmd := &cobra.Command{
		Use:     "ps",
		Short:   "Show what runs, and why it is not ready",
		Long:    psHelp,
		Example: "  probity ps\n  probity ps --all -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ps(cmd.Context(), streams, flags)
		},
	}
	flags.addCluster(cmd)
	flags.addEverywhere(cmd)
	cmd.Flags().BoolVarP(&flags.all, "all", "a", false, "each run of this user")
	addOutput(cmd, &flags.output)
	return cmd
}

// shownRun is a run as -o json prints it.
type shownRun struct {
	Instance  string    `json:"instance"`
	StateDir  string    `json:"stateDir"`
	PID       int       `json:"pid"`
	Started   time.Time `json:"started"`
	Manifests []string  `json:"manifests"`
	// Objects are Services, workloads and Pods.
	Objects []view.Row `json:"objects"`
}

// ps prints an overview of the runs that are meant.
func ps(ctx context.Context, streams Streams, flags psFlags) error {
	if err := errors.Join(checkOutput(flags.output), flags.check()); err != nil {
		return badInput(err)
	}
	if flags.isCluster() {
		return flags.psCluster(ctx, streams)
	}
	runs, err := flags.runs(ctx, streams)
	if err != nil {
		return err
	}
	now := time.Now()
	var shown []shownRun
	var problems []error
	for _, run := range runs {
		objects, err := overview(ctx, run, flags.namespace, now)
		if err != nil {
			problems = append(problems, fmt.Errorf("cannot ask %s: %w", run.Instance(), err))
			continue
		}
		shown = append(shown, shownRun{run.Instance(), run.StateDir, run.PID, run.Started.Time, run.Manifests, objects})
		if flags.output == "" {
			head := fmt.Sprintf("%s  (instance %s, process %d, up %s)", titleOf(run), run.Instance(), run.PID, diagnosis.Age(now.Sub(run.Started.Time)))
			if len(shown) > 1 {
				head = "\n" + head
			}
			if _, err := fmt.Fprintf(streams.Out, "%s\n%s", head, flags.table(streams, objects, now)); err != nil {
				return failed(err)
			}
		}
	}
	if flags.output != "" {
		if err := printAs(streams, flags.output, shown); err != nil {
			return err
		}
	}
	if len(problems) > 0 {
		return failed(errors.Join(problems...))
	}
	return nil
}

// shownCluster is a cluster as -o json prints it.
type shownCluster struct {
	Context   string `json:"context"`
	Server    string `json:"server"`
	Namespace string `json:"namespace"` // "" means all
	// Objects are Services, workloads and Pods.
	Objects []view.Row `json:"objects"`
}

// psCluster prints an overview of a namespace of a cluster.
func (f *psFlags) psCluster(ctx context.Context, streams Streams) error {
	if f.all {
		return badInput(errors.New("cannot use --all with a cluster: it shows one namespace, see --namespace, or all, see --all-namespaces"))
	}
	c, err := f.connectCluster()
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := f.snapshot(ctx, c.Client)
	if err != nil {
		return err
	}
	now := time.Now()
	rows := view.Overview(s, lastWords(ctx, c.Client, s), now)
	if err := unseenError(s); err != nil {
		terminal.Print(streams.Err, "probity: "+err.Error())
	}
	if f.output != "" {
		return printAs(streams, f.output, shownCluster{c.Context, c.Server, f.namespace, rows})
	}
	where := "namespace " + printable.Line(f.namespace)
	if f.everywhere {
		where = "all namespaces"
	}
	_, err = fmt.Fprintf(streams.Out, "context %s  (server %s, %s)\n%s", printable.Line(c.Context), printable.Line(c.Server), where, f.table(streams, rows, now))
	if err != nil {
		return failed(err)
	}
	return nil
}

// table lays an overview out.
func (f *psFlags) table(streams Streams, rows []view.Row, now time.Time) string {
	if f.everywhere {
		return view.TextByNamespace(rows, now, widthOf(streams))
	}
	return view.Text(rows, now, widthOf(streams))
}

// runs are those that ps shows: one that is named or of this folder, else each.
func (f *psFlags) runs(ctx context.Context, streams Streams) ([]system.Run, error) {
	if !f.all {
		run, err := f.find(ctx, streams)
		if err == nil {
			return []system.Run{run}, nil
		}
		if f.instance != "" || f.stateDir != "" {
			return nil, err
		}
	}
	runs, err := system.Runs(ctx)
	if err != nil {
		return nil, badInput(err)
	}
	if len(runs) == 0 {
		return nil, badInput(errors.New("no run is there: start one with probity run FILE"))
	}
	return runs, nil
}

// overview asks a run what it has.
func overview(ctx context.Context, run system.Run, namespace string, now time.Time) ([]view.Row, error) {
	client, err := system.Connect(run.StateDir)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	s, err := client.Snapshot(ctx, namespace)
	if err != nil {
		return nil, err
	}
	return view.Overview(s, lastWords(ctx, client, s), now), nil
}

// widthOf is how wide what is printed may be; 0 without a terminal.
func widthOf(streams Streams) int {
	file := terminal.File(streams.Out)
	if file == nil {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0 // no terminal
	}
	return width
}
