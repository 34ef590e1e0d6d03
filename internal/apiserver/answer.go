package apiserver

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/probity-run/probity/internal/apiserver/table"
	"github.com/probity-run/probity/internal/store"
)

// shape turns an object into the form that the client asked for. Columns says whether a Table
// carries its head: the first one of a watch alone does.
func (c *call) shape(o runtime.Object, columns bool) (runtime.Object, error) {
	if _, isStatus := o.(*metav1.Status); isStatus {
		return o, nil
	}
	switch c.format.form {
	case asTable:
		return c.newTable(o, columns)
	case asMetadata:
		return onlyMetadata(o)
	}
	return o, nil
}

// onlyMetadata is the metadata of an object, or of each of a list.
func onlyMetadata(o runtime.Object) (runtime.Object, error) {
	if !meta.IsListType(o) {
		return partial(o)
	}
	list, err := meta.ListAccessor(o)
	if err != nil {
		return nil, err
	}
	shown := &metav1.PartialObjectMetadataList{
		ListMeta: metav1.ListMeta{ResourceVersion: list.GetResourceVersion(), Continue: list.GetContinue(), RemainingItemCount: list.GetRemainingItemCount()},
		Items:    []metav1.PartialObjectMetadata{},
	}
	shown.SetGroupVersionKind(metaKind("PartialObjectMetadataList"))
	err = meta.EachListItem(o, func(item runtime.Object) error {
		p, err := partial(item)
		if err == nil {
			p.TypeMeta = metav1.TypeMeta{}
			shown.Items = append(shown.Items, *p)
		}
		return err
	})
	return shown, err
}

func partial(o runtime.Object) (*metav1.PartialObjectMetadata, error) {
	accessor, err := meta.Accessor(o)
	if err != nil {
		return nil, err
	}
	p := meta.AsPartialObjectMetadata(accessor)
	p.SetGroupVersionKind(metaKind("PartialObjectMetadata"))
	return p, nil
}

// newTable shows an object, or each of a list, as rows.
func (c *call) newTable(o runtime.Object, columns bool) (runtime.Object, error) {
	include, err := includeObject(c.r.URL.Query().Get("includeObject"))
	if err != nil {
		return nil, err
	}
	shown := &metav1.Table{Rows: []metav1.TableRow{}}
	shown.SetGroupVersionKind(metaKind("Table"))
	isList := meta.IsListType(o)
	if columns {
		if isList {
			shown.ColumnDefinitions = table.Columns(c.newShown())
		} else { // which may be a part of an object
			shown.ColumnDefinitions = table.Columns(o.(store.Object))
		}
	}
	now := time.Now()
	row := func(o runtime.Object) error {
		r := table.Row(o.(store.Object), now)
		var err error
		switch include {
		case metav1.IncludeMetadata:
			r.Object.Object, err = partial(o)
		case metav1.IncludeObject:
			r.Object.Object = o
		}
		shown.Rows = append(shown.Rows, r)
		return err
	}
	if list, err := meta.ListAccessor(o); err == nil && isList {
		shown.ListMeta = metav1.ListMeta{ResourceVersion: list.GetResourceVersion(), Continue: list.GetContinue(), RemainingItemCount: list.GetRemainingItemCount()}
		return shown, meta.EachListItem(o, func(item runtime.Object) error {
			item.GetObjectKind().SetGroupVersionKind(c.resource.GVK) // the list's own copy
			return row(item)
		})
	}
	if object, err := meta.Accessor(o); err == nil {
		shown.ResourceVersion = object.GetResourceVersion()
	}
	return shown, row(o)
}

// includeObject is what the rows of a Table carry beside their cells.
func includeObject(asked string) (metav1.IncludeObjectPolicy, error) {
	switch policy := metav1.IncludeObjectPolicy(asked); policy {
	case "":
		return metav1.IncludeMetadata, nil
	case metav1.IncludeNone, metav1.IncludeMetadata, metav1.IncludeObject:
		return policy, nil
	}
	return "", badRequest("unrecognized includeObject value: must be None, Metadata or Object")
}

// write sends an object as the whole answer.
func (c *call) write(code int, o runtime.Object) {
	shown, err := c.shape(o, true)
	if err != nil {
		status := statusOf(err)
		code, shown = int(status.Code), &status
	}
	encoder := runtime.Encoder(c.format.Serializer)
	if c.format.PrettySerializer != nil && wantsPretty(c.r) {
		encoder = c.format.PrettySerializer
	}
	var body bytes.Buffer
	if err := encoder.Encode(shown, &body); err != nil {
		c.server.opts.Logger.Error("Cannot encode an answer", "path", c.r.URL.Path, "error", err)
		http.Error(c.w, "cannot encode the answer", http.StatusInternalServerError)
		return
	}
	header := c.w.Header()
	header.Set("Content-Type", c.format.MediaType)
	header.Set("Content-Length", strconv.Itoa(body.Len()))
	header.Set("Cache-Control", "no-cache, private")
	c.w.WriteHeader(code)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(body.Bytes()) // who has left does not get it
	}
}

// fail sends an error as a Status.
func (c *call) fail(err error) {
	status := statusOf(err)
	if status.Details != nil && status.Details.RetryAfterSeconds > 0 {
		c.w.Header().Set("Retry-After", strconv.Itoa(int(status.Details.RetryAfterSeconds)))
	}
	c.write(int(status.Code), &status)
}

// statusOf is an error in the API's words.
func statusOf(err error) metav1.Status {
	var known apierrors.APIStatus
	if !errors.As(err, &known) { // as a cluster tells what it has no word for
		known = &apierrors.StatusError{ErrStatus: metav1.Status{Code: http.StatusInternalServerError, Reason: metav1.StatusReasonUnknown, Message: err.Error()}}
	}
	status := known.Status()
	status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	status.Status = metav1.StatusFailure
	if status.Code == 0 {
		status.Code = http.StatusInternalServerError
	}
	return status
}

// wantsPretty reports whether a person reads the answer.
func wantsPretty(r *http.Request) bool {
	if asked := r.URL.Query()["pretty"]; len(asked) > 0 {
		return asked[0] != "false" && asked[0] != "0"
	}
	agent := r.UserAgent()
	for _, browser := range []string{"curl", "Wget", "Mozilla/5.0"} {
		if len(agent) >= len(browser) && agent[:len(browser)] == browser {
			return true
		}
	}
	return false
}
