package kube

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// pageOf answers a request for a page that goes on after a token with Pods, in protobuf or JSON.
func pageOf(t *testing.T, after, next string, protobuf bool, names ...string) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		if got := r.URL.Query().Get("continue"); got != after || r.URL.Query().Get("limit") != "2" {
			t.Errorf("the request is %s, want one of 2 after %q", r.URL, after)
		}
		list := corev1.PodList{ListMeta: metav1.ListMeta{Continue: next}}
		for _, name := range names {
			list.Items = append(list.Items, corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}})
		}
		if !protobuf {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(list) // the client sees to it
			return
		}
		raw, err := list.Marshal()
		if err != nil {
			t.Error(err)
		}
		data, err := (&runtime.Unknown{Raw: raw, ContentType: runtime.ContentTypeProtobuf}).Marshal()
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", runtime.ContentTypeProtobuf)
		_, _ = w.Write(append([]byte("k8s\x00"), data...))
	}
}

// expired refuses in protobuf, as servers do who is asked for that.
func expired(w http.ResponseWriter, _ *http.Request) {
	status := metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonExpired, Message: "too old", Code: http.StatusGone}
	raw, _ := status.Marshal()                        // the client sees to it
	data, _ := (&runtime.Unknown{Raw: raw}).Marshal() // the client sees to it
	w.Header().Set("Content-Type", runtime.ContentTypeProtobuf)
	w.WriteHeader(http.StatusGone)
	_, _ = w.Write(append([]byte("k8s\x00"), data...)) // the client sees to it
}

// TestPages: protobuf and JSON, page after page; a list whose moment is gone begins again once.
func TestPages(t *testing.T) {
	tests := map[string]struct {
		answers []func(w http.ResponseWriter, r *http.Request)
		want    string
		expired bool
	}{
		"one page":        {answers: []func(http.ResponseWriter, *http.Request){pageOf(t, "", "", true, "a")}, want: "first a"},
		"of JSON":         {answers: []func(http.ResponseWriter, *http.Request){pageOf(t, "", "x", false, "a", "b"), pageOf(t, "x", "", false, "c")}, want: "first a b, c"},
		"begins again":    {answers: []func(http.ResponseWriter, *http.Request){pageOf(t, "", "x", true, "a", "b"), expired, pageOf(t, "", "y", true, "b", "c"), pageOf(t, "y", "", true, "d")}, want: "first a b, first b c, d"},
		"not twice":       {answers: []func(http.ResponseWriter, *http.Request){pageOf(t, "", "x", true, "a"), expired, pageOf(t, "", "y", true, "a"), expired}, want: "first a, first a", expired: true},
		"not in the head": {answers: []func(http.ResponseWriter, *http.Request){expired}, expired: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client := serve(t, test.answers...)
			var got []string
			var last error
			for page, err := range Pages[corev1.PodList](t.Context(), client, Pods, "", metav1.ListOptions{Limit: 2}) {
				if last = err; err != nil {
					continue
				}
				var names []string
				if page.First {
					names = append(names, "first")
				}
				for i := range page.List.Items {
					names = append(names, page.List.Items[i].Name)
				}
				got = append(got, strings.Join(names, " "))
			}
			if want := slices.DeleteFunc(strings.Split(test.want, ", "), func(s string) bool { return s == "" }); !slices.Equal(got, want) {
				t.Errorf("pages %q, want %q", got, want)
			}
			if apierrors.IsResourceExpired(last) != test.expired {
				t.Errorf("error %v", last)
			}
		})
	}
}
