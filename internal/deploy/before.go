package deploy

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/rollout"
)

// annotationBefore on a Job says that it has to finish before the workloads of the set are applied.
const annotationBefore = prefix + "before"

// hasToFinish reports whether an object is such a Job.
func hasToFinish(o *Object) bool {
	value := o.GetAnnotations()[annotationBefore]
	return value != "" && value != "false" && o.kind() == schema.GroupKind{Group: "batch", Kind: "Job"}
}

// BeforeError says that Jobs which had to finish first have not: nothing after them was applied.
type BeforeError struct {
	// Results are how they are, each with its verdict.
	Results []rollout.Result
}

// Error names them.
func (e *BeforeError) Error() string {
	var names []string
	for _, r := range e.Results {
		if !r.Over {
			names = append(names, "job/"+r.Object.Name)
		}
	}
	return strings.Join(names, ", ") + " had to finish first (" + annotationBefore + "): nothing that comes after was applied"
}

// awaitBefore follows Jobs that were applied until they are complete.
func (d *Deployment) awaitBefore(ctx context.Context, objects []*Object) error {
	entries := slices.DeleteFunc(slices.Clone(d.Entries), func(e *Entry) bool { return !slices.Contains(objects, e.Object) })
	results, err := d.follow(ctx, d.options.Before, entries)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(results, func(r rollout.Result) bool { return !r.Over }) {
		return &BeforeError{results}
	}
	for _, e := range entries {
		e.finished = true
		d.report(Event{Kind: "note", Object: e.Object, Text: "has finished: what had to wait for it follows"})
	}
	d.begun = d.options.Cluster.Now() // the workloads are not late by what they had to wait for
	return nil
}
