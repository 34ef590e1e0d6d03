package guard

import (
	"encoding/json"
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// refuse answers that a request is refused.
func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, reason *apierrors.StatusError) {
	if seconds, ok := apierrors.SuggestsClientDelay(reason); ok {
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	g.opts.Refuse(w, r, reason)
}

// writeStatus answers with a Status as JSON.
func writeStatus(w http.ResponseWriter, _ *http.Request, reason *apierrors.StatusError) {
	status := reason.Status()
	status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(int(status.Code))
	_ = json.NewEncoder(w).Encode(status) // a client that is gone does not want it
}
