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
	about := newAbout(s, objects)
	var list corev1.EventList
	if err := s.client.List(ctx, kube.Events, flags.namespace, metav1.ListOptions{}, &list); err != nil {
		return failed(err)
	}
	isType := func(e *corev1.Event) bool { return len(flags.types) == 0 || slices.Contains(flags.types, e.Type) }
	selected := view.Select(list.Items, func(e *corev1.Event) bool { return isType(e) && about.has(e) })
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
	return watchEvents(ctx, streams, s.client, flags.namespace, list.ResourceVersion, func(e *corev1.Event) bool {
		return isType(e) && about.hasNew(ctx, e)
	})
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
// ReplicaSets between.
type about struct {
	session *session
	named   []metav1.Object
	known   map[types.UID]bool // whether an object is one of them; nil for all
}

// newAbout begins with what there is.
func newAbout(s *session, named []metav1.Object) *about {
	a := &about{session: s, named: named}
	if len(named) > 0 {
		a.known = map[types.UID]bool{}
		a.learn(s.Snapshot)
	}
	return a
}

// learn notes what belongs to the named objects.
func (a *about) learn(now *kube.Snapshot) {
	for _, o := range a.named {
		a.known[o.GetUID()] = true
		for _, pod := range now.PodsOf(o) {
			a.known[pod.UID] = true
		}
		for i := range now.ReplicaSets {
			if metav1.IsControlledBy(&now.ReplicaSets[i], o) {
				a.known[now.ReplicaSets[i].UID] = true
			}
		}
	}
}

// has reports whether an Event of those that there were at first is wanted.
func (a *about) has(e *corev1.Event) bool { return a.known == nil || a.known[e.InvolvedObject.UID] }

// hasNew is has of one that comes: what it is about may have come, too, and is looked for once.
func (a *about) hasNew(ctx context.Context, e *corev1.Event) bool {
	if _, judged := a.known[e.InvolvedObject.UID]; a.known == nil || judged {
		return a.has(e)
	}
	a.known[e.InvolvedObject.UID] = false
	if now, err := a.session.client.Snapshot(ctx, e.InvolvedObject.Namespace); err == nil { // else the watch says what there is to say
		a.learn(now)
	}
	return a.has(e)
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
