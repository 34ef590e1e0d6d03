//go:build kubelet && linux

package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/probity-run/probity/test/differential/cluster"
)

// registry is a registry of images on loopback, which has none until one is pushed.
type registry struct {
	address string
	// slowness is how long it takes to give the layer of an image.
	slowness time.Duration
	pushed   atomic.Pointer[cluster.Packed]
}

// startRegistry serves until the test ends.
func startRegistry(t *testing.T) *registry {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &registry{address: "localhost:" + strings.TrimPrefix(listener.Addr().String(), "127.0.0.1:")}
	server := &http.Server{Handler: r}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := errors.Join(server.Shutdown(context.WithoutCancel(t.Context())), <-served); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return r
}

// ServeHTTP implements [http.Handler]: as much of the registries' protocol as pulling takes.
func (r *registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if request.URL.Path == "/v2/" {
		return
	}
	image := r.pushed.Load()
	if image == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	manifest := manifestOf(image)
	switch _, what, _ := strings.Cut(strings.TrimPrefix(request.URL.Path, "/v2/"), "/"); what {
	case "manifests/1", "manifests/" + cluster.Digest(manifest):
		w.Header().Set("Content-Type", manifestType)
		w.Header().Set("Docker-Content-Digest", cluster.Digest(manifest))
		_, _ = w.Write(manifest) // who does not take it asks again
	case "blobs/" + cluster.Digest(image.Config):
		_, _ = w.Write(image.Config)
	case "blobs/" + cluster.Digest(image.Layer):
		select {
		case <-time.After(r.slowness):
		case <-request.Context().Done():
		}
		_, _ = w.Write(image.Layer)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

const manifestType = "application/vnd.oci.image.manifest.v1+json"

func manifestOf(image *cluster.Packed) []byte {
	blob := func(kind string, data []byte) map[string]any {
		return map[string]any{"mediaType": "application/vnd.oci.image." + kind, "digest": cluster.Digest(data), "size": len(data)}
	}
	data, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": manifestType,
		"config": blob("config.v1+json", image.Config), "layers": []any{blob("layer.v1.tar", image.Layer)},
	})
	if err != nil {
		panic(err) // maps of texts and numbers
	}
	return data
}
