package apiserver

import (
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/probity-run/probity/internal/store"
)

// selector is what a request selects of its resource. The error is the API's BadRequest.
func (c *call) selector(options *metav1.ListOptions) (store.Selector, error) {
	selected := store.Selector{Namespace: c.target.namespace}
	var err error
	if selected.Labels, err = labels.Parse(options.LabelSelector); err != nil {
		return selected, badRequest(err.Error())
	}
	selected.Fields, err = fields.ParseSelector(options.FieldSelector)
	if err == nil {
		selected.Fields, err = selected.Fields.Transform(c.resource.translate)
	}
	if err != nil {
		return selected, badRequest(err.Error())
	}
	if c.target.name == "" {
		return selected, nil
	}
	if name, asked := selected.Fields.RequiresExactMatch("metadata.name"); asked && name != c.target.name {
		return selected, badRequest(fmt.Sprintf("field metadata.name: Invalid value: %q: must be the name in the path, %q", name, c.target.name))
	}
	selected.Fields = fields.AndSelectors(selected.Fields, fields.OneTermEqualSelector("metadata.name", c.target.name))
	return selected, nil
}

// translate turns a term of a field selector into the store's words. The error says that the
// resource cannot be selected by it.
func (r *resource) translate(label, value string) (string, string, error) {
	name, known := label, store.SelectableField(r.empty(), label)
	if r.field != nil {
		name, known = r.field(label)
	}
	switch {
	case !known && store.HasOwnFields(r.empty()):
		return "", "", fmt.Errorf("field label not supported: %s", label)
	case !known:
		return "", "", fmt.Errorf("%q is not a known field selector: only %q, %q", label, "metadata.name", "metadata.namespace")
	}
	return name, value, nil
}

// invalidOptions is the API's answer to the options of a list or a watch that contradict each
// other.
func invalidOptions(errs field.ErrorList) error {
	return apierrors.NewInvalid(metaKind("ListOptions").GroupKind(), "", errs)
}
