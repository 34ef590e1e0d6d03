package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/probity-run/probity/internal/apiserver/resources"
)

const (
	source = "k8s.io/kubernetes@" + resources.KubernetesVersion
	// sourceSum is the checksum of the module, as a go.sum would have it. Nothing of the module is
	// built, so no go.mod requires it.
	sourceSum = "h1:qDQdoMiluAE2Eab6Fa52YV+WjiGz9mZFFoagEA6cI+o="
)

// published is the source of Kubernetes, in the zip file of its module.
type published struct{ *zip.ReadCloser }

// openPublished downloads the source unless the module cache has it: 20 MB, from which the go
// command also unpacks all files.
func openPublished(ctx context.Context) (published, error) {
	outside, err := os.MkdirTemp("", "probity-openapi-") // of our module, which does not require it
	if err != nil {
		return published{}, err
	}
	defer os.RemoveAll(outside)
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", source)
	cmd.Dir = outside
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return published{}, fmt.Errorf("cannot download %s: %w\n%s%s", source, err, out, stderr.String())
	}
	var module struct{ Zip, Sum string }
	if err := json.Unmarshal(out, &module); err != nil {
		return published{}, fmt.Errorf("cannot read what go mod download says: %w", err)
	}
	if module.Sum != sourceSum {
		return published{}, fmt.Errorf("%s has the checksum %s, want %s: write the new one here if the version is a new one", source, module.Sum, sourceSum)
	}
	archive, err := zip.OpenReader(module.Zip)
	return published{archive}, err
}

// document reads the OpenAPI document of a group and version, given as in the index.
func (p published) document(path string) (document, error) {
	text, err := p.read("api/openapi-spec/v3/" + strings.ReplaceAll(path, "/", "__") + "_openapi.json")
	if err != nil {
		return document{}, err
	}
	d, err := parse(text)
	if err != nil {
		return document{}, fmt.Errorf("cannot read the published document %s: %w", path, err)
	}
	return d, nil
}

func (p published) read(name string) ([]byte, error) {
	file, err := p.Open(source + "/" + name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}
