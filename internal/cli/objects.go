package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
)

// session is a client of a run, and what there was when the command began.
type session struct {
	client *kube.Client
	*kube.Snapshot
	trouble func(error) // as [kube.Await] takes it
}

// open connects with the run that a command is about, and reads what it has. The caller closes the
// client.
func (t *target) open(ctx context.Context, streams Streams) (*session, error) {
	client, err := t.connect(ctx, streams)
	if err != nil {
		return nil, err
	}
	s, err := t.snapshot(ctx, client)
	if err != nil {
		client.Close()
		return nil, err
	}
	return &session{client, s, t.trouble(streams)}, nil
}

// openFor is open for a command about objects, which it finds: those that arguments name, each
// once.
func (t *target) openFor(ctx context.Context, streams Streams, args []string, kinds ...kube.Kind) (*session, []metav1.Object, error) {
	s, err := t.open(ctx, streams)
	if err != nil {
		return nil, nil, err
	}
	objects, err := s.findAll(args, kinds...)
	if err != nil {
		s.client.Close()
		return nil, nil, err
	}
	return s, objects, nil
}

// snapshot reads what there is.
func (t *target) snapshot(ctx context.Context, client *kube.Client) (*kube.Snapshot, error) {
	s, err := client.Snapshot(ctx, t.namespace)
	if err != nil {
		return nil, t.unasked(err)
	}
	if t.isCluster() {
		s.Flags, s.Everywhere = t.flags(), t.everywhere
		if isPlugin(t.cmd) {
			s.Program = pluginName
		}
	}
	return s, nil
}

// findAll finds the objects that arguments name, each once.
func (s *session) findAll(args []string, kinds ...kube.Kind) ([]metav1.Object, error) {
	var all []metav1.Object
	var problems []error
	for _, name := range withKind(args) {
		o, err := s.Find(name, kinds...)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		all = append(all, o)
	}
	if len(problems) > 0 {
		return nil, failed(errors.Join(append(problems, unseenError(s.Snapshot))...))
	}
	return all, nil
}

// unseenError names the kinds that a server lets nobody list who has these credentials: what is not
// found may be one of these. nil if there are none.
func unseenError(s *kube.Snapshot) error {
	if len(s.Unseen) == 0 {
		return nil
	}
	var kinds []string
	for _, kind := range s.Unseen {
		kinds = append(kinds, kind.Plural)
	}
	return fmt.Errorf("not seen: %s (forbidden)", strings.Join(kinds, ", "))
}

// withKind puts a kind that is given as the first of several arguments before each of the others:
// pod a b means pod/a and pod/b.
func withKind(args []string) []string {
	if len(args) < 2 || strings.Contains(args[0], "/") {
		return args
	}
	kind, ok := kube.ParseKind(args[0])
	if !ok {
		return args
	}
	var names []string
	for _, name := range args[1:] {
		names = append(names, kind.Singular+"/"+name)
	}
	return names
}

// named is how kubectl names an object in what it did: deployment.apps/web.
func named(o metav1.Object) string {
	at := kube.RefTo(o)
	return at.Kind.Qualified() + "/" + at.Name
}

// refused is the error of something that a server did not do.
func refused(what string, o metav1.Object, err error) error {
	if status, ok := errors.AsType[*apierrors.StatusError](err); ok && !apierrors.IsUnauthorized(err) {
		err = errors.New(status.ErrStatus.Message)
	}
	return failed(fmt.Errorf("cannot %s %s: %w", what, kube.RefTo(o), err))
}
