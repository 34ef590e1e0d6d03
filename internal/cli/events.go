package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/kube/view"
)

const eventsHelp = `Print the Events of a run, the newest last: of all, or of the objects that are named, those of a workload's Pods included.

` + whichRun + `

Exit codes: 0 printed; 1 there is no such object; 2 bad input, or no such run.`

// eventFlags are the flags of events.
type eventFlags struct {
	target
	watch  bool
	types  []string
	output string
}

func newEvents(streams Streams) *cobra.Command {
	var flags eventFlags
	cmd := &cobra.Command{
		Use:     "events [NAME...]",
		Short:   "Print what happened",
		Long:    eventsHelp,
		Example: "  probity events web\n  probity events --types Warning -w",
		RunE: func(cmd *cobra.Command, args []string) error {
			return events(cmd.Context(), streams, flags, args)
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVarP(&flags.watch, "watch", "w", false, "go on with those that come, until the run ends")
	cmd.Flags().StringSliceVar(&flags.types, "types", nil, "Normal or Warning (default: both)")
	addOutput(cmd, &flags.output)
	flags.completeNames(cmd)
	return cmd
}

// events prints the Events that are asked for.
func events(ctx context.Context, streams Streams, flags eventFlags, args []string) error {
	if err := errors.Join(checkOutput(flags.output), checkTypes(flags.types)); err != nil {
		return badInput(err)
	}
	if flags.watch && flags.output != "" {
		return badInput(errors.New("cannot use --watch with --output: kubectl get events -w -o json does that"))
	}
	s, err := flags.open(ctx, streams)
	if err != nil {
		return err
	}
	defer s.client.Close()
	objects, err := s.findAll(args)
	if err != nil {
		return err
	}
	about := s.about(objects)
	var list corev1.EventList
	if err := s.client.List(ctx, kube.Events, flags.namespace, metav1.ListOptions{}, &list); err != nil {
		return failed(err)
	}
	wanted := func(e *corev1.Event) bool {
		return (about == nil || about[e.InvolvedObject.UID]) && (len(flags.types) == 0 || slices.Contains(flags.types, e.Type))
	}
	selected := view.Select(list.Items, wanted)
	if flags.output != "" {
		return printAs(streams, flags.output, selectedEvents{metav1.TypeMeta{APIVersion: "v1", Kind: "EventList"}, list.ListMeta, selected})
	}
	text := view.Events(selected, time.Now(), widthOf(streams))
	if len(selected) == 0 {
		text = ""
		if !flags.watch {
			return printLine(streams.Err, "No events found.")
		}
	}
	if _, err := fmt.Fprint(streams.Out, text); err != nil {
		return failed(err)
	}
	if !flags.watch {
		return nil
	}
	return watchEvents(ctx, streams, s.client, flags.namespace, list.ResourceVersion, wanted)
}

// selectedEvents are some of the Events of a list, as a list.
type selectedEvents struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []*corev1.Event `json:"items"`
}

func checkTypes(types []string) error {
	for _, t := range types {
		if t != corev1.EventTypeNormal && t != corev1.EventTypeWarning {
			return fmt.Errorf("cannot use --types %s: it takes Normal and Warning", t)
		}
	}
	return nil
}

// about are the objects whose Events somebody wants who names some: those, their Pods, and the
// ReplicaSets between. It is nil for all.
func (s *session) about(objects []metav1.Object) map[types.UID]bool {
	if len(objects) == 0 {
		return nil
	}
	about := map[types.UID]bool{}
	for _, o := range objects {
		about[o.GetUID()] = true
		for _, pod := range s.PodsOf(o) {
			about[pod.UID] = true
		}
		for i := range s.ReplicaSets {
			if metav1.IsControlledBy(&s.ReplicaSets[i], o) {
				about[s.ReplicaSets[i].UID] = true
			}
		}
	}
	return about
}

// watchEvents prints Events as they come, until the run ends.
func watchEvents(ctx context.Context, streams Streams, client *kube.Client, namespace, version string, wanted func(*corev1.Event) bool) error {
	options := metav1.ListOptions{ResourceVersion: version}
	for change, err := range kube.Watch[corev1.Event](ctx, client, kube.Events, namespace, options) {
		switch {
		case apierrors.IsResourceExpired(err):
			return failed(errors.New("more Events came than could be followed: ask again"))
		case err != nil:
			return failed(err)
		case change.Type == watch.Deleted || !wanted(&change.Object):
			continue
		}
		text := view.Events([]*corev1.Event{&change.Object}, time.Now(), widthOf(streams))
		_, row, _ := strings.Cut(text, "\n") // without the names of the columns
		if _, err := fmt.Fprint(streams.Out, row); err != nil {
			return failed(err)
		}
	}
	return nil
}
