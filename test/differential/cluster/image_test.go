package cluster

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPack(t *testing.T) {
	program := filepath.Join(t.TempDir(), "player")
	if err := os.WriteFile(program, []byte("program"), 0o755); err != nil {
		t.Fatal(err)
	}
	var image bytes.Buffer
	packed, err := Pack("probity.test/program:1", program)
	if err != nil {
		t.Fatal(err)
	}
	if err := packed.save(&image); err != nil {
		t.Fatal(err)
	}
	files := unpack(t, &image)
	var manifest []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if err := json.Unmarshal(files["manifest.json"], &manifest); err != nil || len(manifest) != 1 || manifest[0].RepoTags[0] != packed.Name {
		t.Fatalf("manifest = %s, %v", files["manifest.json"], err)
	}
	layer := files[manifest[0].Layers[0]]
	var config struct {
		Config struct{ Entrypoint []string }
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		} `json:"rootfs"`
	}
	if err := json.Unmarshal(files[manifest[0].Config], &config); err != nil {
		t.Fatal(err)
	}
	if got, want := config.RootFS.DiffIDs[0], "sha256:"+sum(layer); got != want {
		t.Errorf("the layer's digest is %s, want %s", got, want)
	}
	if got := config.Config.Entrypoint; len(got) != 1 || got[0] != "/player" {
		t.Errorf("the entry point is %q, want the program", got)
	}
	if got := unpack(t, bytes.NewReader(layer))["player"]; string(got) != "program" {
		t.Errorf("the program in the image is %q", got)
	}
}

func TestWith(t *testing.T) {
	program := filepath.Join(t.TempDir(), "player")
	if err := os.WriteFile(program, []byte("program"), 0o755); err != nil {
		t.Fatal(err)
	}
	packed, err := Pack("probity.test/program:1", program)
	if err != nil {
		t.Fatal(err)
	}
	with, err := packed.With("probity.test/with:1", "bin/helper", []byte("helper"))
	if err != nil {
		t.Fatal(err)
	}
	files := unpack(t, bytes.NewReader(with.Layer))
	if with.Name != "probity.test/with:1" || len(files) != 2 || string(files["player"]) != "program" || string(files["bin/helper"]) != "helper" {
		t.Errorf("%s has %q", with.Name, files)
	}
	if !strings.Contains(string(with.Config), Digest(with.Layer)) || strings.Contains(string(with.Config), Digest(packed.Layer)) {
		t.Errorf("its configuration is %s", with.Config)
	}
}

func unpack(t *testing.T, r io.Reader) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for in := tar.NewReader(r); ; {
		header, err := in.Next()
		if err == io.EOF {
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

func TestCauses(t *testing.T) {
	invalid := &refusal{"POST /", 422, []byte(`{"reason": "Invalid", "details": {"causes": [{"field": "b", "message": "y"}, {"field": "a", "message": "x"}]}}`)}
	if got, err := causes(invalid); err != nil || len(got) != 2 || got[0] != "a: x" {
		t.Errorf("causes = %q, %v", got, err)
	}
	if _, err := causes(&refusal{"POST /", 500, []byte(`{"reason": "InternalError"}`)}); err == nil {
		t.Error("a server's trouble is taken for a verdict")
	}
	if got, err := causes(nil); got != nil || err != nil {
		t.Errorf("causes = %q, %v, want none", got, err)
	}
}
