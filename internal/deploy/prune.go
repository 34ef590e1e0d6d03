package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/printable"
)

// Leftover is an object that an earlier deployment of the set had applied, and this one has not.
type Leftover struct {
	At kube.Ref
	// Kept says why it stays all the same; "" means that it is pruned.
	Kept string

	object *unstructured.Unstructured
}

// String is how people name it, with its namespace.
func (l *Leftover) String() string {
	name := l.At.Kind.Singular + "/" + printable.Line(l.At.Name)
	if l.At.Namespace != "" {
		name = printable.Line(l.At.Namespace) + "/" + name
	}
	return name
}

// findLeftovers looks for members of the set that are not among the objects.
func (d *Deployment) findLeftovers(ctx context.Context) error {
	set := d.options.Set
	if set.Name == "" {
		return errors.New("nothing can be pruned without a set: leave --no-set out")
	}
	stay := map[string]bool{}
	for _, o := range d.options.Objects {
		stay[o.key()] = true
	}
	kinds := slices.SortedFunc(maps.Keys(d.contents.kinds), func(a, b schema.GroupKind) int { return strings.Compare(a.String(), b.String()) })
	for _, kind := range kinds {
		served, ok := d.resources.Preferred(kind)
		if !ok {
			// its definition is gone, and all objects with it, or who serves it is away
			d.unseen = append(d.unseen, kind)
			continue
		}
		namespaces := slices.Sorted(maps.Keys(d.contents.namespaces))
		if served.Global {
			namespaces = []string{""}
		}
		for _, namespace := range namespaces {
			members, err := d.members(ctx, kind, served, namespace)
			if err != nil {
				return fmt.Errorf("cannot look for %s to prune: %w", served.Plural, err)
			}
			for _, member := range members {
				o := &Object{Unstructured: member}
				if !stay[o.key()] && !d.deploys(member) {
					d.Leftovers = append(d.Leftovers, &Leftover{kube.Ref{Kind: served, Namespace: namespace, Name: member.GetName()}, spared(member), member})
				}
			}
		}
	}
	return nil
}

// deploys reports whether an object is one of the entries, by whatever group and name of its kind.
func (d *Deployment) deploys(o *unstructured.Unstructured) bool {
	return slices.ContainsFunc(d.Entries, func(e *Entry) bool {
		return e.Before != nil && e.Before.GetUID() == o.GetUID() || e.After != nil && e.After.GetUID() == o.GetUID()
	})
}

// members are the objects of a kind that bear the label of the set. A list of a custom kind may
// have any name, and its items need not say what they are.
func (d *Deployment) members(ctx context.Context, kind schema.GroupKind, served kube.Kind, namespace string) (members []*unstructured.Unstructured, err error) {
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	options := metav1.ListOptions{LabelSelector: labelPartOf + "=" + d.options.Set.ID()}
	request, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	err = d.options.Cluster.List(request, served, namespace, options, &list)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, item := range list.Items {
		o := &unstructured.Unstructured{}
		if err := utiljson.Unmarshal(item, &o.Object); err != nil {
			return nil, fmt.Errorf("cannot read what the server answers: %w", err)
		}
		o.SetAPIVersion(served.APIVersion())
		o.SetKind(kind.Kind)
		members = append(members, o)
	}
	return members, nil
}

// Difference is what pruning it changes; see the function of that name.
func (l *Leftover) Difference() ([]byte, error) { return Difference(l.String(), l.object, nil) }

// Prune deletes the leftovers, each only if it is still the one that was found and in the set,
// and writes down what the set has from now on. The error matches [ErrInterrupted] if the
// context was done, and [ErrNotKnown] if the server was lost. A kind that the server does not
// serve now stays in the set, so that what there is of it is found by a later deployment.
func (d *Deployment) Prune(ctx context.Context) error {
	var errs []error
	kept := contentsOf(d.options.Objects)
	for _, kind := range d.unseen {
		kept.kinds[kind] = true
		maps.Copy(kept.namespaces, d.contents.namespaces)
	}
	keep := func(l *Leftover) {
		kept.kinds[l.object.GroupVersionKind().GroupKind()] = true
		if l.At.Namespace != "" {
			kept.namespaces[l.At.Namespace] = true
		}
	}
	for _, l := range d.Leftovers {
		if d.deploys(l.object) {
			continue // it has been applied by another name of its kind
		}
		if l.Kept == "" && ctx.Err() != nil {
			errs = append(errs, ErrInterrupted)
			break
		}
		if l.Kept == "" {
			err := d.pruneOne(ctx, l)
			if err == nil {
				continue
			}
			if err = fmt.Errorf("cannot prune %s: %w", l, err); meaningOf(err) == strange {
				err = fmt.Errorf("%w: %w", ErrNotKnown, err)
			}
			errs = append(errs, err)
		}
		keep(l)
	}
	if len(errs) > 0 {
		return errors.Join(errs...) // the set stays as wide as it is
	}
	return d.writeSet(ctx, kept)
}

func (d *Deployment) pruneOne(ctx context.Context, l *Leftover) error {
	live, err := d.read(ctx, l.At)
	if err != nil || live == nil {
		return err
	}
	uid, version, background := live.GetUID(), live.GetResourceVersion(), metav1.DeletePropagationBackground
	if uid != l.object.GetUID() || live.GetLabels()[labelPartOf] != d.options.Set.ID() {
		return nil // another one has its name, or another set has it
	}
	request, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	err = d.options.Cluster.Delete(request, l.At, metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &version}, PropagationPolicy: &background,
	})
	if err != nil && !isMissing(err) {
		return err
	}
	d.report(Event{Kind: "pruned", Text: l.String()})
	return nil
}
