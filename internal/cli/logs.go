package cli

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"regexp"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/kube/logs"
	"github.com/probity-run/probity/internal/kube/view"
	"github.com/probity-run/probity/internal/printable"
)

const logsHelp = `Print what the containers of Services, workloads or Pods have printed, of several in the order of time, with the name of the Pod before each line.
Without a NAME it is all of the run.

With --follow it goes on, also with Pods that come later and instances that follow each other, until the run ends, the one Pod that is named is gone,
or Ctrl-C. With --probes there is a line for each attempt of a probe between the lines, as run --probes prints it: of the last 720 of each probe,
from those on that --since and --tail name.

` + whichRun + `

` + onCluster + `

Exit codes: 0 printed; 1 there is no such object, or it has no log yet; 2 bad input, or no such run.`

// logFlags are the flags of logs.
type logFlags struct {
	target
	follow     bool
	previous   bool
	timestamps bool
	probes     bool
	container  string
	grep       string
	tail       int64
	since      time.Duration
}

func newLogs(streams Streams) *cobra.Command {
	var flags logFlags
	cmd := &cobra.Command{
		Use:     "logs [NAME...]",
		Short:   "Print what containers have printed",
		Long:    logsHelp,
		Example: "  probity logs -f web\n  probity logs pod/web-7d4b9c6f5-x2x8k --previous --tail 20\n  probity logs --since 10m --grep 'error|panic'",
		RunE: func(cmd *cobra.Command, args []string) error {
			return printLogs(cmd.Context(), streams, flags, args)
		},
	}
	flags.addCluster(cmd)
	flags.addEverywhere(cmd)
	f := cmd.Flags()
	f.BoolVarP(&flags.follow, "follow", "f", false, "go on with what is printed from now on")
	f.BoolVarP(&flags.previous, "previous", "p", false, "of the instances before, which have ended")
	f.BoolVar(&flags.timestamps, "timestamps", false, "the time before each line")
	f.BoolVar(&flags.probes, "probes", false, "attempts of probes between the lines")
	f.StringVarP(&flags.container, "container", "c", "", "of this container alone")
	f.StringVar(&flags.grep, "grep", "", "only lines that match this regular expression")
	f.Int64Var(&flags.tail, "tail", -1, "how many lines from the end of each log; -1 means all")
	f.DurationVar(&flags.since, "since", 0, "only what was printed within this time, as in 5s, 2m, 3h")
	flags.completeNames(cmd)
	return cmd
}

// logPrinter prints lines of logs and attempts of probes. It is safe for concurrent use.
type logPrinter struct {
	streams    Streams
	timestamps bool
	prefixed   bool
	namespaces bool           // names of Pods have those of their namespaces before them
	grep       *regexp.Regexp // nil takes every line

	mu       sync.Mutex    // guards what follows, and that lines are whole
	attempts *attemptLines // nil without --probes
}

// printLogs prints the logs of what arguments name.
func printLogs(ctx context.Context, streams Streams, flags logFlags, args []string) error {
	p := &logPrinter{streams: streams, timestamps: flags.timestamps, namespaces: flags.everywhere}
	var err error
	switch {
	case flags.tail < -1:
		return badInput(fmt.Errorf("cannot use --tail %d: it must be -1 or more", flags.tail))
	case flags.since < 0:
		return badInput(fmt.Errorf("cannot use --since %v: it must not be negative", flags.since))
	case flags.probes && flags.isCluster():
		return badInput(errors.New("cannot use --probes with a cluster: it does not tell what a probe found, only that it failed, by Events"))
	case flags.previous && (flags.follow || flags.probes):
		return badInput(errors.New("cannot use --previous with --follow or --probes: those instances have ended"))
	case flags.grep != "":
		if p.grep, err = regexp.Compile(flags.grep); err != nil {
			return badInput(fmt.Errorf("cannot use --grep: %w", err))
		}
	}
	s, objects, err := flags.openFor(ctx, streams, args)
	if err != nil {
		return err
	}
	defer s.client.Close()
	if flags.follow && len(objects) > 1 {
		return badInput(errors.New("cannot follow several: name one, or none for all"))
	}
	pods := s.podsOf(objects)
	if err := logs.CheckContainer(pods, flags.container); err != nil {
		return failed(err)
	}
	single := len(objects) == 1 && kube.RefTo(objects[0]).Kind == kube.Pods
	p.prefixed = !single || len(pods[0].Spec.Containers)+len(pods[0].Spec.InitContainers) > 1 && flags.container == ""
	return p.read(ctx, s, objects, pods, flags)
}

// options are those of a reader.
func (f *logFlags) options() logs.Options {
	o := logs.Options{Container: f.container, Previous: f.previous}
	if f.tail >= 0 {
		o.Tail = &f.tail
	}
	if f.since > 0 {
		o.Since = time.Now().Add(-f.since)
	}
	return o
}

// read prints what there is, and then follows.
func (p *logPrinter) read(ctx context.Context, s *session, objects []metav1.Object, pods []*corev1.Pod, flags logFlags) error {
	options := flags.options()
	if flags.probes {
		p.attempts = newAttemptLines()
		if err := p.attempts.read(ctx, s.client, pods, options); err != nil {
			return failed(err)
		}
	}
	reader := logs.New(s.client, options, p.line)
	err := reader.Read(ctx, pods)
	if _, none := errors.AsType[*logs.NothingError](err); none && flags.follow {
		err = nil // there will be one
	}
	if err == nil {
		err = p.rest()
	}
	if err != nil || !flags.follow {
		return logError(err)
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	selection, err := selectionOf(objects, flags.namespace)
	if err != nil {
		return failed(err)
	}
	selection.Trouble = s.trouble
	if p.attempts != nil {
		following, cancel := context.WithCancel(ctx)
		var probes sync.WaitGroup
		probes.Go(func() { p.followAttempts(following, s.client, selection, options) })
		defer probes.Wait()
		defer cancel()
	}
	return logError(reader.Follow(ctx, selection))
}

func logError(err error) error {
	if err == nil {
		return nil
	}
	return failed(err)
}

// podsOf are the Pods of all objects, each once; without any, all.
func (s *session) podsOf(objects []metav1.Object) (pods []*corev1.Pod) {
	if len(objects) == 0 {
		for i := range s.Pods {
			pods = append(pods, &s.Pods[i])
		}
		return pods
	}
	seen := map[string]bool{}
	for _, o := range objects {
		for _, pod := range s.PodsOf(o) {
			if !seen[string(pod.UID)] {
				seen[string(pod.UID)] = true
				pods = append(pods, pod)
			}
		}
	}
	return pods
}

// selectionOf says which Pods are followed: those that belong to the one object, or all.
func selectionOf(objects []metav1.Object, namespace string) (logs.Selection, error) {
	if len(objects) == 0 {
		return logs.Selection{Namespace: namespace}, nil
	}
	o := objects[0]
	s := logs.Selection{Namespace: o.GetNamespace()}
	if kube.RefTo(o).Kind == kube.Pods {
		s.One, s.Options.FieldSelector = true, fields.OneTermEqualSelector("metadata.name", o.GetName()).String()
		return s, nil
	}
	selector, err := view.SelectorOf(o)
	if err != nil {
		return s, err
	}
	s.Options.LabelSelector = selector.String()
	return s, nil
}

// line prints a line of a log.
func (p *logPrinter) line(line logs.Line) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.printAttempts(p.attempts.until(line.Time)); err != nil {
		return err
	}
	if p.grep != nil && !p.grep.MatchString(line.Text) {
		return nil
	}
	text := line.Text + "\n"
	if p.timestamps {
		text = line.Time.Format(time.RFC3339Nano) + " " + text
	}
	if p.prefixed {
		prefix := line.Pod.Name
		if p.namespaces {
			prefix = line.Pod.Namespace + "/" + prefix
		}
		if len(line.Pod.Spec.Containers)+len(line.Pod.Spec.InitContainers) > 1 {
			prefix += "/" + line.Container
		}
		text = printable.Line(prefix) + " | " + text
	}
	_, err := p.streams.Out.Write([]byte(text))
	return err
}

// rest prints the attempts that came after the last line.
func (p *logPrinter) rest() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.printAttempts(p.attempts.until(time.Now()))
}

// printAttempts prints lines of probes. It is called under the lock.
func (p *logPrinter) printAttempts(attempts []string) error {
	for _, text := range attempts {
		if err := printLine(p.streams.Out, text); err != nil {
			return err
		}
	}
	return nil
}
