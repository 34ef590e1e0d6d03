package survey

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
)

// space is a namespace, and what may be read in it.
type space struct {
	name   string
	access *kube.Access
}

// denied are the kinds that may not be read: of all namespaces, or of some of them.
type denied struct {
	all  []string
	some []string            // kinds that were asked for namespace by namespace
	wide bool                // other kinds were read of all namespaces
	in   map[string][]string // by namespace
}

// has reports whether a kind may not be read in a namespace.
func (d *denied) has(plural, namespace string) bool {
	return slices.Contains(d.all, plural) || slices.Contains(d.in[namespace], plural)
}

// maxNamed is how many namespaces are named.
const maxNamed = 10

// words tell what may not be read: namespaces of which that is all that was asked for, and kinds of
// others.
func (d *denied) words() (texts []string) {
	var whole []string
	for name, kinds := range d.in {
		if len(kinds) == len(d.some) && !d.wide {
			whole = append(whole, name)
		}
	}
	if len(whole) > 0 {
		texts = append(texts, named(whole, "namespace %s (forbidden)", "namespaces %s (forbidden)"))
	}
	for _, plural := range d.all {
		texts = append(texts, plural+" (forbidden)")
	}
	for _, plural := range d.some {
		var in []string
		for name, kinds := range d.in {
			if slices.Contains(kinds, plural) && !slices.Contains(whole, name) {
				in = append(in, name)
			}
		}
		if len(in) > 0 {
			texts = append(texts, named(in, plural+" in %s (forbidden)", plural+" in %s (forbidden)"))
		}
	}
	return texts
}

// named puts names into one text or another one, by how many there are.
func named(names []string, one, many string) string {
	slices.Sort(names)
	if len(names) == 1 {
		return fmt.Sprintf(one, names[0])
	}
	rest := ""
	if more := len(names) - maxNamed; more > 0 {
		names, rest = names[:maxNamed], fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf(many, strings.Join(names, ", ")+rest)
}

// readSome reads a kind that may not be read of all namespaces in those in which it may. It reports
// whether there are some.
func (s *Survey) readSome(ctx context.Context, kind step) (some bool, err error) {
	if err := s.list(ctx); err != nil {
		return false, err
	}
	var in []string
	for _, space := range s.spaces {
		switch err := kind.read(ctx, space.name, space.access); {
		case apierrors.IsForbidden(err):
			in = append(in, space.name)
		case err != nil:
			return false, err
		}
	}
	if len(in) == len(s.spaces) {
		s.denied.all = append(s.denied.all, kind.plural)
		return false, nil
	}
	s.denied.some = append(s.denied.some, kind.plural)
	for _, name := range in {
		if s.denied.in == nil {
			s.denied.in = map[string][]string{}
		}
		s.denied.in[name] = append(s.denied.in[name], kind.plural)
	}
	return true, nil
}

// list finds out which namespaces there are, and what may be read in each: one review a namespace.
// There are none if one is meant, or if they may not be listed.
func (s *Survey) list(ctx context.Context) error {
	if s.listed || s.namespace != "" || s.access.Forbids("list", "", kube.Namespaces.Plural) {
		return nil
	}
	s.listed = true
	for page, err := range kube.Pages[corev1.NamespaceList](ctx, s.client, kube.Namespaces, "", metav1.ListOptions{}) {
		s.Requests++
		switch {
		case apierrors.IsForbidden(err), apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return err
		case page.First:
			s.spaces = nil
		}
		for _, namespace := range page.List.Items {
			s.spaces = append(s.spaces, space{name: namespace.Name})
		}
	}
	for i := range s.spaces {
		access, err := s.review(ctx, s.spaces[i].name)
		if err != nil {
			return err
		}
		s.spaces[i].access = access
	}
	return nil
}
