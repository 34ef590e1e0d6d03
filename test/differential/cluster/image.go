package cluster

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Image is the image that every cluster has: nothing but the player, which does nothing unless it
// is told to.
const Image = "probity.test/player:1"

// playerPath is where the player is in its image.
const playerPath = "/player"

// Packed is a static program in an image of one layer.
type Packed struct {
	// Name is that of the image, with its tag.
	Name string
	// Config is the image's configuration as JSON, Layer an archive of its files, as it is.
	Config, Layer []byte
}

// Pack wraps a static program into an image, of which it is the entry point.
func Pack(name, program string) (Packed, error) {
	path := "/" + filepath.Base(program)
	return pack(name, program, path, map[string]any{"Entrypoint": []string{path}})
}

// With is the image of another name with one more file that can be run, as a COPY puts it there.
func (p Packed) With(name, path string, data []byte) (Packed, error) {
	var layer bytes.Buffer
	files, err := unarchive(bytes.NewReader(p.Layer))
	if err == nil {
		err = archive(&layer, append(files, file{path, 0o755, data})...)
	}
	if err != nil {
		return Packed{}, err
	}
	config := strings.Replace(string(p.Config), Digest(p.Layer), Digest(layer.Bytes()), 1)
	return Packed{name, []byte(config), layer.Bytes()}, nil
}

// packPlayer wraps the player, which is a Pod's pause program if nobody says otherwise.
func packPlayer(program string) (Packed, error) {
	return pack(Image, program, playerPath, map[string]any{"Cmd": []string{playerPath, "pause"}})
}

func pack(name, program, path string, start map[string]any) (Packed, error) {
	data, err := os.ReadFile(program)
	if err != nil {
		return Packed{}, err
	}
	var layer bytes.Buffer
	if err := archive(&layer, file{path[1:], 0o755, data}); err != nil {
		return Packed{}, err
	}
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "config": start,
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{Digest(layer.Bytes())}},
	})
	return Packed{name, config, layer.Bytes()}, err
}

// save writes an image in the form of docker save.
func (p Packed) save(w io.Writer) error {
	name := sum(p.Config) + ".json"
	manifest, err := json.Marshal([]map[string]any{{"Config": name, "RepoTags": []string{p.Name}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return err
	}
	return archive(w, file{"manifest.json", 0o644, manifest}, file{name, 0o644, p.Config}, file{"layer.tar", 0o644, p.Layer})
}

type file struct {
	name string
	mode int64
	data []byte
}

func archive(w io.Writer, files ...file) error {
	out := tar.NewWriter(w)
	for _, f := range files {
		if err := out.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.data))}); err != nil {
			return err
		}
		if _, err := out.Write(f.data); err != nil {
			return fmt.Errorf("cannot write %s: %w", f.name, err)
		}
	}
	return out.Close()
}

func unarchive(r io.Reader) (files []file, err error) {
	for in := tar.NewReader(r); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(in)
		if err != nil {
			return nil, err
		}
		files = append(files, file{header.Name, header.Mode, data})
	}
}

// Digest names data in the way of registries.
func Digest(data []byte) string { return "sha256:" + sum(data) }

func sum(data []byte) string {
	hash := sha256.Sum256(data)
	return hex.EncodeToString(hash[:])
}
