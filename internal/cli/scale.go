package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/workload"
)

const scaleHelp = `Say how many Pods a Deployment, a StatefulSet or a ReplicaSet shall have. A file that says otherwise wins when it is saved the next time.

` + whichRun + `

` + onCluster + `

Exit codes: 0 scaled; 1 there is no such workload, or it does not have --current-replicas; 2 bad input, or no such run.`

func newScale(streams Streams) *cobra.Command {
	var t target
	var replicas, current int32
	cmd := &cobra.Command{
		Use:     "scale NAME... --replicas N",
		Short:   "Set how many Pods a workload has",
		Long:    scaleHelp,
		Example: "  probity scale web --replicas 3",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if replicas < 0 {
				return badInput(fmt.Errorf("cannot use --replicas %d: it must not be negative", replicas))
			}
			var only *int32
			if cmd.Flags().Changed("current-replicas") {
				only = &current
			}
			return scale(cmd.Context(), streams, &t, args, replicas, only)
		},
	}
	t.addCluster(cmd)
	cmd.Flags().Int32Var(&replicas, "replicas", 0, "how many Pods there shall be")
	cmd.Flags().Int32Var(&current, "current-replicas", 0, "only if there shall be so many now")
	t.completeNames(cmd, kube.Deployments, kube.StatefulSets, kube.ReplicaSets)
	if err := cmd.MarkFlagRequired("replicas"); err != nil {
		panic(err) // there is no such flag
	}
	return cmd
}

// scale sets the number of Pods of workloads; if current is not nil, of those alone that have it.
func scale(ctx context.Context, streams Streams, t *target, args []string, replicas int32, current *int32) error {
	s, objects, err := t.openFor(ctx, streams, args, kube.Deployments, kube.StatefulSets, kube.ReplicaSets)
	if err != nil {
		return err
	}
	defer s.client.Close()
	for _, o := range objects {
		if progress, _ := workload.ProgressOf(o); current != nil && progress.Desired != *current {
			return failed(fmt.Errorf("%s: expected replicas to be %d, was %d", kube.RefTo(o), *current, progress.Desired))
		}
	}
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
	for _, o := range objects {
		if err := s.client.Patch(ctx, kube.RefTo(o), "scale", types.MergePatchType, patch, nil); err != nil {
			return refused("scale", o, err)
		}
		if _, err := fmt.Fprintf(streams.Out, "%s scaled\n", named(o)); err != nil {
			return failed(err)
		}
	}
	return nil
}
