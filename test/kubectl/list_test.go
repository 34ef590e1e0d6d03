//go:build kubectl

package kubectl

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/pager"
)

// TestEmptyLists reads every resource that is advertised where nothing is: an empty list is no
// null, and has a version to watch from.
func TestEmptyLists(t *testing.T) {
	c := connect(t)
	lists, err := c.typed.Discovery().ServerPreferredNamespacedResources()
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		for _, r := range list.APIResources {
			if !slices.Contains(r.Verbs, "list") {
				continue
			}
			path := "/apis/" + list.GroupVersion
			if list.GroupVersion == "v1" {
				path = "/api/v1"
			}
			raw, err := c.typed.RESTClient().Get().AbsPath(path, "namespaces", "nowhere", r.Name).DoRaw(t.Context())
			if err != nil {
				t.Errorf("%s/%s is advertised: %v", list.GroupVersion, r.Name, err)
				continue
			}
			var got struct {
				Kind     string
				Metadata struct{ ResourceVersion string }
				Items    *[]json.RawMessage
			}
			if err := json.Unmarshal(raw, &got); err != nil || got.Items == nil || got.Metadata.ResourceVersion == "" || got.Kind != r.Kind+"List" {
				t.Errorf("the list of %s is %s: %v", r.Name, raw, err)
			}
		}
	}
}

// TestPages: a list that is read page by page is one list.
func TestPages(t *testing.T) {
	c := connect(t)
	var want []string
	for i := range 7 {
		want = append(want, c.newConfigMap(t, fmt.Sprintf("c%d", i), "1").Name)
	}
	configMaps := c.typed.CoreV1().ConfigMaps(c.namespace)
	var got, versions []string
	options := metav1.ListOptions{Limit: 3, LabelSelector: "value"}
	for {
		page := must(configMaps.List(t.Context(), options))(t)
		if len(page.Items) > 3 {
			t.Errorf("a page has %d objects, want 3 at most", len(page.Items))
		}
		for _, o := range page.Items {
			got = append(got, o.Name)
		}
		versions = append(versions, page.ResourceVersion)
		if options.Continue = page.Continue; page.Continue == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if pages := slices.Compact(slices.Clone(versions)); len(versions) != 3 || len(pages) != 1 {
		t.Errorf("the pages are of the versions %v, want three of one", versions)
	}

	var pods []string
	list := pager.New(pager.SimplePageFunc(func(options metav1.ListOptions) (runtime.Object, error) { return configMaps.List(t.Context(), options) }))
	list.PageSize = 2
	if err := list.EachListItem(t.Context(), metav1.ListOptions{LabelSelector: "value"}, func(o runtime.Object) error {
		pods = append(pods, o.(*corev1.ConfigMap).Name)
		return nil
	}); err != nil || !slices.Equal(pods, want) {
		t.Errorf("client-go's pager lists %v, want %v: %v", pods, want, err)
	}

	if _, err := configMaps.List(t.Context(), metav1.ListOptions{Limit: 3, Continue: "nonsense"}); !apierrors.IsBadRequest(err) {
		t.Errorf("a continue token that is none: %v, want BadRequest", err)
	}
}

// TestVersions: what a version means that is asked for.
func TestVersions(t *testing.T) {
	c := connect(t)
	configMaps := c.typed.CoreV1().ConfigMaps(c.namespace)
	version := c.newConfigMap(t, "a", "1").ResourceVersion
	c.newConfigMap(t, "b", "1")
	for _, options := range []metav1.ListOptions{
		{},
		{ResourceVersion: "0"},
		{ResourceVersion: version},
		{ResourceVersion: version, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan},
	} {
		options.LabelSelector = "value"
		list := must(configMaps.List(t.Context(), options))(t)
		if len(list.Items) == 0 || options.ResourceVersion == "" && len(list.Items) != 2 {
			t.Errorf("with %q there are %d objects", options.ResourceVersion, len(list.Items))
		}
	}
	if _, err := configMaps.List(t.Context(), metav1.ListOptions{ResourceVersion: "nonsense"}); !apierrors.IsBadRequest(err) && !apierrors.IsInvalid(err) {
		t.Errorf("a version that is none: %v, want BadRequest", err)
	}
	if _, err := configMaps.List(t.Context(), metav1.ListOptions{ResourceVersionMatch: metav1.ResourceVersionMatchExact}); !apierrors.IsInvalid(err) {
		t.Errorf("a match of no version: %v, want Invalid", err)
	}
}

// TestForms: each form of an answer, and of a refusal.
func TestForms(t *testing.T) {
	c := connect(t)
	c.newConfigMap(t, "a", "1")
	tests := map[string]struct {
		accept string
		code   int
		kind   string
		form   string
	}{
		"JSON":          {"application/json", 200, "ConfigMapList", "application/json"},
		"nothing":       {"", 200, "ConfigMapList", "application/json"},
		"anything":      {"*/*", 200, "ConfigMapList", "application/json"},
		"a browser":     {"text/html,application/xhtml+xml,*/*;q=0.8", 200, "ConfigMapList", "application/json"},
		"a Table":       {"application/json;as=Table;v=v1;g=meta.k8s.io", 200, "Table", "application/json"},
		"metadata":      {"application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", 200, "PartialObjectMetadataList", "application/json"},
		"a Table if so": {"application/json;as=Table;v=v9;g=meta.k8s.io,application/json", 200, "ConfigMapList", "application/json"},
		"protobuf":      {protobuf, 200, "", protobuf},
		"unknown":       {"application/x-nonsense", 406, "Status", "application/json"},
		"unknown too":   {"application/json;as=Nonsense;v=v1;g=meta.k8s.io", 406, "Status", "application/json"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var code int
			var form string
			raw, _ := c.typed.CoreV1().RESTClient().Get().Namespace(c.namespace).Resource("configmaps").SetHeader("Accept", test.accept).
				Do(t.Context()).StatusCode(&code).ContentType(&form).Raw() // the code says more than the error
			var got metav1.TypeMeta
			if test.form != protobuf {
				if err := json.Unmarshal(raw, &got); err != nil {
					t.Fatalf("%s: %v", raw, err)
				}
			}
			if form, _, _ = strings.Cut(form, ";"); code != test.code || form != test.form || got.Kind != test.kind {
				t.Errorf("%d %s %s, want %d %s %s", code, form, got.Kind, test.code, test.form, test.kind)
			}
		})
	}
}

// TestRefusals: what is not there, is not possible, or is no body.
func TestRefusals(t *testing.T) {
	c := connect(t)
	const whole = "application/json"
	here := "/api/v1/namespaces/" + c.namespace
	get := func(path string) *rest.Request { return c.typed.RESTClient().Get().AbsPath(path) }
	send := func(verb, path, body, form string) *rest.Request {
		return c.typed.RESTClient().Verb(verb).AbsPath(path).Body([]byte(body)).SetHeader("Content-Type", form)
	}
	post := func(body string) *rest.Request { return send("POST", here+"/configmaps", body, whole) }
	const bad, form = metav1.StatusReasonBadRequest, metav1.StatusReasonUnsupportedMediaType
	tests := map[string]struct {
		request *rest.Request
		code    int
		reason  metav1.StatusReason
	}{
		"no such group":         {get("/apis/nope/v1/things"), 404, ""},
		"no such resource":      {get(here + "/nopes"), 404, ""},
		"no such object":        {get(here + "/configmaps/nope"), 404, metav1.StatusReasonNotFound},
		"no such subresource":   {get(here + "/configmaps/nope/status"), 404, ""},
		"no deletecollection":   {send("DELETE", "/api/v1/namespaces", "", whole), 405, metav1.StatusReasonMethodNotAllowed},
		"no body":               {post(""), 400, bad},
		"no JSON":               {post("{"), 400, bad},
		"another kind":          {post(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"}}`), 400, bad},
		"another namespace":     {post(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"x"}}`), 400, bad},
		"another name":          {send("PUT", here+"/configmaps/b", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}`, whole), 400, bad},
		"an unknown encoding":   {send("POST", here+"/configmaps", "a=b", "application/x-www-form-urlencoded"), 415, form},
		"an unknown patch":      {send("PATCH", here+"/configmaps/a", "{}", "application/x-patch"), 415, form},
		"a body that is large":  {post(strings.Repeat(" ", 4<<20)), 413, metav1.StatusReasonRequestEntityTooLarge},
		"a selector that is no": {get(here+"/configmaps").Param("labelSelector", "a in"), 400, bad},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var code int
			err := test.request.Do(t.Context()).StatusCode(&code).Error()
			if code != test.code || test.reason != "" && apierrors.ReasonForError(err) != test.reason {
				t.Errorf("%d %s: %v\nwant %d %s", code, apierrors.ReasonForError(err), err, test.code, test.reason)
			}
		})
	}
}

// TestNotFoundInProtobuf: an error is in the encoding that was asked for, with its details.
func TestNotFoundInProtobuf(t *testing.T) {
	c := connect(t)
	for form, typed := range map[string]interface {
		Verb(string) *rest.Request
	}{"JSON": c.typed.CoreV1().RESTClient(), "protobuf": c.protobuf.CoreV1().RESTClient()} {
		err := typed.Verb(http.MethodGet).Namespace(c.namespace).Resource("configmaps").Name("nope").Do(t.Context()).Error()
		status, is := errors.AsType[*apierrors.StatusError](err)
		if !is {
			t.Errorf("%s: the error is %v", form, err)
			continue
		}
		want := metav1.Status{
			Status: metav1.StatusFailure, Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound, Message: `configmaps "nope" not found`,
			Details: &metav1.StatusDetails{Name: "nope", Kind: "configmaps"},
		}
		status.ErrStatus.TypeMeta = metav1.TypeMeta{}
		if diff := cmp.Diff(want, status.ErrStatus); diff != "" {
			t.Errorf("%s (-want +got):\n%s", form, diff)
		}
	}
}
