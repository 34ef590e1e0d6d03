package apiserver

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
)

func testCodecs(tb testing.TB) []runtime.SerializerInfo {
	tb.Helper()
	scheme, err := newScheme(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return newCodecs(scheme)
}

func TestNegotiate(t *testing.T) {
	const protobuf, json, yaml = "application/vnd.kubernetes.protobuf", "application/json", "application/yaml"
	const table = ";as=Table;v=v1;g=meta.k8s.io"
	codecs := testCodecs(t)
	for _, test := range []struct {
		accept    string
		mediaType string
		form      form
	}{
		{"", json, whole},
		{"*/*", json, whole},
		{"application/*", json, whole},
		{json, json, whole},
		{protobuf, protobuf, whole},
		{protobuf + "," + json, protobuf, whole},
		{"text/html, " + yaml, yaml, whole},
		{json + ";q=0.5," + yaml, yaml, whole},
		{json + ";q=0," + yaml, yaml, whole},
		// what kubectl sends for get
		{json + table + "," + json + ";as=Table;v=v1beta1;g=meta.k8s.io," + json, json, asTable},
		// an old client
		{json + ";as=Table;v=v1beta1;g=meta.k8s.io," + json, json, whole},
		// no protobuf can carry a Table
		{protobuf + table + "," + json, json, whole},
		// what client-go's metadata client sends
		{protobuf + ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1," + json + ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", protobuf, asMetadata},
		{json + ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1", json, asMetadata},
		{json + ";charset=utf-8", json, whole},
		{protobuf + ";stream=watch", protobuf, whole},
	} {
		got, err := negotiate(test.accept, codecs, true)
		if err != nil || got.MediaType != test.mediaType || got.form != test.form {
			t.Errorf("%s: %s as %q, %v, want %s as %q", test.accept, got.MediaType, got.form, err, test.mediaType, test.form)
		}
	}
	for _, accept := range []string{"text/html", json + ";q=0", "application/xml;q=0.9", json + ";as=Other;v=v1;g=meta.k8s.io", "nonsense"} {
		_, err := negotiate(accept, codecs, true)
		if !apierrors.IsNotAcceptable(err) || !strings.Contains(err.Error(), "application/json, application/yaml, application/vnd.kubernetes.protobuf") {
			t.Errorf("%s: error %v, want NotAcceptable with what is possible", accept, err)
		}
	}
	if got, err := negotiate(json+table+","+yaml, codecs, false); err != nil || got.MediaType != yaml {
		t.Errorf("without forms: %s, %v, want the next range", got.MediaType, err)
	}
}

func FuzzNegotiate(f *testing.F) {
	codecs := testCodecs(f)
	f.Add("application/json;as=Table;v=v1;g=meta.k8s.io, */*;q=0.1")
	f.Add("application/*;q=nan,,;")
	f.Fuzz(func(t *testing.T, accept string) {
		got, err := negotiate(accept, codecs, true)
		if err == nil && (got.Serializer == nil || got.form == asTable && !got.EncodesAsText) {
			t.Errorf("%q: %+v", accept, got)
		}
	})
}
