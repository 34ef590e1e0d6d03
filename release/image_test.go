package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestImage reads the image as a registry would: by what refers to what.
func TestImage(t *testing.T) {
	r := fixture(t)
	packFixture(t, r)
	file, err := os.Open(filepath.Join(r.out, imageName("1.2.3")))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	blobs := untar(t, file)
	if string(blobs["oci-layout"]) == "" {
		t.Error("there is no oci-layout")
	}
	type descriptor struct {
		MediaType, Digest string
		Size              int
		Platform          struct{ OS, Architecture string }
		Annotations       map[string]string
	}
	get := func(d descriptor, into any) []byte {
		data := blobs["blobs/"+strings.Replace(d.Digest, ":", "/", 1)]
		sum := sha256.Sum256(data)
		if len(data) != d.Size || "sha256:"+hex.EncodeToString(sum[:]) != d.Digest {
			t.Errorf("%s is not what its name says", d.Digest)
		}
		if into != nil {
			if err := json.Unmarshal(data, into); err != nil {
				t.Fatal(err)
			}
		}
		return data
	}
	var index, images struct{ Manifests []descriptor }
	if err := json.Unmarshal(blobs["index.json"], &index); err != nil {
		t.Fatal(err)
	}
	if name := index.Manifests[0].Annotations["io.containerd.image.name"]; name != imageRepository+":1.2.3" {
		t.Errorf("the image is called %q", name)
	}
	get(index.Manifests[0], &images)
	var platforms []string
	for _, image := range images.Manifests {
		platforms = append(platforms, image.Platform.OS+"/"+image.Platform.Architecture)
		var manifest struct {
			Config descriptor
			Layers []descriptor
		}
		var config struct {
			OS, Architecture string
			Config           struct {
				User       string
				Entrypoint []string
			}
		}
		get(image, &manifest)
		get(manifest.Config, &config)
		get(manifest.Layers[0], nil)
		if config.OS+"/"+config.Architecture != platforms[len(platforms)-1] || config.Config.User != imageUser || !slices.Equal(config.Config.Entrypoint, []string{"/probity"}) {
			t.Errorf("the image for %s says %+v", platforms[len(platforms)-1], config)
		}
	}
	if !slices.Equal(platforms, []string{"linux/amd64", "linux/arm64"}) {
		t.Errorf("the image is for %v", platforms)
	}
}

func untar(t *testing.T, archive io.Reader) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for in := tar.NewReader(archive); ; {
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
