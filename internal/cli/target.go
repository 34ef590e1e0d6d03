package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/system"
	"github.com/probity-run/probity/internal/terminal"
)

// whichRun is what the help of each command says that is about one run.
const whichRun = `The run is the one that was started with a file of this folder or of a folder below it, else the only one there is; --instance or --state-dir
name another. It is asked through its Kubernetes API, so one with --no-api does not answer.`

// onCluster is what the help of each command says that also speaks to a cluster.
const onCluster = `With --context or --kubeconfig it is a cluster that is asked, by the rules of kubectl: $KUBECONFIG or ~/.kube/config, the namespace of the context,
or that of --namespace. What only a run knows, such as what a probe found that succeeded, stands there as –. A kubeconfig that leads to no cluster is
bad input, exit code 2; a cluster that does not answer, or refuses, is 1. What waits or follows asks a cluster again that was away.`

// target is the run, or the cluster, that a command is about.
type target struct {
	instance  string
	stateDir  string
	namespace string // "" means all

	// Of a cluster:
	context    string // of the kubeconfig
	kubeconfig string
	everywhere bool // in all namespaces

	cmd *cobra.Command // nil if there is no cluster to ask
}

// addRun adds the flags that name a run.
func (t *target) addRun(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.instance, "instance", "", "name of the run, as probity ls has it, or the beginning of it")
	cmd.Flags().StringVar(&t.stateDir, "state-dir", "", "state folder of the run")
	complete(cmd, "instance", func(ctx context.Context) []string { return instanceNames(ctx) })
}

// addCluster is add for a command that can ask a cluster as well.
func (t *target) addCluster(cmd *cobra.Command) {
	t.add(cmd)
	t.cmd = cmd
	cmd.Flags().StringVar(&t.context, "context", "", `context of the kubeconfig; "" is the current one`)
	addKubeconfig(cmd, &t.kubeconfig)
	complete(cmd, "context", func(context.Context) []string { return kube.Contexts(t.kubeconfig) })
}

// addKubeconfig adds the flag that names a kubeconfig.
func addKubeconfig(cmd *cobra.Command, to *string) {
	cmd.Flags().StringVar(to, "kubeconfig", "", "path of the kubeconfig (default: $KUBECONFIG, else ~/.kube/config)")
}

// addEverywhere adds the flag for all namespaces to a command that lists.
func (t *target) addEverywhere(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&t.everywhere, "all-namespaces", "A", false, "of all namespaces, and say which")
}

// isCluster reports whether a cluster is meant: by a flag, or because kubectl has called.
func (t *target) isCluster() bool {
	if t.cmd == nil {
		return false
	}
	named := t.cmd.Flags().Changed("context") || t.cmd.Flags().Changed("kubeconfig")
	return named || isPlugin(t.cmd) && t.instance == "" && t.stateDir == ""
}

// check refuses flags that speak against each other.
func (t *target) check() error {
	if t.everywhere && t.namespace != "" {
		return badInput(errors.New("--namespace and --all-namespaces contradict each other: leave one out"))
	}
	return nil
}

// unasked is the error of a server that has not answered, or has refused to say what there is.
func (t *target) unasked(err error) error {
	if t.isCluster() {
		return failed(fmt.Errorf("cannot ask the cluster: %w", err))
	}
	return failed(fmt.Errorf("cannot ask the run: %w", err))
}

// trouble tells on stderr that a cluster is away and is back; nil for a run, which ends.
func (t *target) trouble(streams Streams) func(error) {
	if !t.isCluster() {
		return nil
	}
	h := hearing{streams: streams}
	return func(err error) { h.note("", err) }
}

// add adds the flags that name a run, and objects in it.
func (t *target) add(cmd *cobra.Command) {
	t.addRun(cmd)
	cmd.Flags().StringVarP(&t.namespace, "namespace", "n", "", "namespace of the objects (default: whichever has them)")
}

// find returns the run. It says which one it is if that is another than one would think.
func (t *target) find(ctx context.Context, streams Streams) (system.Run, error) {
	if t.stateDir != "" {
		if t.instance != "" {
			return system.Run{}, badInput(fmt.Errorf("--instance and --state-dir both name a run: leave one out"))
		}
		run, err := system.RunOf(ctx, t.stateDir)
		if err != nil {
			return run, badInput(err)
		}
		return run, nil
	}
	runs, err := system.Runs(ctx)
	if err != nil {
		return system.Run{}, badInput(err)
	}
	folder, err := os.Getwd()
	if err != nil {
		return system.Run{}, badInput(err)
	}
	run, elsewhere, err := system.ChooseRun(runs, t.instance, folder)
	if err != nil {
		return run, badInput(err)
	}
	if elsewhere {
		terminal.Print(streams.Err, "probity: "+run.String())
	}
	return run, nil
}

// connect returns a client of the run or the cluster, which the caller closes.
func (t *target) connect(ctx context.Context, streams Streams) (*kube.Client, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	if t.isCluster() {
		c, err := t.connectCluster()
		if err != nil {
			return nil, err
		}
		return c.Client, nil
	}
	run, err := t.find(ctx, streams)
	if err != nil {
		return nil, err
	}
	client, err := system.Connect(run.StateDir)
	if err != nil {
		return nil, badInput(err)
	}
	return client, nil
}

// connectCluster returns a client of the cluster. From then on the namespace is the context's if
// none was named.
func (t *target) connectCluster() (*kube.Cluster, error) {
	switch {
	case (t.instance != "" || t.stateDir != "") && t.cmd.Flags().Changed("context"):
		return nil, badInput(errors.New("--context names a cluster, and --instance or --state-dir a run: leave one out"))
	case t.instance != "" || t.stateDir != "":
		return nil, badInput(errors.New("--kubeconfig names a cluster, and --instance or --state-dir a run: leave one out"))
	}
	c, err := kube.Connect(kube.Config{Kubeconfig: t.kubeconfig, Context: t.context, Namespace: t.namespace})
	if err != nil {
		return nil, badInput(err)
	}
	if !t.everywhere {
		t.namespace = c.Namespace
	}
	return c, nil
}

// flags are those with which another command asks the same cluster; "" for a run.
func (t *target) flags() string {
	if !t.isCluster() {
		return ""
	}
	var words []string
	if t.kubeconfig != "" {
		words = append(words, "--kubeconfig", printable.Shell(t.kubeconfig))
	}
	switch {
	case t.context != "":
		words = append(words, "--context", printable.Shell(t.context))
	case t.kubeconfig == "" && !isPlugin(t.cmd):
		words = append(words, "--context=")
	}
	if !t.everywhere {
		words = append(words, "-n", printable.Shell(t.namespace))
	}
	return strings.Join(words, " ")
}

// titleOf is what a run runs, as somebody in this folder would name it.
func titleOf(run system.Run) string {
	if len(run.Manifests) == 0 {
		return "no file"
	}
	folder, err := os.Getwd()
	var names []string
	for _, path := range run.Manifests {
		name := path
		if relative, relErr := filepath.Rel(folder, path); err == nil && relErr == nil && folder != "/" && !strings.HasPrefix(relative, "..") {
			name = relative
		} else if home, homeErr := os.UserHomeDir(); homeErr == nil && strings.HasPrefix(path, home+"/") {
			name = "~" + strings.TrimPrefix(path, home)
		}
		names = append(names, printable.Line(name))
	}
	return strings.Join(names, " ")
}
