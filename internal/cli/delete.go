package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
)

const deleteHelp = `Delete Services, workloads or Pods, and wait until they are gone: their hooks run, and their programs have their grace periods. A workload makes
another Pod in the place of one that is deleted. The run goes on, also when nothing is left; probity stop ends it.

` + whichRun + `

` + onCluster + `

Exit codes: 0 deleted; 1 there is no such object, or it is not gone in time; 2 bad input, or no such run.`

// deleteFlags are the flags of delete.
type deleteFlags struct {
	target
	grace   int64
	now     bool
	wait    bool
	timeout time.Duration
}

func newDelete(streams Streams) *cobra.Command {
	var flags deleteFlags
	cmd := &cobra.Command{
		Use:     "delete NAME...",
		Short:   "Delete Services, workloads or Pods",
		Long:    deleteHelp,
		Example: "  probity delete pod web-7d4b9c6f5-x2x8k\n  probity delete deployment/web service/web",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return deleteObjects(cmd.Context(), streams, flags, args)
		},
	}
	flags.addCluster(cmd)
	cmd.Flags().Int64Var(&flags.grace, "grace-period", -1, "seconds that programs have to end; 0 kills them; -1 means what their Pods say")
	cmd.Flags().BoolVar(&flags.now, "now", false, "the same as --grace-period=1")
	cmd.Flags().BoolVar(&flags.wait, "wait", true, "wait until they are gone")
	cmd.Flags().DurationVar(&flags.timeout, "timeout", 0, "how long to wait; 0 is for ever")
	flags.completeNames(cmd)
	return cmd
}

// deleteObjects deletes what arguments name.
func deleteObjects(ctx context.Context, streams Streams, flags deleteFlags, args []string) error {
	if flags.now && flags.grace >= 0 {
		return badInput(fmt.Errorf("--now and --grace-period both say how long programs have: leave one out"))
	}
	s, objects, err := flags.openFor(ctx, streams, args)
	if err != nil {
		return err
	}
	defer s.client.Close()
	if flags.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, flags.timeout)
		defer cancel()
	}
	for _, o := range objects {
		if err := s.client.Delete(ctx, kube.RefTo(o), flags.options(o)); err != nil {
			return refused("delete", o, err)
		}
		if err := printDeleted(streams, o); err != nil {
			return err
		}
	}
	for _, o := range objects {
		if !flags.wait {
			break
		}
		if err := s.client.AwaitGone(ctx, kube.RefTo(o), o.GetUID(), s.trouble); err != nil {
			return refused("wait until it is gone:", o, err)
		}
	}
	return nil
}

// options are those of one object: the one that was found, and not one that has its name since.
func (f *deleteFlags) options(o metav1.Object) metav1.DeleteOptions {
	options := metav1.DeleteOptions{
		TypeMeta:      metav1.TypeMeta{APIVersion: "v1", Kind: "DeleteOptions"},
		Preconditions: &metav1.Preconditions{UID: new(o.GetUID())}, PropagationPolicy: new(metav1.DeletePropagationBackground),
	}
	if f.now {
		options.GracePeriodSeconds = new(int64(1))
	} else if f.grace >= 0 {
		options.GracePeriodSeconds = &f.grace
	}
	return options
}

// printDeleted says it as kubectl does.
func printDeleted(streams Streams, o metav1.Object) error {
	at := kube.RefTo(o)
	from := ""
	if at.Namespace != corev1.NamespaceDefault {
		from = " from " + at.Namespace + " namespace"
	}
	if _, err := fmt.Fprintf(streams.Out, "%s %q deleted%s\n", at.Kind.Qualified(), at.Name, from); err != nil {
		return failed(err)
	}
	return nil
}
