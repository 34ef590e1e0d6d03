package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/kube/view"
)

const rolloutHelp = `Follow a rollout, or take one back.`

func newRollout(streams Streams) *cobra.Command {
	cmd := &cobra.Command{Use: "rollout", Short: "Follow a rollout, or take one back", Long: rolloutHelp, Args: cobra.NoArgs, RunE: needsSubcommand}
	cmd.AddCommand(newRolloutStatus(streams), newRolloutUndo(streams))
	return cmd
}

// needsSubcommand refuses a command that is only a group of others.
func needsSubcommand(cmd *cobra.Command, _ []string) error {
	return fmt.Errorf("write a command after %s: see %s --help", cmd.CommandPath(), cmd.CommandPath())
}

const rolloutStatusHelp = `Follow the rollout of a Deployment, a StatefulSet or a DaemonSet to its end, in the words of kubectl rollout status.

` + whichRun + `

` + onCluster + `

Exit codes: 0 rolled out; 1 it cannot come to its end, is not there in time, or there is no such workload; 2 bad input, or no such run.`

func newRolloutStatus(streams Streams) *cobra.Command {
	var t target
	var watch bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:     "status NAME",
		Short:   "Follow a rollout to its end",
		Long:    rolloutStatusHelp,
		Example: "  probity rollout status web --timeout 1m",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return rolloutStatus(cmd.Context(), streams, &t, args, watch, timeout)
		},
	}
	t.addCluster(cmd)
	cmd.Flags().BoolVarP(&watch, "watch", "w", true, "wait for the end")
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "how long to wait; 0 is for ever")
	t.completeNames(cmd, rolling()...)
	return cmd
}

// rolloutStatus prints each step of a rollout.
func rolloutStatus(ctx context.Context, streams Streams, t *target, args []string, watch bool, timeout time.Duration) error {
	s, objects, err := t.openFor(ctx, streams, args, rolling()...)
	if err != nil {
		return err
	}
	defer s.client.Close()
	if !watch {
		text, _, err := view.RolloutStatus(objects[0])
		if err != nil {
			return failed(err)
		}
		return printLine(streams.Out, text)
	}
	return s.awaitRollout(ctx, objects[0], timeout, streams.Out, streams.Out)
}

// rolling are the kinds that have rollouts.
func rolling() []kube.Kind { return []kube.Kind{kube.Deployments, kube.StatefulSets, kube.DaemonSets} }

// awaitRollout follows a rollout to its end. Its steps are printed to one writer, its end to
// another, which may be nil.
func (s *session) awaitRollout(ctx context.Context, workload metav1.Object, timeout time.Duration, steps, end io.Writer) error {
	at := kube.RefTo(workload)
	ctx, cancel := withTimeout(ctx, timeout, "the rollout of "+at.String()+" is not at its end")
	defer cancel()
	last := ""
	look := func(o metav1.Object) (bool, error) {
		text, done, err := view.RolloutStatus(o)
		switch {
		case err != nil:
			return false, err
		case done && end == nil:
			return true, nil
		case done:
			return true, printLine(end, text)
		case text != last:
			last = text
			return false, printLine(steps, text)
		}
		return false, nil
	}
	gone := fmt.Errorf("%s was deleted", at)
	var err error
	switch at.Kind {
	case kube.StatefulSets:
		err = kube.Await(ctx, s.client, at, s.trouble, func(o *appsv1.StatefulSet) (bool, error) {
			if o == nil {
				return false, gone
			}
			return look(o)
		})
	case kube.DaemonSets:
		err = kube.Await(ctx, s.client, at, s.trouble, func(o *appsv1.DaemonSet) (bool, error) {
			if o == nil {
				return false, gone
			}
			return look(o)
		})
	default:
		err = kube.Await(ctx, s.client, at, s.trouble, func(o *appsv1.Deployment) (bool, error) {
			if o == nil {
				return false, gone
			}
			return look(o)
		})
	}
	if err != nil {
		return failed(err)
	}
	return nil
}

// withTimeout is a context that is done after a time, unless that is 0. Its cause says what is not
// so then.
func withTimeout(ctx context.Context, timeout time.Duration, what string) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, timeout, fmt.Errorf("timed out after %v: %s", timeout, what))
}

// printLine prints a line.
func printLine(to io.Writer, text string) error {
	if _, err := fmt.Fprintln(to, text); err != nil {
		return failed(err)
	}
	return nil
}

const rolloutUndoHelp = `Roll a Deployment, a StatefulSet or a DaemonSet back to the template that it had before, or to that of --to-revision, and return. A file that says otherwise
wins when it is saved the next time.

` + whichRun + `

` + onCluster + `

Exit codes: 0 it is being rolled back, or has that template already; 1 there is no such workload or revision; 2 bad input, or no such run.`

func newRolloutUndo(streams Streams) *cobra.Command {
	var t target
	var revision int64
	cmd := &cobra.Command{
		Use:     "undo NAME",
		Short:   "Roll back to the template before",
		Long:    rolloutUndoHelp,
		Example: "  probity rollout undo web",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if revision < 0 {
				return badInput(errors.New("cannot use a negative --to-revision"))
			}
			return rolloutUndo(cmd.Context(), streams, &t, args, revision)
		},
	}
	t.addCluster(cmd)
	cmd.Flags().Int64Var(&revision, "to-revision", 0, "number of the revision; 0 is the one before")
	t.completeNames(cmd, rolling()...)
	return cmd
}

// rolloutUndo brings an older template back.
func rolloutUndo(ctx context.Context, streams Streams, t *target, args []string, revision int64) error {
	s, objects, err := t.openFor(ctx, streams, args, rolling()...)
	if err != nil {
		return err
	}
	defer s.client.Close()
	same, err := s.client.Undo(ctx, s.Snapshot, objects[0], revision)
	switch {
	case err != nil:
		return refused("roll back", objects[0], err)
	case same:
		return printLine(streams.Out, fmt.Sprintf("%s skipped rollback (current template already matches revision %d)", named(objects[0]), revision))
	}
	return printLine(streams.Out, named(objects[0])+" rolled back")
}
