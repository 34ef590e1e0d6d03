//go:build kubelet && linux

package deploy

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// probedImage is the calculator with the program of the release's image beside it, as COPY --from
// in the how-to puts it there.
const probedImage = "probity.test/probed:1"

// TestImage: a kubelet runs the image of a release as it was made, as nobody, and its program is
// the exec probe of an image that it was copied into.
func TestImage(t *testing.T) {
	t.Parallel()
	archive := filepath.Join(site.programs, releaseImage)
	if err := site.ImportArchive(archive); err != nil {
		t.Fatal(err)
	}
	image := readImage(t, archive)
	probed, err := site.calculator.With(probedImage, "usr/local/bin/probity", image.layer["probity"])
	if err != nil {
		t.Fatal(err)
	}
	give(t, probed)
	const httpGet = "httpGet:\n              path: /readyz\n              port: http\n"
	const exec = "exec:\n              command: [/usr/local/bin/probity, probe, http, \"http://127.0.0.1:8080/%s\"]\n"
	in := namespace(t, "image")
	with := func(path string) string {
		return calculator(t, append(single, calculatorImage, probedImage, httpGet, strings.Replace(exec, "%s", path, 1), "      containers:\n", `      initContainers:
        - name: version
          image: `+image.name+`
          imagePullPolicy: Never
          args: [version]
          securityContext: {runAsNonRoot: true, readOnlyRootFilesystem: true}
      containers:
`)...)
	}
	wants(t, 0, []string{"up: deployment/calculator 1 of 1"}, write(t, "calculator.yaml", with("readyz")), "-n", in)
	// the probe's own words are those of the program that was copied
	wants(t, 1, []string{"404"}, write(t, "calculator.yaml", with("nothing")), "-n", in, "--timeout", "40s")
}

// releasedImage is what an archive of an OCI image layout has for this machine.
type releasedImage struct {
	name  string
	layer map[string][]byte // its files
}

func readImage(t *testing.T, path string) (image releasedImage) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() // only read from
	files := readTar(t, file)
	type descriptor struct {
		Digest      string
		Platform    struct{ Architecture string }
		Annotations map[string]string
	}
	var index, platforms struct{ Manifests []descriptor }
	var manifest struct{ Layers []descriptor }
	blob := func(d descriptor) []byte { return files["blobs/"+strings.Replace(d.Digest, ":", "/", 1)] }
	decode := func(data []byte, into any) {
		t.Helper()
		if err := json.Unmarshal(data, into); err != nil {
			t.Fatalf("%v: %s", err, data)
		}
	}
	decode(files["index.json"], &index)
	image.name = index.Manifests[0].Annotations["io.containerd.image.name"]
	decode(blob(index.Manifests[0]), &platforms)
	for _, p := range platforms.Manifests {
		if p.Platform.Architecture != runtime.GOARCH {
			continue
		}
		decode(blob(p), &manifest)
		unpacked, err := gzip.NewReader(bytes.NewReader(blob(manifest.Layers[0])))
		if err != nil {
			t.Fatal(err)
		}
		image.layer = readTar(t, unpacked)
	}
	return image
}

func readTar(t *testing.T, r io.Reader) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for in := tar.NewReader(r); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[header.Name], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
	}
}
