package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/kube/view"
)

const describeHelp = `Say what Services, workloads or Pods are and how they are: of a Pod why it is as it is, what follows and what to do next, its containers, what its
probes ask and found last; of others which Pods they have; and what happened to them. kubectl describe prints the fields.

` + whichRun + `

` + onCluster + `

Exit codes: 0 said; 1 there is no such object; 2 bad input, or no such run.`

func newDescribe(streams Streams) *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:     "describe NAME...",
		Short:   "Say how an object is, why, and what to do next",
		Long:    describeHelp,
		Example: "  probity describe web\n  probity describe pod web-7d4b9c6f5-x2x8k",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return describe(cmd.Context(), streams, &t, args)
		},
	}
	t.addCluster(cmd)
	t.completeNames(cmd)
	return cmd
}

// describe prints what there is to say of objects.
func describe(ctx context.Context, streams Streams, t *target, args []string) error {
	s, objects, err := t.openFor(ctx, streams, args)
	if err != nil {
		return err
	}
	defer s.client.Close()
	var list corev1.EventList
	if err := s.client.List(ctx, kube.Events, t.namespace, metav1.ListOptions{}, &list); err != nil {
		return t.unasked(err)
	}
	words := lastWords(ctx, s.client, s.Snapshot)
	for i, o := range objects {
		d := view.Description{Snapshot: s.Snapshot, Object: o, Words: words, Now: time.Now(), Width: widthOf(streams)}
		d.Events = view.Select(list.Items, func(e *corev1.Event) bool { return e.InvolvedObject.UID == o.GetUID() })
		text := d.Text()
		if i > 0 {
			text = "\n" + text
		}
		if _, err := fmt.Fprint(streams.Out, text); err != nil {
			return failed(err)
		}
	}
	return nil
}
