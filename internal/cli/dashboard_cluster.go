package cli

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/clusterdash"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/terminal"
)

// dashboardCluster are the flags of dashboard that name a cluster in the place of a run.
type dashboardCluster struct {
	config kube.Config
	all    bool
}

func (f *dashboardCluster) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.config.Context, "context", "", `show the cluster of this context of the kubeconfig; "" is the current one`)
	flags.StringVar(&f.config.Kubeconfig, "kubeconfig", "", "path of the kubeconfig (default: $KUBECONFIG, else ~/.kube/config)")
	flags.StringVarP(&f.config.Namespace, "namespace", "n", "", "namespace of the cluster (default: that of the context)")
	flags.BoolVarP(&f.all, "all-namespaces", "A", false, "all namespaces of the cluster")
	complete(cmd, "context", func(context.Context) []string { return kube.Contexts(f.config.Kubeconfig) })
}

// check reports whether a cluster is meant, and refuses flags and arguments that do not go
// together.
func (f *dashboardCluster) check(cmd *cobra.Command, t *target, args []string) (isCluster bool, err error) {
	set := cmd.Flags().Changed
	namesRun := t.instance != "" || t.stateDir != "" || len(args) > 0
	isCluster = set("context") || set("kubeconfig") || isPlugin(cmd) && !namesRun
	switch {
	case !isCluster && (set("namespace") || f.all):
		return false, errors.New("--namespace and --all-namespaces are about a cluster: name one with --context")
	case isCluster && namesRun:
		return true, errors.New("--context names a cluster, and --instance, --state-dir or a file a run: leave one out")
	case f.all && set("namespace"):
		return true, errors.New("--namespace and --all-namespaces contradict each other: leave one out")
	}
	return isCluster, nil
}

// serveClusterDashboard serves the dashboard over a cluster until somebody interrupts it.
func serveClusterDashboard(ctx context.Context, streams Streams, f dashboardCluster, open bool) error {
	cluster, err := kube.Connect(f.config)
	if err != nil {
		return badInput(err)
	}
	defer cluster.Close()
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program
	namespace := cluster.Namespace
	if f.all {
		namespace = ""
	}
	var problem error
	err = clusterdash.Run(ctx, clusterdash.Options{Cluster: cluster, Namespace: namespace, Version: version(), Ready: func(link func() string) {
		terminal.Print(streams.Err, "probity: the dashboard of context "+printable.Quote(cluster.Context)+" is served until Ctrl-C; the link opens it once, within a minute")
		if _, problem = fmt.Fprintln(streams.Out, link()); problem == nil && open {
			problem = openBrowser(ctx, link())
		}
	}})
	if _, unseen := errors.AsType[*clusterdash.UnseenError](err); unseen {
		return badInput(err)
	}
	if err = errors.Join(err, problem); err != nil {
		return failed(err)
	}
	return nil
}
