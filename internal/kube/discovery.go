package kube

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Resources are what a server serves. Make it with [Client.Discover].
type Resources struct {
	served    map[schema.GroupVersionKind]Kind
	preferred map[schema.GroupKind]Kind
	away      map[string]bool // groups of which the server does not tell all, because who serves them is away
}

// Kind returns what serves the objects that a manifest names so.
func (r *Resources) Kind(kind schema.GroupVersionKind) (served Kind, ok bool) {
	served, ok = r.served[kind]
	return served, ok
}

// Preferred returns what serves a kind in the version that the server names first.
func (r *Resources) Preferred(kind schema.GroupKind) (served Kind, ok bool) {
	served, ok = r.preferred[kind]
	return served, ok
}

// Gone reports whether a server has no such kind, in no version, and would tell if it had. It does
// not tell as long as an API server behind it is away that serves the group.
func (r *Resources) Gone(kind schema.GroupKind) bool {
	_, served := r.preferred[kind]
	return !served && !r.away[kind.Group]
}

// aggregatedForm asks for all resources in one answer; servers before 1.27 give lists of groups
// instead.
const aggregatedForm = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"

// discoveryAnswer is the aggregated form, or a list of versions or groups of the old one.
type discoveryAnswer struct {
	Items []struct {
		Metadata metav1.ObjectMeta `json:"metadata"`
		Versions []struct {
			Version   string               `json:"version"`
			Freshness string               `json:"freshness"`
			Resources []discoveredResource `json:"resources"`
		} `json:"versions"`
	} `json:"items"`
	Versions []string          `json:"versions"`
	Groups   []metav1.APIGroup `json:"groups"`
}

type discoveredResource struct {
	Resource     string                  `json:"resource"`
	Singular     string                  `json:"singularResource"`
	ResponseKind metav1.GroupVersionKind `json:"responseKind"`
	Scope        string                  `json:"scope"`
	ShortNames   []string                `json:"shortNames"`
}

// Discover asks a server what it serves: two requests, or with an old server one for each version
// of a group. A version that cannot be had is left out, because that is no reason to refuse others.
func (c *Client) Discover(ctx context.Context) (*Resources, error) {
	all := &Resources{map[schema.GroupVersionKind]Kind{}, map[schema.GroupKind]Kind{}, map[string]bool{}}
	for _, path := range []string{"/api", "/apis"} {
		var answer discoveryAnswer
		if err := c.exchange(ctx, http.MethodGet, path, nil, http.Header{"Accept": {aggregatedForm}}, nil, &answer); err != nil {
			return nil, err
		}
		for _, group := range answer.Items {
			for _, version := range group.Versions {
				if version.Freshness == "Stale" {
					all.away[group.Metadata.Name] = true
				}
				for _, r := range version.Resources {
					all.add(group.Metadata.Name, version.Version, r)
				}
			}
		}
		if err := c.discoverOld(ctx, answer, all); err != nil {
			return nil, err
		}
	}
	if len(all.served) == 0 {
		return nil, errors.New("the server serves no resources: is it a Kubernetes API?")
	}
	return all, nil
}

// discoverOld reads the versions that an answer of the old form names.
func (c *Client) discoverOld(ctx context.Context, answer discoveryAnswer, all *Resources) error {
	if len(answer.Versions) > 0 {
		answer.Groups = append(answer.Groups, metav1.APIGroup{})
		for _, version := range answer.Versions {
			last := &answer.Groups[len(answer.Groups)-1]
			last.Versions = append(last.Versions, metav1.GroupVersionForDiscovery{GroupVersion: version, Version: version})
		}
	}
	for _, group := range answer.Groups {
		preferredFirst(group)
		for _, version := range group.Versions {
			path := "/apis/" + version.GroupVersion
			if group.Name == "" {
				path = "/api/" + version.Version
			}
			var list metav1.APIResourceList
			err := c.do(ctx, http.MethodGet, path, nil, "", nil, &list)
			if apierrors.IsServiceUnavailable(err) || apierrors.IsNotFound(err) {
				all.away[group.Name] = true // or an API server behind this one
				continue
			}
			if err != nil {
				return err
			}
			for _, r := range list.APIResources {
				scope := "Cluster"
				if r.Namespaced {
					scope = "Namespaced"
				}
				kind := metav1.GroupVersionKind{Group: group.Name, Version: version.Version, Kind: r.Kind}
				all.add(group.Name, version.Version, discoveredResource{r.Name, r.SingularName, kind, scope, r.ShortNames})
			}
		}
	}
	return nil
}

func preferredFirst(group metav1.APIGroup) {
	slices.SortStableFunc(group.Versions, func(a, b metav1.GroupVersionForDiscovery) int {
		switch group.PreferredVersion.Version {
		case a.Version:
			return -1
		case b.Version:
			return 1
		}
		return 0
	})
}

// add notes a resource; subresources, which have a slash in their names, are none.
func (r *Resources) add(group, version string, d discoveredResource) {
	if strings.Contains(d.Resource, "/") || d.ResponseKind.Kind == "" {
		return
	}
	kind := Kind{Group: group, Version: version, Plural: d.Resource, Singular: d.Singular, Global: d.Scope == "Cluster"}
	if kind.Singular == "" {
		kind.Singular = strings.ToLower(d.ResponseKind.Kind)
	}
	if len(d.ShortNames) > 0 {
		kind.Short = d.ShortNames[0]
	}
	at := schema.GroupVersionKind{Group: group, Version: version, Kind: d.ResponseKind.Kind}
	r.served[at] = kind
	if _, ok := r.preferred[at.GroupKind()]; !ok {
		r.preferred[at.GroupKind()] = kind
	}
}
