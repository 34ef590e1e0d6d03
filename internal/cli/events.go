package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/kube/view"
)

const eventsHelp = `Print the Events of a run, the newest last: of all, or of the objects that are named, those of a workload's Pods included.

` + whichRun + `

` + onCluster + `

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
	flags.addCluster(cmd)
	flags.addEverywhere(cmd)
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
	s, objects, err := flags.openFor(ctx, streams, args)
	if err != nil {
		return err
	}
	defer s.client.Close()
	return s.events(ctx, streams, flags, objects)
}

// events is [events] in a run that was found, about objects or all.
func (s *session) events(ctx context.Context, streams Streams, flags eventFlags, objects []metav1.Object) error {
	family := kube.NewFamily(objects, s.Snapshot)
	var list corev1.EventList
	if err := s.client.List(ctx, kube.Events, flags.namespace, metav1.ListOptions{}, &list); err != nil {
		return flags.unasked(err)
	}
	isNew := func(e corev1.Event) bool { _, known := family.Has(e.InvolvedObject); return !known }
	if slices.ContainsFunc(list.Items, isNew) { // it came after the snapshot, or is gone
		now, err := s.client.Snapshot(ctx, flags.namespace)
		if err != nil {
			return flags.unasked(err)
		}
		family.LearnAll(now)
	}
	selected := view.Select(list.Items, func(e *corev1.Event) bool {
		belongs, _ := family.Has(e.InvolvedObject)
		return flags.takes(e) && belongs
	})
	if flags.output != "" {
		return printAs(streams, flags.output, selectedEvents{metav1.TypeMeta{APIVersion: "v1", Kind: "EventList"}, list.ListMeta, selected})
	}
	if len(selected) == 0 && !flags.watch {
		return printLine(streams.Err, "No events found.")
	}
	table := view.EventTable{Namespaces: flags.everywhere}
	if len(selected) > 0 {
		if _, err := fmt.Fprint(streams.Out, table.Rows(selected, time.Now(), widthOf(streams))); err != nil {
			return failed(err)
		}
	}
	if !flags.watch {
		return nil
	}
	f := &eventFollower{streams: streams, flags: flags, family: family, table: table, hearing: hearing{streams: streams}}
	f.waiting = view.Select(list.Items, func(e *corev1.Event) bool { return flags.takes(e) && isNew(*e) })
	return f.run(ctx, s, &list)
}

// takes reports whether Events of a type are wanted.
func (f *eventFlags) takes(e *corev1.Event) bool {
	return len(f.types) == 0 || slices.Contains(f.types, e.Type)
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
