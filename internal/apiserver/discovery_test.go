package apiserver

import (
	"mime"
	"testing"

	"github.com/probity-run/probity/internal/apiserver/openapi"
)

// TestOpenAPI2: kubectl asks for the older form in protobuf, others for JSON, and each has to be
// able to read the type of the answer.
func TestOpenAPI2(t *testing.T) {
	c := newClient(t)
	tests := map[string]struct{ accept, mediaType, text string }{
		"kubectl": {
			"application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
			"application/com.github.proto-openapi.spec.v2.v1.0+protobuf", string(openapi.Version2Protobuf()),
		},
		"anybody": {"*/*", "application/json", string(openapi.Version2JSON())},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := c.do("GET", "/openapi/v2", "", "Accept: "+test.accept)
			mediaType, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
			if a.code != 200 || mediaType != test.mediaType || a.text != test.text {
				t.Errorf("%d %s (%v): %q, want 200 %s: %q", a.code, mediaType, err, a.text, test.mediaType, test.text)
			}
			if again := c.do("GET", "/openapi/v2", "", "Accept: "+test.accept, "If-None-Match: "+a.header.Get("ETag")); again.code != 304 {
				t.Errorf("with its ETag: %d, want 304", again.code)
			}
		})
	}
}
