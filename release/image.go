package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// imageRepository is where the image is published.
const imageRepository = "ghcr.io/probity-run/probity"

// imageUser is who the program runs as in its image: nobody whom a system knows.
const imageUser = "65532:65532"

func imageName(version string) string { return fmt.Sprintf("probity_%s_oci.tar", version) }

// rootFiles are the files of an image for a platform.
type rootFiles struct {
	platform
	files []file
}

// writeImage writes one image for several platforms as an archive of an OCI image layout: an index
// that names the image, which is an index of one manifest a platform.
func (r *release) writeImage(roots []rootFiles) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, root := range roots {
		image, err := r.image(root)
		if err != nil {
			return fmt.Errorf("cannot make the image for %s: %w", root.platform, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: root.os, Architecture: root.arch}},
		})
	}
	annotated, ok := mutate.Annotations(index, r.annotations()).(v1.ImageIndex)
	if !ok {
		return fmt.Errorf("an index with annotations is no index")
	}
	folder := filepath.Join(r.work, "image")
	path, err := layout.Write(folder, mutate.IndexMediaType(empty.Index, types.OCIImageIndex))
	if err != nil {
		return err
	}
	version := r.plainVersion()
	if err := path.AppendIndex(annotated, layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": version,
		"io.containerd.image.name":          imageRepository + ":" + version,
	})); err != nil {
		return err
	}
	files, err := readTree(folder)
	if err != nil {
		return err
	}
	var archive bytes.Buffer
	if err := writeTar(&archive, files, "", r.time); err != nil {
		return err
	}
	return r.write(imageName(version), 0o644, archive.Bytes())
}

// image is the image of one platform: the static program and its licenses on nothing.
func (r *release) image(root rootFiles) (v1.Image, error) {
	var content []file
	for _, f := range root.files {
		if f.name == "probity" || f.name == "LICENSE" || strings.HasPrefix(f.name, "licenses/") {
			content = append(content, f)
		}
	}
	var layer bytes.Buffer
	if err := writeTar(&layer, content, "", r.time); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil }
	packed, err := tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
	if err != nil {
		return nil, err
	}
	image, err := mutate.Append(mutate.MediaType(empty.Image, types.OCIManifestSchema1), mutate.Addendum{
		Layer: packed, MediaType: types.OCILayer,
		History: v1.History{Created: v1.Time{Time: r.time}, CreatedBy: "release"},
	})
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = root.os, root.arch, v1.Time{Time: r.time}
	config.Config = v1.Config{Entrypoint: []string{"/probity"}, User: imageUser, WorkingDir: "/", Labels: r.annotations()}
	image, err = mutate.ConfigFile(image, config)
	if err != nil {
		return nil, err
	}
	return mutate.ConfigMediaType(image, types.OCIConfigJSON), nil
}

// annotations are what OCI has names for.
func (r *release) annotations() map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":       "probity",
		"org.opencontainers.image.description": summary,
		"org.opencontainers.image.source":      homepage,
		"org.opencontainers.image.version":     r.plainVersion(),
		"org.opencontainers.image.revision":    r.commit,
		"org.opencontainers.image.licenses":    "Apache-2.0",
	}
}

// readTree reads the files of a folder, sorted by name.
func readTree(folder string) ([]file, error) {
	var files []file
	tree := os.DirFS(folder)
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(tree, name)
		files = append(files, file{name, 0o644, data})
		return err
	})
	return files, err
}
