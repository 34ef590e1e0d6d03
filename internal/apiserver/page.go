package apiserver

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/store"
)

// page is where the next page of a list begins: what a continue token carries. The pages of a list
// all bear the version of the first one, and each is what the store holds when it is asked for: a
// watch from that version brings whatever changed in between.
type page struct {
	Version string `json:"rv"`
	// Namespace and Name are the last object of the page before.
	Namespace string `json:"ns,omitempty"`
	Name      string `json:"name"`
}

// token is the page as a client sends it back.
func (p page) token() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings are always JSON
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// parsePage reads a continue token. The error is the API's BadRequest.
func parsePage(token string) (page, error) {
	var p page
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err == nil && (p.Version == "" || p.Name == "") {
		err = fmt.Errorf("it names no version and no object")
	}
	if err != nil {
		return page{}, badRequest(fmt.Sprintf("invalid continue token: continue key is not valid: %v", err))
	}
	return p, nil
}

// follows reports whether an object comes after the page before.
func (p page) follows(o store.Object) bool {
	if c := strings.Compare(o.GetNamespace(), p.Namespace); c != 0 {
		return c > 0
	}
	return o.GetName() > p.Name
}

func badRequest(message string) error {
	return statusError(http.StatusBadRequest, metav1.StatusReasonBadRequest, message)
}

// cut returns the objects of one page, in the order of a list, and how many come after it.
// Without a limit they are all that follow.
func cut(objects []store.Object, after *page, limit int64) (onPage []store.Object, left int) {
	if after != nil {
		for len(objects) > 0 && !after.follows(objects[0]) {
			objects = objects[1:]
		}
	}
	if limit <= 0 || int64(len(objects)) <= limit {
		return objects, 0
	}
	return objects[:limit], len(objects) - int(limit)
}
