package apiserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

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
	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"
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
	change, err := c.newPatch(kind, text, c.newShown(), unknown)
	if err != nil {
		return nil, 0, err
	}
	updated, err := c.replace(w, func(current store.Object) (store.Object, error) { return c.patched(current, change) })
	return updated, http.StatusOK, err
}

// patch makes the next state of an object. It is called again with a newer one.
type patch func(current runtime.Object) (next runtime.Object, err error)

// patched is an object to which a patch was applied, which has to be where the path says.
func (c *call) patched(current store.Object, change patch) (store.Object, error) {
	next, err := change(current)
	if err != nil {
		return nil, err
	}
	o := next.(store.Object)
	return o, c.place(o)
}

// newPatch reads a patch of one of the three kinds that change what is there, for objects like the
// one given. The error is the API's BadRequest, or 415; that of the patch also Invalid.
func (c *call) newPatch(kind types.PatchType, text []byte, like runtime.Object, unknown string) (patch, error) {
	gvk := like.GetObjectKind().GroupVersionKind()
	switch kind {
	case types.JSONPatchType:
		change, doubts, err := readJSONPatch(text)
		return c.jsonPatch(gvk, change, doubts, unknown), err
	case types.MergePatchType:
		var m map[string]any
		doubts, err := kjson.UnmarshalStrict(text, &m)
		if err != nil {
			return nil, badRequest(fmt.Sprintf("error decoding patch: %v", err))
		}
		change := func(current []byte) ([]byte, error) {
			next, err := jsonpatch.MergePatch(current, text)
			return next, refused(err)
		}
		return c.jsonPatch(gvk, change, doubts, unknown), nil
	case types.StrategicMergePatchType:
		return c.strategicPatch(text, like, unknown)
	}
	return nil, unsupportedMediaType(fmt.Sprintf("%s, %s, %s, %s", types.JSONPatchType, types.MergePatchType, types.StrategicMergePatchType, types.ApplyYAMLPatchType))
}

// jsonPatchOp is an operation of a JSON patch (RFC 6902).
type jsonPatchOp struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	From  string `json:"from"`
	Value any    `json:"value"`
}

// readJSONPatch reads a JSON patch. Doubts are fields that its operations do not have.
func readJSONPatch(text []byte) (change func([]byte) ([]byte, error), doubts []error, err error) {
	var operations []jsonPatchOp
	doubts, err = kjson.UnmarshalStrict(text, &operations)
	if err != nil {
		return nil, nil, badRequest(fmt.Sprintf("error decoding patch: %v", err))
	}
	for i, doubt := range doubts {
		doubts[i] = fmt.Errorf("json patch %w", doubt)
	}
	if len(operations) > maxOperations {
		return nil, nil, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("The allowed maximum operations in a JSON patch is %d, got %d", maxOperations, len(operations)))
	}
	patch, err := jsonpatch.DecodePatch(text)
	if err != nil {
		return nil, nil, badRequest(err.Error())
	}
	return func(current []byte) ([]byte, error) {
		next, err := patch.Apply(current)
		if err != nil {
			return nil, apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
		}
		return next, nil
	}, doubts, nil
}

// jsonPatch is a patch that changes the JSON of an object.
func (c *call) jsonPatch(kind schema.GroupVersionKind, change func([]byte) ([]byte, error), doubts []error, unknown string) patch {
	return func(current runtime.Object) (runtime.Object, error) {
		before, err := json.Marshal(current)
		if err != nil {
			return nil, err
		}
		after, err := change(before)
		if err != nil {
			return nil, err
		}
		next, found, err := c.server.codecs[0].StrictSerializer.Decode(after, &kind, nil)
		strict, ok := runtime.AsStrictDecodingError(err)
		switch {
		case err != nil && (!ok || next == nil):
			return nil, invalidPatch(string(after), err)
		case *found != kind:
			return nil, invalidPatch(string(after), fmt.Errorf("a %s cannot become a %s", kind, found))
		case ok:
			doubts = slices.Concat(doubts, strict.Errors())
		}
		next.GetObjectKind().SetGroupVersionKind(kind)
		return next, c.doubt(string(after), doubts, unknown)
	}
}

// strategicPatch is a patch that knows of lists what their elements are called.
func (c *call) strategicPatch(text []byte, like runtime.Object, unknown string) (patch, error) {
	var m map[string]any
	doubts, err := kjson.UnmarshalStrict(text, &m)
	if err != nil {
		return nil, badRequest(err.Error())
	}
	kind := like.GetObjectKind().GroupVersionKind()
	told := fmt.Sprintf("%+v", m)
	return func(current runtime.Object) (runtime.Object, error) {
		before, err := runtime.DefaultUnstructuredConverter.ToUnstructured(current)
		if err != nil {
			return nil, err
		}
		after, err := strategicpatch.StrategicMergeMapPatch(before, runtime.DeepCopyJSON(m), like)
		if err != nil {
			return nil, badStrategicPatch(err)
		}
		next, err := c.server.scheme.New(kind)
		if err != nil {
			return nil, err
		}
		err = runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(after, next, true)
		strict, ok := runtime.AsStrictDecodingError(err)
		if err != nil && !ok {
			return nil, invalidPatch(told, err)
		} else if ok {
			doubts = slices.Concat(doubts, strict.Errors())
		}
		next.GetObjectKind().SetGroupVersionKind(kind)
		return next, c.doubt(told, doubts, unknown)
	}, nil
}

// badStrategicPatch is why a patch of this kind cannot be applied, in the API's words.
func badStrategicPatch(err error) error {
	switch {
	case errors.Is(err, mergepatch.ErrNoListOfLists), errors.Is(err, mergepatch.ErrPatchContentNotMatchRetainKeys):
		return apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
	}
	return refused(err)
}

// refused is BadRequest for what is the client's fault, and for which the libraries have no word of
// the API. A cluster says 500 then, and so that something was wrong with the server.
func refused(err error) error {
	if _, known := err.(apierrors.APIStatus); err == nil || known {
		return err
	}
	return badRequest(err.Error())
}

// invalidPatch is the API's Invalid for what no object comes out of.
func invalidPatch(told string, err error) error {
	return apierrors.NewInvalid(schema.GroupKind{}, "", field.ErrorList{field.Invalid(field.NewPath("patch"), told, err.Error())})
}

// doubt tells the client, as it asked for, of fields that are unknown or there twice.
func (c *call) doubt(told string, doubts []error, unknown string) error {
	switch {
	case len(doubts) == 0 || unknown == metav1.FieldValidationIgnore:
		return nil
	case unknown == metav1.FieldValidationStrict:
		return invalidPatch(told, runtime.NewStrictDecodingError(doubts))
	}
	for _, doubt := range doubts {
		c.warn(doubt.Error())
	}
	return nil
}

// apply makes an object what its manager wants of it, and leaves what others want (server-side
// apply). One that is not there is made.
func (c *call) apply(text []byte, w registry.WriteOptions, unknown string, force bool) (runtime.Object, int, error) {
	applied := &unstructured.Unstructured{Object: map[string]any{}}
	if err := yaml.Unmarshal(text, &applied.Object); err != nil {
		return nil, 0, badRequest(fmt.Sprintf("error decoding YAML: %v", err))
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
			current.SetName("") // the client has to say it
		}
		next, err := c.server.opts.Fields.apply(part{c.resource.GVK, c.target.subresource}, current, applied, w.Manager, force)
		if err == nil {
			err = c.place(next)
		}
		if err == nil {
			err = c.doubtYAML(text, unknown)
		}
		return next, err
	})
	return o, code, err
}

// doubtYAML tells the client, as it asked for, of fields that an applied text has twice.
func (c *call) doubtYAML(text []byte, unknown string) error {
	err := yaml.UnmarshalStrict(text, &map[string]any{})
	switch {
	case err == nil || unknown == metav1.FieldValidationIgnore:
	case unknown == metav1.FieldValidationStrict:
		return badRequest(fmt.Sprintf("error strict decoding YAML: %v", err))
	default:
		c.warn(err.Error())
	}
	return nil
}
