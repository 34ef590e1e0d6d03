package cli

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/deploy"
	"github.com/probity-run/probity/internal/formats"
	"github.com/probity-run/probity/internal/kube"
)

const deployHelp = `Bring the objects of manifests to a cluster, and follow the rollout until it is up, or until it is clear why it is not.

FILE is a manifest, a folder, or - for standard input. The cluster is the one that kubectl would take: $KUBECONFIG, else ~/.kube/config, and its
current context. First probity check judges the files; a finding of the severity of --fail-on or worse stops everything. Then the server is asked
what it would make of every object (a dry run), so what it refuses is told before anything is sent. Then the objects are applied, by server-side
apply with the field manager probity, in an order that works: namespaces and definitions first, what Pods read before Pods.

A field that somebody else keeps, such as the replicas of an autoscaler, is a conflict: leave it out of the file, or take it with
--force-conflicts. What belongs to Helm, Argo CD, Flux, another set or an owner is refused unless --adopt says so.

A ConfigMap or Secret that changes restarts nobody who reads it, and a line says so. With --restart-on-config a hash of what it reads of the set is
part of each Pod template (probity.run/config), so that it rolls out.

A Job with the annotation probity.run/before: "true" has to finish before the workloads of the set are applied: a migration, say. If it fails, nothing
after it is applied, and the exit code is 1; --wait=false waits for it, too.

The objects are a set, by the name of the first file, in the namespace; to prune with those of standard input, name it with --set. It is noted in a Secret, probity.NAME, in the format of ApplySets. With
--prune, what an earlier deployment of the set had applied, and this one has not, is listed, asked about, and deleted once the rollout is up; never
Namespaces, CustomResourceDefinitions, volumes, objects with an owner, and what is annotated with probity.run/keep.

With --undo-on-failure what was before comes back if the rollout fails, and is followed until it serves again. It is kept on this machine meanwhile, in
a file of this user's, so that after an interruption probity deploy --undo FILE... brings it back.

--diff and --dry-run=server change nothing. Ctrl-C while objects are applied ends after the request that is in flight, and tells which objects are
applied, not applied, or unknown; while the rollout is watched, it stops the watching, not the rollout.

Exit codes: 0 all is up (with --diff: nothing would change); 1 it failed, and why is told (with --diff: something would change); 2 nothing was
sent: bad input, a finding, a refusal, no answer; 3 not known: interrupted, the server was lost, or the time was over while nothing was wrong.`

// deployFlags are the flags of deploy.
type deployFlags struct {
	config                      kube.Config
	failOn, dryRun, set, output string
	force, diff, prune, yes     bool
	noSet, wait, strip, adopt   bool
	undo, undoOnFailure         bool
	restartOnConfig, judge      bool
	timeout                     time.Duration
}

func newDeploy(streams Streams) *cobra.Command {
	var flags deployFlags
	cmd := &cobra.Command{
		Use:     "deploy FILE...",
		Short:   "Bring manifests to a cluster, and watch their probes come up",
		Long:    deployHelp,
		Example: "  probity deploy app.yaml\n  probity deploy app.yaml --context prod -n shop --diff\n  probity deploy app.yaml --undo",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop) // a second signal ends the program
			return runDeploy(ctx, streams, flags, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.config.Context, "context", "", "context of the kubeconfig (default: its current one)")
	addKubeconfig(cmd, &flags.config.Kubeconfig)
	f.StringVarP(&flags.config.Namespace, "namespace", "n", "", "namespace of objects that name none (default: that of the context); one that names another is refused")
	f.StringVar(&flags.failOn, "fail-on", advisor.Outage.String(), "least severity of a finding of check that stops the deployment: outage, risk, waste, style")
	f.BoolVar(&flags.judge, "check", true, "judge the files first, as probity check does; --check=false passes over what it would find")
	f.BoolVar(&flags.force, "force-conflicts", false, "take fields that others keep")
	f.BoolVar(&flags.adopt, "adopt", false, "take objects that another tool, set or owner has")
	f.StringVar(&flags.dryRun, "dry-run", "", "server: ask what would be done, and do nothing")
	f.BoolVar(&flags.diff, "diff", false, "print what would change, and change nothing")
	f.BoolVar(&flags.prune, "prune", false, "delete what an earlier deployment of the set had applied and this one has not")
	f.BoolVar(&flags.yes, "yes", false, "prune without asking")
	f.StringVar(&flags.set, "set", "", "name of the set (default: that of the first file, or of its folder if that is one)")
	f.BoolVar(&flags.noSet, "no-set", false, "do not note what belongs together")
	f.BoolVar(&flags.wait, "wait", true, "follow the rollout to its end")
	f.DurationVar(&flags.timeout, "timeout", 15*time.Minute, "how long to follow it")
	f.BoolVar(&flags.strip, "strip", false, "leave out annotations of probity.run")
	f.BoolVar(&flags.restartOnConfig, "restart-on-config", false, "restart what reads a ConfigMap or Secret of the set that changes")
	f.BoolVar(&flags.undoOnFailure, "undo-on-failure", false, "bring back what was before if the rollout fails, and keep it for --undo if this is interrupted")
	f.BoolVar(&flags.undo, "undo", false, "bring back what was before an interrupted deployment with --undo-on-failure, and do nothing else")
	f.StringVarP(&flags.output, "output", "o", "", "json: one object a line (default: text for people)")
	return cmd
}

// check refuses flags that speak against each other.
func (f *deployFlags) check() error {
	switch {
	case f.output != "" && f.output != "json":
		return fmt.Errorf("cannot print %q: --output takes json", f.output)
	case f.dryRun != "" && f.dryRun != "server" && f.dryRun != "none":
		return fmt.Errorf("cannot do a dry run %q: --dry-run takes server; for what check and render say without one, use these", f.dryRun)
	case f.noSet && (f.prune || f.set != ""):
		return errors.New("--no-set leaves nothing to name or to prune: leave out --prune and --set")
	case f.prune && !f.wait:
		return errors.New("--prune deletes once the rollout is up: leave out --wait=false")
	case f.undoOnFailure && !f.wait:
		return errors.New("--undo-on-failure needs to know how the rollout ends: leave out --wait=false")
	case f.undo && (f.undoOnFailure || f.prune || f.diff || f.dryRun != ""):
		return errors.New("--undo brings back what was, and does nothing else: leave out the other flags")
	case f.timeout <= 0:
		return errors.New("--timeout has to be positive")
	}
	return nil
}

// setName is the name of the set that files make, whether it is noted or not.
func (f *deployFlags) setName(args []string) (string, error) {
	name := f.set
	if name == "" {
		path, err := filepath.Abs(args[0])
		if err != nil {
			return "", err
		}
		name = filepath.Base(path)
		name = strings.ToLower(strings.TrimSuffix(name, filepath.Ext(name)))
		if args[0] == "-" && f.prune {
			return "", errors.New("whatever comes from standard input would be the same set, and --prune would delete what came before: name it with --set")
		}
		if args[0] == "-" {
			name = "stdin"
		}
	}
	if f.noSet {
		return name, nil // it is no name of an object
	}
	if err := deploy.ValidSet(name); err != nil {
		return "", fmt.Errorf("%w: name it with --set", err)
	}
	return name, nil
}

// readSet reads manifests, and the objects in them. The manifests are there if only some of these
// cannot be sent.
func readSet(streams Streams, strip bool, args []string) ([]*deploy.Object, *advisor.Manifests, error) {
	manifests, err := advisor.ReadFormats(formats.All(formats.Options{Named: args, Together: true}), streams.In, nil, args...)
	if err != nil {
		return nil, nil, err
	}
	sayConversions(streams.Err, manifests)
	objects, err := deploy.Objects(manifests)
	if err != nil {
		return nil, manifests, err
	}
	if strip {
		for _, o := range objects {
			deploy.Strip(o)
		}
	}
	return objects, manifests, nil
}
