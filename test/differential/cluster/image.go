package cluster

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
)

// Image is the only image of the cluster: nothing but the player, which does nothing unless it is
// told to.
const Image = "probity.test/player:1"

// playerPath is where the player is in its image.
const playerPath = "/player"

// writeImage wraps a static program into an image of one layer, in the form of docker save.
func writeImage(w io.Writer, program string) error {
	data, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	var layer bytes.Buffer
	if err := archive(&layer, file{playerPath[1:], 0o755, data}); err != nil {
		return err
	}
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Cmd": []string{playerPath, "pause"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + sum(layer.Bytes())}},
	})
	if err != nil {
		return err
	}
	name := sum(config) + ".json"
	manifest, err := json.Marshal([]map[string]any{{"Config": name, "RepoTags": []string{Image}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return err
	}
	return archive(w, file{"manifest.json", 0o644, manifest}, file{name, 0o644, config}, file{"layer.tar", 0o644, layer.Bytes()})
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

func sum(data []byte) string {
	hash := sha256.Sum256(data)
	return hex.EncodeToString(hash[:])
}
