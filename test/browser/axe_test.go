package browser

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

const (
	axeVersion = "4.14.1"
	axeSum     = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==" // as npm's registry has it
)

// axe is the text of axe-core, from this folder or, once, from npm.
var axe = sync.OnceValues(func() (string, error) {
	const name = "axe.min.js"
	if data, err := os.ReadFile(name); err == nil {
		return string(data), nil
	}
	dir, err := os.MkdirTemp("", "probity-axe-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("npm", "pack", "--silent", "axe-core@"+axeVersion)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot get axe-core by npm: %w: %s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "axe-core-"+axeVersion+".tgz"))
	if err != nil {
		return "", err
	}
	if sum := sha512.Sum512(data); base64.StdEncoding.EncodeToString(sum[:]) != axeSum {
		return "", errors.New("npm has another axe-core " + axeVersion + " than the one whose checksum is pinned")
	}
	script, err := fileOf(data, "package/"+name)
	if err != nil {
		return "", err
	}
	return string(script), os.WriteFile(name, script, 0o644)
})

// fileOf is a file of a package.
func fileOf(tgz []byte, name string) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(tgz))
	if err != nil {
		return nil, err
	}
	for files := tar.NewReader(z); ; {
		header, err := files.Next()
		if err != nil {
			return nil, fmt.Errorf("cannot find %s in the package: %w", name, err)
		}
		if header.Name == name {
			return io.ReadAll(files)
		}
	}
}
