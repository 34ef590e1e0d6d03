package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/kube/view"
	"github.com/probity-run/probity/internal/workload"
)

const waitHelp = `Wait until workloads or Pods are ready, or are as --for says: condition=NAME[=VALUE], delete, create, or jsonpath={PATH}[=VALUE] with a plain path.
Without --for a workload is ready when its rollout is complete, a Pod when it is Ready or has Succeeded. For create write KIND/NAME.

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
	if condition != nil && condition.Create {
		return s.waitForAll(ctx, streams, flags, condition, nil, args)
	}
	objects, err := s.findAll(args)
	if _, missing := errors.AsType[*kube.NotFoundError](err); missing && condition != nil && condition.Delete {
		return nil // it is gone already
	}
	if err != nil {
		return err
	}
	return s.waitForAll(ctx, streams, flags, condition, objects, args)
}

// waitForAll waits for objects, or for those that are not there yet.
func (s *session) waitForAll(ctx context.Context, streams Streams, flags waitFlags, condition *kube.Condition, objects []metav1.Object, args []string) error {
	var all []kube.Ref
	for _, o := range objects {
		all = append(all, kube.RefTo(o))
	}
	if objects == nil {
		for _, name := range withKind(args) {
			at, err := kube.ParseRef(name, flags.namespace)
			if err != nil {
				return badInput(err)
			}
			all = append(all, at)
		}
	}
	for i, at := range all {
		var err error
		waiting, cancel := withTimeout(ctx, flags.timeout, "waiting for "+flags.what+" of "+at.String())
		if condition != nil {
			err = kube.Await(waiting, s.client, at, func(o *map[string]any) (bool, error) {
				if o == nil {
					return condition.Met(nil), nil
				}
				return condition.Met(*o), nil
			})
		} else {
			err = s.awaitReady(waiting, objects[i])
		}
		cancel()
		if err != nil {
			return failed(err)
		}
		if err := printLine(streams.Out, at.Kind.Qualified()+"/"+at.Name+" condition met"); err != nil {
			return err
		}
	}
	return nil
}

// awaitReady waits until a workload or a Pod is ready. If it is not in time, the error says why.
func (s *session) awaitReady(ctx context.Context, o metav1.Object) error {
	at := kube.RefTo(o)
	var err error
	switch o.(type) {
	case *corev1.Pod:
		err = kube.Await(ctx, s.client, at, func(pod *corev1.Pod) (bool, error) {
			if pod == nil {
				return false, nil
			}
			_, ready := workload.ReadySince(pod)
			return ready || pod.Status.Phase == corev1.PodSucceeded, nil
		})
	case *appsv1.Deployment:
		err = kube.Await(ctx, s.client, at, func(d *appsv1.Deployment) (bool, error) { return d != nil && isComplete(d), nil })
	case *appsv1.StatefulSet:
		err = kube.Await(ctx, s.client, at, func(d *appsv1.StatefulSet) (bool, error) { return d != nil && isComplete(d), nil })
	case *appsv1.ReplicaSet:
		err = kube.Await(ctx, s.client, at, func(d *appsv1.ReplicaSet) (bool, error) { return d != nil && isComplete(d), nil })
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
