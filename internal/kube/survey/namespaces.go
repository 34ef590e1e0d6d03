package survey

import (
	"context"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
)

// spaces are the namespaces of a cluster that may not be read at once.
type spaces struct {
	asked  bool
	names  []string // empty if they may not be listed
	access map[string]*kube.Access
}

// read reads the objects of a kind, and returns the namespaces in which that is forbidden. An error
// that says that it is forbidden means everywhere.
func (s *Survey) read(ctx context.Context, kind step) (refused []string, err error) {
	err = kind.read(ctx, s.namespace, s.access)
	if s.namespace != "" || !apierrors.IsForbidden(err) {
		return nil, err
	}
	if failure := s.list(ctx); failure != nil {
		return nil, failure
	}
	for _, name := range s.spaces.names {
		switch failure := kind.read(ctx, name, s.spaces.access[name]); {
		case apierrors.IsForbidden(failure):
			refused = append(refused, name)
		case failure != nil:
			return nil, failure
		}
	}
	if len(refused) == len(s.spaces.names) {
		return nil, err
	}
	return refused, nil
}

// list asks which namespaces there are, once, and what may be read in each.
func (s *Survey) list(ctx context.Context) error {
	if s.spaces.asked {
		return nil
	}
	s.spaces = spaces{asked: true, access: map[string]*kube.Access{}}
	for page, err := range kube.Pages[corev1.NamespaceList](ctx, s.client, kube.Namespaces, "", metav1.ListOptions{}) {
		s.Requests++
		if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if page.First {
			s.spaces.names = nil
		}
		for i := range page.List.Items {
			s.spaces.names = append(s.spaces.names, page.List.Items[i].Name)
		}
	}
	for _, name := range s.spaces.names {
		access, err := s.review(ctx, name)
		if err != nil {
			return err
		}
		s.spaces.access[name] = access
	}
	return nil
}

// unseen says which namespaces may not be read, and in which some kinds may not be.
func (s *Survey) unseen(refused map[string][]string) (all []string) {
	kinds := map[string][]string{}
	for _, kind := range s.steps() {
		for _, name := range refused[kind.plural] {
			if name != s.namespace {
				kinds[name] = append(kinds[name], kind.plural)
			}
		}
	}
	var nothing []string
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		if len(kinds[name]) == s.kinds-s.forbidden {
			nothing = append(nothing, name)
			continue
		}
		all = append(all, strings.Join(kinds[name], ", ")+" in namespace "+name+" (forbidden)")
	}
	if len(nothing) > 0 {
		word := "namespace "
		if len(nothing) > 1 {
			word = "namespaces "
		}
		all = append([]string{word + strings.Join(nothing, ", ") + " (forbidden)"}, all...)
	}
	return all
}
