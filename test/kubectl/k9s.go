//go:build kubectl && k9s

package kubectl

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// k9sVersion is the version of the terminal application that is played.
const k9sVersion = "v0.50.16"

// BuildK9s builds k9s from its module into the user's cache folder, unless it is there already, and
// returns its path. The first build takes eight minutes of one core.
func BuildK9s(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cannot find a cache folder: %w", err)
	}
	dir := filepath.Join(cache, "probity-kubectl", "k9s-"+k9sVersion)
	path := filepath.Join(dir, "k9s")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	download := exec.CommandContext(ctx, "go", "mod", "download", "-json", "github.com/derailed/k9s@"+k9sVersion)
	download.Dir, download.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	out, err := download.Output()
	var module struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &module); jsonErr != nil || err != nil || module.Error != "" {
		return "", fmt.Errorf("cannot get k9s: %v, %v %s", err, jsonErr, module.Error)
	}
	return path, build(ctx, module.Dir, path, "-ldflags", "-s -w -X github.com/derailed/k9s/cmd.version="+k9sVersion)
}
