package deploy

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
)

// clientSide is who kept the fields of what was applied by kubectl without --server-side.
const clientSide = "kubectl-client-side-apply"

// takeOverTries is how often fields are taken over of an object that others change meanwhile, such
// as controllers that write its status.
const takeOverTries = 5

// isOfKubectl reports whether an error is about fields that [Deployment.takeOver] takes before they
// are applied, and about no others.
func isOfKubectl(err error) bool {
	conflicts := conflictsOf(nil, err, nil)
	return len(conflicts) > 0 && !slices.ContainsFunc(conflicts, func(c Conflict) bool { return c.Manager != clientSide || c.Subresource != "" })
}

// takeOver takes the fields that an earlier kubectl apply has left: otherwise what is not in the
// file any more would stay for ever, because that manager still wants it.
func (d *Deployment) takeOver(ctx context.Context, e *Entry) error {
	for try := 1; ; try++ {
		patch, err := takeOverPatch(e.Before)
		if err != nil || patch == nil {
			return err
		}
		live := &unstructured.Unstructured{}
		err = d.options.Cluster.Patch(ctx, e.At, "", types.JSONPatchType, patch, live)
		if err == nil {
			e.Before = live
			d.report(Event{Kind: "note", Object: e.Object, Text: "was applied by kubectl apply: its fields are Probity's now"})
			return nil
		}
		if meaningOf(err) != conflicted || try == takeOverTries {
			return err
		}
		if live, err = d.read(ctx, e.At); err != nil { // the patch is for the version that was read
			return err
		}
		e.Before = live
	}
}

// takeOverPatch is the JSON patch for that; nil if nothing is left.
func takeOverPatch(live *unstructured.Unstructured) ([]byte, error) {
	if live == nil {
		return nil, nil
	}
	for _, entry := range live.GetManagedFields() {
		if entry.Manager == clientSide && entry.Subresource == "" {
			return csaupgrade.UpgradeManagedFieldsPatch(live, sets.New(clientSide), Manager)
		}
	}
	return nil, nil
}
