package apiserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// maxOperations is how many operations a JSON patch may have, as on a cluster.
const maxOperations = 10_000

// patch changes a part of an object, or makes it (server-side apply).
func (c *call) patch() (runtime.Object, int, error) {
	var options metav1.PatchOptions
	if err := c.parameters(&options); err != nil {
		return nil, 0, err
	}
	kind := types.PatchType(contentType(c.r))
	if errs := validation.ValidatePatchOptions(&options, kind); len(errs) > 0 {
		return nil, 0, apierrors.NewInvalid(metaKind("PatchOptions").GroupKind(), "", errs)
	}
	w, unknown := c.newWriteOptions(options.FieldManager, options.FieldValidation, options.DryRun)
	text, err := c.body()
	if err != nil {
		return nil, 0, err
	}
	if kind == types.ApplyYAMLPatchType {
		return c.apply(text, w, unknown, options.Force != nil && *options.Force)
	}
	change, err := newPatch(kind, text, c.newShown())
	if err != nil {
		return nil, 0, err
	}
	updated, err := c.replace(w, func(current store.Object) (store.Object, error) { return c.patched(current, change, unknown) })
	return updated, http.StatusOK, err
}

// newPatch reads a patch of one of the three kinds that change what is there. The result makes the
// next JSON of an object of the current one. The error is the API's BadRequest, or 415.
func newPatch(kind types.PatchType, text []byte, like store.Object) (func(current []byte) ([]byte, error), error) {
	switch kind {
	case types.JSONPatchType:
		patch, err := jsonpatch.DecodePatch(text)
		if err != nil {
			return nil, badRequest(err.Error())
		}
		if len(patch) > maxOperations {
			return nil, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("The allowed maximum operations in a JSON patch is %d, got %d", maxOperations, len(patch)))
		}
		return func(current []byte) ([]byte, error) {
			next, err := patch.Apply(current)
			if err != nil {
				return nil, apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
			}
			return next, nil
		}, nil
	case types.MergePatchType:
		return func(current []byte) ([]byte, error) {
			next, err := jsonpatch.MergePatch(current, text)
			return next, badPatch(err)
		}, checkMap(text, "error decoding patch: ")
	case types.StrategicMergePatchType:
		return func(current []byte) ([]byte, error) {
			next, err := strategicpatch.StrategicMergePatch(current, text, like)
			return next, badPatch(err)
		}, checkMap(text, "")
	}
	return nil, unsupportedMediaType(fmt.Sprintf("%s, %s, %s, %s", types.JSONPatchType, types.MergePatchType, types.StrategicMergePatchType, types.ApplyYAMLPatchType))
}

// checkMap refuses a patch that is no JSON object.
func checkMap(text []byte, prefix string) error {
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		return badRequest(prefix + err.Error())
	}
	return nil
}

// badPatch is why a patch cannot be applied, in the API's words.
func badPatch(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, mergepatch.ErrUnsupportedStrategicMergePatchFormat):
		return unsupportedMediaType(string(types.JSONPatchType) + ", " + string(types.MergePatchType))
	}
	return badRequest(err.Error())
}

// patched is an object with a patch applied to its JSON.
func (c *call) patched(current store.Object, patch func([]byte) ([]byte, error), validation string) (store.Object, error) {
	before, err := json.Marshal(current)
	if err != nil {
		return nil, err
	}
	after, err := patch(before)
	if err != nil {
		return nil, err
	}
	o, err := c.decodeAs(c.server.codecs[0], after, c.resource.GVK, validation)
	if err != nil {
		return nil, err
	}
	next := o.(store.Object)
	return next, c.place(next)
}

// apply makes an object what its manager wants of it, and leaves what others want (server-side
// apply). One that is not there is made.
func (c *call) apply(text []byte, w registry.WriteOptions, unknown string, force bool) (runtime.Object, int, error) {
	applied := &unstructured.Unstructured{Object: map[string]any{}}
	unmarshal := yaml.UnmarshalStrict
	if unknown != metav1.FieldValidationStrict {
		unmarshal = yaml.Unmarshal
	}
	if err := unmarshal(text, &applied.Object); err != nil {
		return nil, 0, badRequest(fmt.Sprintf("error decoding YAML: %v", err))
	}
	if err := c.place(applied); err != nil {
		return nil, 0, err
	}
	w.Applied, w.OrCreate = true, c.target.subresource == ""
	code := http.StatusOK
	o, err := c.replace(w, func(current store.Object) (store.Object, error) {
		code = http.StatusOK
		if current.GetUID() == "" {
			code = http.StatusCreated
			if uid := applied.GetUID(); uid != "" {
				return nil, apierrors.NewConflict(c.resource.groupResource(), c.target.name, fmt.Errorf("uid mismatch: the provided object specified uid %s, and no existing object was found", uid))
			}
		}
		return c.server.fields.apply(part{c.resource.GVK, c.target.subresource}, current, applied, w.Manager, force)
	})
	return o, code, err
}
