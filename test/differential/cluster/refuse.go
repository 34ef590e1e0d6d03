package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/test/differential/stage"
)

// Refuse asks the API server what is wrong with a manifest of one object, without creating it:
// "field: message", in order. Nil means nothing.
func (c *Cluster) Refuse(ctx context.Context, manifest string) ([]string, error) {
	var object stage.Object
	if err := yaml.Unmarshal([]byte(manifest), &object.Object); err != nil {
		return nil, err
	}
	for _, r := range resources {
		if r.kind == object.GetKind() {
			return causes(c.API.do(ctx, http.MethodPost, r.in("default")+"?dryRun=All", asJSON, object.Object, nil))
		}
	}
	return nil, fmt.Errorf("cannot ask for a %s", object.GetKind())
}

// causes are what an answer says, or the error if there was none.
func causes(err error) ([]string, error) {
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		return nil, err
	}
	var status metav1.Status
	if err := json.Unmarshal(r.text, &status); err != nil {
		return nil, err
	}
	if status.Details == nil || status.Reason != metav1.StatusReasonInvalid {
		return nil, err
	}
	var found []string
	for _, cause := range status.Details.Causes {
		found = append(found, cause.Field+": "+cause.Message)
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}
