package apiserver

import (
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/probity-run/probity/internal/store"
)

// delete begins the deletion of an object. Who asks learns whether it is gone.
func (c *call) delete() (runtime.Object, int, error) {
	options, err := c.deleteOptions()
	if err != nil {
		return nil, 0, err
	}
	return c.remove(c.key(), options)
}

// remove deletes one object.
func (c *call) remove(key store.Object, options metav1.DeleteOptions) (runtime.Object, int, error) {
	last, gone, err := c.server.opts.Registry.DeleteObject(key, options)
	switch {
	case err != nil:
		return nil, 0, err
	case !gone:
		return c.resource.present(last), http.StatusOK, nil
	}
	return &metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusSuccess,
		Details: &metav1.StatusDetails{Name: last.GetName(), Group: c.resource.GVK.Group, Kind: c.resource.Name, UID: last.GetUID()},
	}, http.StatusOK, nil
}

// deleteCollection deletes all objects that the request selects, and answers with them.
func (c *call) deleteCollection() (runtime.Object, int, error) {
	var list metav1.ListOptions
	if err := c.parameters(&list); err != nil {
		return nil, 0, err
	}
	options, err := c.deleteOptions()
	if err != nil {
		return nil, 0, err
	}
	selector, err := c.selector(&list)
	if err != nil {
		return nil, 0, err
	}
	objects, version := c.server.opts.Store.ListObjects(c.resource.empty(), selector)
	for _, o := range objects {
		if _, _, err := c.server.opts.Registry.DeleteObject(o, options); err != nil && !apierrors.IsNotFound(err) {
			return nil, 0, err
		}
	}
	deleted, err := c.newList(objects, metav1.ListMeta{ResourceVersion: version})
	return deleted, http.StatusOK, err
}

// deleteOptions reads how to delete: from the body if there is one, else from the query.
func (c *call) deleteOptions() (metav1.DeleteOptions, error) {
	var options metav1.DeleteOptions
	data, err := c.body()
	if err != nil {
		return options, err
	}
	if len(data) == 0 {
		err = c.parameters(&options)
		return options, err
	}
	info, err := c.codecFor(contentType(c.r))
	if err != nil {
		return options, err
	}
	kind := corev1.SchemeGroupVersion.WithKind("DeleteOptions")
	o, found, err := info.Serializer.Decode(data, &kind, &options)
	if err != nil {
		return options, badRequest(err.Error())
	}
	if o != runtime.Object(&options) {
		return options, badRequest(fmt.Sprintf("decoded object cannot be converted to DeleteOptions: it is a %s", found.Kind))
	}
	return options, nil
}
