package apiserver

import (
	"fmt"
	"net/http"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/store"
)

// get answers with one object.
func (c *call) get() (runtime.Object, error) {
	current, err := c.server.opts.Store.GetObject(c.key())
	if err != nil {
		return nil, err
	}
	return c.resource.present(current), nil
}

// list answers with the objects of the resource that the request selects.
func (c *call) list(options *metav1.ListOptions) (runtime.Object, error) {
	if errs := validation.ValidateListOptions(internalOptions(options), true); len(errs) > 0 {
		return nil, invalidOptions(errs)
	}
	selector, err := c.selector(options)
	if err != nil {
		return nil, err
	}
	after, err := c.checkVersion(options)
	if err != nil {
		return nil, err
	}
	all, version := c.server.opts.Store.ListObjects(c.resource.empty(), selector)
	if options.ResourceVersionMatch == metav1.ResourceVersionMatchExact && options.ResourceVersion != version {
		return nil, expired(fmt.Sprintf("the list of resource version %s is not kept, the current one is %s", options.ResourceVersion, version))
	}
	objects, left := cut(all, after, options.Limit)
	meta := metav1.ListMeta{ResourceVersion: version}
	if after != nil {
		meta.ResourceVersion = after.Version
	}
	if left > 0 {
		last := objects[len(objects)-1]
		meta.Continue = page{Version: meta.ResourceVersion, Namespace: last.GetNamespace(), Name: last.GetName()}.token()
		if options.LabelSelector == "" && options.FieldSelector == "" {
			meta.RemainingItemCount = new(int64(left))
		}
	}
	return c.newList(objects, meta)
}

// checkVersion checks the version that a list names, by itself or in its continue token.
func (c *call) checkVersion(options *metav1.ListOptions) (after *page, err error) {
	version := options.ResourceVersion
	if options.Continue != "" {
		p, err := parsePage(options.Continue)
		if err != nil {
			return nil, err
		}
		if version != "" && version != "0" {
			return nil, badRequest("specifying resource version is not allowed when using continue")
		}
		after, version = &p, p.Version
	}
	if version == "" || version == "0" {
		return after, nil
	}
	err = c.server.opts.Store.CheckVersion(version)
	if apierrors.IsBadRequest(err) {
		err = badRequest("invalid resource version: " + err.Error())
	}
	return after, err
}

// newList makes the list of a kind, with its objects as a cluster sends them: the list alone says
// of which kind they are.
func (c *call) newList(objects []store.Object, meta metav1.ListMeta) (runtime.Object, error) {
	gvk := c.resource.listKind()
	list, err := c.server.scheme.New(gvk)
	if err != nil {
		return nil, err
	}
	list.GetObjectKind().SetGroupVersionKind(gvk)
	value := reflect.ValueOf(list).Elem()
	value.FieldByName("ListMeta").Set(reflect.ValueOf(meta))
	items := value.FieldByName("Items")
	items.Set(reflect.MakeSlice(items.Type(), len(objects), len(objects)))
	for i, o := range objects {
		item := items.Index(i)
		item.Set(reflect.ValueOf(c.resource.present(o)).Elem())
		item.FieldByName("TypeMeta").SetZero()
	}
	return list, nil
}

// internalOptions are the options as the API's own validation takes them.
func internalOptions(o *metav1.ListOptions) *internalversion.ListOptions {
	return &internalversion.ListOptions{
		Watch: o.Watch, AllowWatchBookmarks: o.AllowWatchBookmarks, ResourceVersion: o.ResourceVersion, ResourceVersionMatch: o.ResourceVersionMatch,
		TimeoutSeconds: o.TimeoutSeconds, Limit: o.Limit, Continue: o.Continue, SendInitialEvents: o.SendInitialEvents,
	}
}

func expired(message string) error {
	return statusError(http.StatusGone, metav1.StatusReasonExpired, message)
}

// metaKind is a kind of the group that all resources share.
func metaKind(kind string) schema.GroupVersionKind { return metav1.SchemeGroupVersion.WithKind(kind) }
