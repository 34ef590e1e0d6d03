package apiserver

import (
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/apiserver/guard"
	"github.com/probity-run/probity/internal/store"
)

// body reads the body of the request, whose length and time the guard bounds.
func (c *call) body() ([]byte, error) {
	data, err := io.ReadAll(c.r.Body)
	if reason := guard.BodyError(err); reason != nil {
		return nil, reason
	}
	if err != nil {
		return nil, badRequest(fmt.Sprintf("cannot read the body: %v", err))
	}
	return data, nil
}

// contentType is the media type of the body; JSON where the client names none.
func contentType(r *http.Request) string {
	header := r.Header.Get("Content-Type")
	if header == "" {
		return runtime.ContentTypeJSON
	}
	mediaType, _, err := mime.ParseMediaType(header)
	if err != nil {
		return header
	}
	return mediaType
}

// codecFor finds the decoder for the body of a request. The error is the API's 415.
func (c *call) codecFor(mediaType string) (runtime.SerializerInfo, error) {
	offers := c.server.offers(c.resource)
	for _, info := range offers {
		if info.MediaType == mediaType {
			return info, nil
		}
	}
	return runtime.SerializerInfo{}, unsupportedMediaType(mediaTypes(offers))
}

// decode reads the body as an object of a kind. What the kind does not have is treated as the
// client asks for; the error is the API's BadRequest.
func (c *call) decode(kind schema.GroupVersionKind, validation string) (runtime.Object, error) {
	data, err := c.body()
	if err != nil {
		return nil, err
	}
	info, err := c.codecFor(contentType(c.r))
	if err != nil {
		return nil, err
	}
	return c.decodeAs(info, data, kind, validation)
}

func (c *call) decodeAs(info runtime.SerializerInfo, data []byte, kind schema.GroupVersionKind, validation string) (runtime.Object, error) {
	decoder := info.StrictSerializer
	if validation == metav1.FieldValidationIgnore {
		decoder = info.Serializer
	}
	o, found, err := decoder.Decode(data, &kind, nil)
	if strict, ok := runtime.AsStrictDecodingError(err); ok && o != nil {
		if validation == metav1.FieldValidationStrict {
			return nil, badRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: %v", found.Kind, found.Version, found.Kind, strict))
		}
		for _, err := range strict.Errors() {
			c.warn(err.Error())
		}
		err = nil
	}
	if err != nil {
		if found == nil || found.Kind == "" {
			return nil, badRequest(fmt.Sprintf("the object provided is unrecognized (must be of type %s): %v (%s)", kind.Kind, err, glimpse(data)))
		}
		return nil, badRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: %v", found.Kind, found.Version, kind.Kind, err))
	}
	if *found != kind {
		return nil, badRequest(fmt.Sprintf("the API version in the data (%s, Kind=%s) does not match the expected API version (%s, Kind=%s)",
			found.GroupVersion(), found.Kind, kind.GroupVersion(), kind.Kind))
	}
	o.GetObjectKind().SetGroupVersionKind(kind)
	return o, nil
}

// glimpse is the beginning of a body that cannot be read: JSON as it is, all else in hexadecimal.
func glimpse(data []byte) string {
	const most = 30
	end := ""
	if len(data) > most {
		data, end = data[:most], " ..."
	}
	switch {
	case len(data) == 0:
		return "<empty>"
	case data[0] == '{':
		return string(data) + end
	}
	return hex.EncodeToString(data) + end
}

// decodeObject reads the body as an object of the resource, which must be where the path says.
func (c *call) decodeObject(validation string) (store.Object, error) {
	o, err := c.decode(c.resource.GVK, validation)
	if err != nil {
		return nil, err
	}
	object := o.(store.Object)
	return object, c.place(object)
}

// place gives an object the namespace and the name of the path. The error says that it has others.
func (c *call) place(o metav1.Object) error {
	switch name := o.GetName(); {
	case c.target.name == "" || name == c.target.name:
	case name == "":
		return badRequest(fmt.Sprintf("the name of the object (%s based on URL) was undeterminable: name must be provided", c.target.name))
	default:
		return badRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", name, c.target.name))
	}
	switch namespace := o.GetNamespace(); {
	case namespace == c.target.namespace:
	case namespace == "":
		o.SetNamespace(c.target.namespace)
	case c.target.namespace == "":
		o.SetNamespace("") // of a kind that has none
	default:
		return badRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	return nil
}
