package clusterdash

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
)

// shown is a source of what is shown.
type shown[T any] []*T

func (s shown[T]) All() (all []*T, complete bool) { return s, true }

// TestDeletePod: what is deleted is the Pod that is shown, and no other one by its name.
func TestDeletePod(t *testing.T) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var options metav1.DeleteOptions
		if err := json.NewDecoder(r.Body).Decode(&options); err != nil || options.Preconditions == nil || options.Preconditions.UID == nil {
			t.Errorf("%s %s has no precondition (%v)", r.Method, r.URL.Path, err)
			return
		}
		got = append(got, r.Method+" "+r.URL.Path+" "+string(*options.Preconditions.UID))
	}))
	defer server.Close()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "db-0", UID: "u"}}
	v := &view{sources: &sources{client: kube.New(server.Client(), server.URL), pods: shown[corev1.Pod]{pod}}}
	if err := v.DeletePod(t.Context(), "shop", "db-0"); err != nil {
		t.Error(err)
	}
	if err := v.DeletePod(t.Context(), "kube-system", "db-0"); err == nil {
		t.Error("a Pod is deleted that is not shown")
	}
	if want := []string{"DELETE /api/v1/namespaces/shop/pods/db-0 u"}; !slices.Equal(got, want) {
		t.Errorf("the requests are %q, want %q", got, want)
	}
}
