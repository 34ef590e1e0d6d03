package local

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/probity-run/probity/internal/manifest"
)

// Refuse says what Probity finds wrong with a manifest of one object: "field: message", in order.
// Nil means nothing. dir is a folder for it.
func Refuse(dir, text string) ([]string, error) {
	path := filepath.Join(dir, "manifest.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return nil, err
	}
	_, err := manifest.Load(manifest.Options{}, path)
	if err == nil {
		return nil, nil
	}
	found, ok := errors.AsType[manifest.Errors](err)
	if !ok {
		return nil, err
	}
	var causes []string
	for _, e := range found {
		causes = append(causes, e.Field+": "+e.Message)
	}
	slices.Sort(causes)
	return slices.Compact(causes), nil
}
