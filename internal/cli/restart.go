package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/workload"
)

const restartHelp = `Restart the programs of workloads or Pods, and wait until they are ready again.

A Deployment, a StatefulSet or a DaemonSet rolls, as kubectl rollout restart has it: new Pods take over, and no request is lost. The containers of one Pod are
stopped with their hooks and grace period and started again; a cluster knows no such thing. For a Service its workloads are restarted.

` + whichRun + `

` + onCluster + `

Exit codes: 0 restarted; 1 it is not ready in time, or there is no such object; 2 bad input, or no such run.`

// restartFlags are the flags of restart.
type restartFlags struct {
	target
	wait    bool
	timeout time.Duration
}

func newRestart(streams Streams) *cobra.Command {
	var flags restartFlags
	cmd := &cobra.Command{
		Use:     "restart NAME...",
		Short:   "Restart workloads or Pods",
		Long:    restartHelp,
		Example: "  probity restart web",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return restart(cmd.Context(), streams, flags, args)
		},
	}
	flags.addCluster(cmd)
	cmd.Flags().BoolVar(&flags.wait, "wait", true, "wait until they are ready again")
	cmd.Flags().DurationVar(&flags.timeout, "timeout", 0, "how long to wait; 0 is for ever")
	flags.completeNames(cmd)
	return cmd
}

// restart restarts what arguments name, and then waits for all of it.
func restart(ctx context.Context, streams Streams, flags restartFlags, args []string) error {
	s, named, err := flags.openFor(ctx, streams, args)
	if err != nil {
		return err
	}
	defer s.client.Close()
	objects, err := s.restartable(named)
	if err != nil {
		return failed(err)
	}
	for _, o := range objects {
		if at := kube.RefTo(o); at.Kind == kube.Pods && flags.isCluster() {
			return failed(fmt.Errorf("cannot restart %s: a cluster restarts no containers at will; restart its workload, or delete the Pod", at))
		}
	}
	now := time.Now()
	for i, o := range objects {
		if objects[i], err = s.restart(ctx, o, now); err != nil {
			return refused("restart", o, err)
		}
	}
	for _, o := range objects {
		if flags.wait {
			if err := s.awaitRestart(ctx, streams, o, flags.timeout); err != nil {
				return err
			}
		}
		if err := printLine(streams.Out, kube.RefTo(o).String()+" restarted"); err != nil {
			return err
		}
	}
	return nil
}

// restartable are the workloads and Pods that objects stand for, each once.
func (s *session) restartable(objects []metav1.Object) (all []metav1.Object, err error) {
	seen := map[types.UID]bool{}
	add := func(o metav1.Object) {
		if !seen[o.GetUID()] {
			seen[o.GetUID()] = true
			all = append(all, o)
		}
	}
	for _, o := range objects {
		switch at := kube.RefTo(o); at.Kind {
		case kube.Deployments, kube.StatefulSets, kube.DaemonSets:
			add(o)
		case kube.Jobs:
			return nil, fmt.Errorf("cannot restart %s: a Job runs once; delete it, and apply it again", at)
		case kube.Services:
			for _, pod := range s.PodsOf(o) {
				if owner := s.OwnerOf(pod); owner != nil {
					add(owner)
				} else {
					add(pod)
				}
			}
		case kube.Pods:
			if phase := o.(*corev1.Pod).Status.Phase; phase == corev1.PodSucceeded || phase == corev1.PodFailed {
				return nil, fmt.Errorf("cannot restart %s: it has ended for good; delete it, or save its file with a change", at)
			}
			add(o)
		default: // a ReplicaSet makes no rollouts
			for _, pod := range s.PodsOf(o) {
				add(pod)
			}
		}
	}
	if len(all) == 0 {
		return nil, errors.New("nothing is there to restart: it has no Pods")
	}
	return all, nil
}

// restart asks for a restart, and returns what it is counted from: a Pod as it was when it was
// asked, since it may have restarted by itself after it was found.
func (s *session) restart(ctx context.Context, o metav1.Object, now time.Time) (metav1.Object, error) {
	at := kube.RefTo(o)
	if at.Kind != kube.Pods {
		return o, s.client.Restart(ctx, at, now, nil)
	}
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, manifest.AnnotationRestartedAt, now.Format(time.RFC3339Nano))
	var asked corev1.Pod
	return &asked, s.client.Patch(ctx, at, "", types.MergePatchType, patch, &asked)
}

// awaitRestart waits until what was restarted is ready again.
func (s *session) awaitRestart(ctx context.Context, streams Streams, o metav1.Object, timeout time.Duration) error {
	before, ok := o.(*corev1.Pod)
	if !ok {
		return s.awaitRollout(ctx, o, timeout, streams.Err, nil)
	}
	at := kube.RefTo(o)
	ctx, cancel := withTimeout(ctx, timeout, at.String()+" is not ready again")
	defer cancel()
	err := kube.Await(ctx, s.client, at, s.trouble, func(pod *corev1.Pod) (bool, error) {
		if pod == nil || pod.UID != before.UID {
			return false, fmt.Errorf("%s was deleted", at)
		}
		_, ready := workload.ReadySince(pod)
		return ready && restarts(pod) > restarts(before), nil
	})
	if err != nil {
		return failed(err)
	}
	return nil
}

// restarts is how often the containers of a Pod were started again.
func restarts(pod *corev1.Pod) (n int) {
	for _, status := range pod.Status.ContainerStatuses {
		n += int(status.RestartCount)
	}
	return n
}
