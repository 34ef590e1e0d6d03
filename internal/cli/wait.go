package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/kube/view"
	"github.com/probity-run/probity/internal/workload"
)

const waitHelp = `Wait until workloads or Pods are ready, or are as --for says: condition=NAME[=VALUE], delete, create, or jsonpath={PATH}[=VALUE] with a plain path.
Without --for a workload is ready when its rollout is complete, a Pod when it is Ready or has Succeeded. Of ConfigMaps
and Secrets write KIND/NAME or KIND NAME..., and so of all for create: what is not there yet does not say its kind.

` + whichRun + `

` + onCluster + `

Exit codes: 0 it is so; 1 it is not so in time, or there is no such object; 2 bad input, or no such run.`

// waitFlags are the flags of wait.
type waitFlags struct {
	target
	what    string
	timeout time.Duration
}

func newWait(streams Streams) *cobra.Command {
	var flags waitFlags
	cmd := &cobra.Command{
		Use:     "wait NAME...",
		Short:   "Wait until objects are ready, or gone",
		Long:    waitHelp,
		Example: "  probity wait web\n  probity wait pod/job --for=jsonpath={.status.phase}=Succeeded --timeout 1m",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return wait(cmd.Context(), streams, flags, args)
		},
	}
	flags.addCluster(cmd)
	cmd.Flags().StringVar(&flags.what, "for", "ready", "what to wait for")
	cmd.Flags().DurationVar(&flags.timeout, "timeout", 30*time.Second, "how long to wait; 0 is for ever")
	flags.completeNames(cmd)
	return cmd
}

// wait waits for all objects that arguments name.
func wait(ctx context.Context, streams Streams, flags waitFlags, args []string) error {
	var condition *kube.Condition
	if flags.what != "ready" {
		c, err := kube.ParseCondition(flags.what)
		if err != nil {
			return badInput(err)
		}
		condition = &c
	}
	s, err := flags.open(ctx, streams)
	if err != nil {
		return err
	}
	defer s.client.Close()
	return s.wait(ctx, streams, flags, condition, args)
}

// wait is [wait] in a run that was found; without a condition, until all is ready.
func (s *session) wait(ctx context.Context, streams Streams, flags waitFlags, condition *kube.Condition, args []string) error {
	all, err := s.toAwait(args, condition, flags.namespace)
	if err != nil {
		return err
	}
	for _, a := range all {
		waiting, cancel := withTimeout(ctx, flags.timeout, "waiting for "+flags.what+" of "+a.at.String())
		err := s.await(waiting, a, condition)
		cancel()
		if err != nil {
			return failed(err)
		}
		if err := printLine(streams.Out, a.at.Kind.Qualified()+"/"+a.at.Name+" condition met"); err != nil {
			return err
		}
	}
	return nil
}

// waitedFor is one thing that is waited for.
type waitedFor struct {
	at     kube.Ref
	object metav1.Object // as it was found; nil of a name that is only to be there, or of a kind that no snapshot has
}

// toAwait finds what is waited for. What is to be gone, and is, is left out.
func (s *session) toAwait(args []string, condition *kube.Condition, namespace string) (all []waitedFor, err error) {
	var problems []error
	for _, name := range withKind(args) {
		at, err := kube.ParseRef(name, namespace)
		if condition != nil && condition.Create && err != nil {
			return nil, badInput(err)
		}
		if condition != nil && (condition.Create || err == nil && !kube.InSnapshots(at.Kind)) {
			all = append(all, waitedFor{at, nil})
			continue
		}
		o, err := s.Find(name)
		if missing, ok := errors.AsType[*kube.NotFoundError](err); ok && missing.Absent && condition != nil && condition.Delete {
			continue
		}
		if err != nil {
			problems = append(problems, err)
			continue
		}
		all = append(all, waitedFor{kube.RefTo(o), o})
	}
	if len(problems) > 0 {
		return nil, failed(errors.Join(problems...))
	}
	return all, nil
}

// await waits for one thing. An object that is to be gone is the one that was found, and not one
// that has its name since.
func (s *session) await(ctx context.Context, a waitedFor, condition *kube.Condition) error {
	switch {
	case condition == nil:
		return s.awaitReady(ctx, a.object)
	case condition.Delete && a.object != nil:
		return s.client.AwaitGone(ctx, a.at, a.object.GetUID(), s.trouble)
	}
	first := true
	return kube.Await(ctx, s.client, a.at, s.trouble, func(o *map[string]any) (bool, error) {
		if o == nil {
			if first && a.object == nil && !condition.Create && !condition.Delete {
				return false, fmt.Errorf("there is no %s", a.at)
			}
			return condition.Met(nil), nil
		}
		first = false
		return condition.Met(*o), nil
	})
}

// awaitReady waits until a workload or a Pod is ready. If it is not in time, the error says why.
func (s *session) awaitReady(ctx context.Context, o metav1.Object) error {
	at := kube.RefTo(o)
	var err error
	switch o.(type) {
	case *corev1.Pod:
		err = kube.Await(ctx, s.client, at, s.trouble, func(pod *corev1.Pod) (bool, error) {
			if pod == nil {
				return false, nil
			}
			_, ready := workload.ReadySince(pod)
			return ready || pod.Status.Phase == corev1.PodSucceeded, nil
		})
	case *appsv1.Deployment:
		err = kube.Await(ctx, s.client, at, s.trouble, func(d *appsv1.Deployment) (bool, error) { return d != nil && isComplete(d), nil })
	case *appsv1.StatefulSet:
		err = kube.Await(ctx, s.client, at, s.trouble, func(d *appsv1.StatefulSet) (bool, error) { return d != nil && isComplete(d), nil })
	case *appsv1.ReplicaSet:
		err = kube.Await(ctx, s.client, at, s.trouble, func(d *appsv1.ReplicaSet) (bool, error) { return d != nil && isComplete(d), nil })
	case *appsv1.DaemonSet:
		err = kube.Await(ctx, s.client, at, s.trouble, func(d *appsv1.DaemonSet) (bool, error) { return d != nil && isComplete(d), nil })
	case *batchv1.Job:
		return fmt.Errorf("cannot wait until %s is ready: a Job completes; use --for=condition=Complete", at)
	default:
		return fmt.Errorf("cannot wait until %s is ready: wait for its workload, or use --for", at)
	}
	if err != nil && ctx.Err() != nil {
		return errors.Join(err, s.why(at))
	}
	return err
}

func isComplete(o metav1.Object) bool {
	progress, _ := workload.ProgressOf(o)
	return progress.Complete
}

// whyTime is how long it may take to find out why something is not ready.
const whyTime = 2 * time.Second

// why says why an object is not ready; nil if that is not known.
func (s *session) why(at kube.Ref) error {
	ctx, cancel := context.WithTimeout(context.Background(), whyTime)
	defer cancel()
	now, err := s.client.Snapshot(ctx, at.Namespace)
	if err != nil {
		return nil // the run is gone: the error of the wait is enough
	}
	o, err := now.Find(at.String(), at.Kind)
	if err != nil {
		return nil // it is gone
	}
	words := lastWords(ctx, s.client, now)
	var reasons []string
	for _, pod := range now.PodsOf(o) {
		if d := view.Diagnose(now, pod, words, time.Now()); d.Reason != "" {
			reasons = append(reasons, kube.RefTo(pod).String()+": "+d.Reason)
		}
	}
	if len(reasons) == 0 {
		return nil
	}
	return errors.New(strings.Join(reasons, "\n"))
}
