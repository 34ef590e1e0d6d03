package apiserver

import (
	"cmp"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// form is what an object is turned into before it is encoded.
type form string

const (
	whole   form = ""
	asTable form = "Table"
	// asMetadata is PartialObjectMetadata, which clients ask for by that name or, of a list, by
	// that with List behind it.
	asMetadata form = "PartialObjectMetadata"
)

// format is how an answer is encoded.
type format struct {
	runtime.SerializerInfo
	form form
}

// mediaRange is one of the media ranges of an Accept header (RFC 9110, 12.5.1).
type mediaRange struct {
	name    string
	params  map[string]string
	quality float64
}

// parseAccept returns the media ranges of a header, the preferred ones first. What cannot be read
// is passed over.
func parseAccept(header string) (ranges []mediaRange) {
	for clause := range strings.SplitSeq(header, ",") {
		name, params, err := mime.ParseMediaType(clause)
		if err != nil {
			continue
		}
		quality := 1.0
		if q, ok := params["q"]; ok {
			if quality, err = strconv.ParseFloat(q, 64); err != nil || quality < 0 || quality > 1 {
				continue
			}
		}
		if quality > 0 {
			ranges = append(ranges, mediaRange{name, params, quality})
		}
	}
	slices.SortStableFunc(ranges, func(a, b mediaRange) int { return cmp.Compare(b.quality, a.quality) })
	return ranges
}

// matches reports whether a media type lies in the range.
func (m mediaRange) matches(mediaType string) bool {
	if m.name == "*/*" || m.name == mediaType {
		return true
	}
	kind, any := strings.CutSuffix(m.name, "/*")
	return any && strings.HasPrefix(mediaType, kind+"/")
}

// form returns the form that the range asks for.
func (m mediaRange) form() (f form, ok bool) {
	as, asked := m.params["as"]
	if !asked {
		return whole, true
	}
	if group, version := m.params["g"], m.params["v"]; group != metav1.GroupName || version != metav1.SchemeGroupVersion.Version {
		return whole, false
	}
	switch as {
	case "Table":
		return asTable, true
	case "PartialObjectMetadata", "PartialObjectMetadataList":
		return asMetadata, true
	}
	return whole, false
}

// negotiate chooses the format of an answer by the Accept header. The error is the API's 406, which
// lists what is possible. Where there are no such forms, a range that asks for one is passed over.
func negotiate(header string, offers []runtime.SerializerInfo, forms bool) (format, error) {
	if strings.TrimSpace(header) == "" {
		header = "*/*"
	}
	for _, accepted := range parseAccept(header) {
		f, ok := accepted.form()
		if !ok || f != whole && !forms {
			continue
		}
		for _, offer := range offers {
			if accepted.matches(offer.MediaType) && (f != asTable || offer.EncodesAsText) {
				return format{offer, f}, nil
			}
		}
	}
	return format{}, notAcceptable(offers)
}

func mediaTypes(offers []runtime.SerializerInfo) string {
	var names []string
	for _, offer := range offers {
		names = append(names, offer.MediaType)
	}
	return strings.Join(names, ", ")
}

func notAcceptable(offers []runtime.SerializerInfo) error {
	return statusError(http.StatusNotAcceptable, metav1.StatusReasonNotAcceptable, "only the following media types are accepted: "+mediaTypes(offers))
}

func unsupportedMediaType(types string) error {
	return statusError(http.StatusUnsupportedMediaType, metav1.StatusReasonUnsupportedMediaType, "the body of the request was in an unknown format - accepted media types include: "+types)
}

func statusError(code int32, reason metav1.StatusReason, message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: code, Reason: reason, Message: message}}
}
