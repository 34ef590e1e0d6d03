package kubectl

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
)

// BuildKubectl builds kubectl into the user's cache folder, unless it is there already, and returns
// its path. It is called in the folder of this package.
func BuildKubectl(ctx context.Context) (string, error) {
	version, hash, err := sources()
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cannot find a cache folder: %w", err)
	}
	dir := filepath.Join(cache, "probity-kubectl", "v1."+version+"-"+hash)
	path := filepath.Join(dir, "kubectl") // what it calls itself in its help is this name
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	const stamp = "k8s.io/component-base/version."
	minor := regexp.MustCompile(`^\d+`).FindString(version)
	flags := fmt.Sprintf("-s -w -X %[1]sgitVersion=v1.%[2]s -X %[1]sgitMajor=1 -X %[1]sgitMinor=%[3]s -X %[1]sgitTreeState=clean", stamp, version, minor)
	return path, build(ctx, "kubectl", path, "-ldflags", flags)
}

// sources returns the version of Kubernetes without its major number, such as 36.3, and a hash of
// what decides which program is built.
func sources() (version, hash string, err error) {
	sum := sha256.New()
	for _, name := range []string{"kubectl/main.go", "go.sum", "go.mod"} {
		data, err := os.ReadFile(name)
		if err != nil {
			return "", "", err
		}
		sum.Write(data)
		if m := regexp.MustCompile(`k8s\.io/kubectl v0\.(\S+)`).FindSubmatch(data); m != nil {
			version = string(m[1])
		}
	}
	if version == "" {
		return "", "", errors.New("go.mod requires no k8s.io/kubectl")
	}
	return version, hex.EncodeToString(sum.Sum(nil))[:12], nil
}

// BuildProbity builds the program of this repository into a folder, with the race detector if the
// test has it, and returns its path.
func BuildProbity(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "probity")
	var flags []string
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		flags = []string{"-race"}
	}
	return path, build(ctx, "../../cmd/probity", path, flags...)
}

// build builds the program in a folder with the module that it belongs to. A build that is broken
// off leaves none.
func build(ctx context.Context, dir, path string, flags ...string) error {
	made := path + fmt.Sprintf(".%d", os.Getpid())
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"build", "-trimpath", "-o", made}, flags...), ".")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if !slices.Contains(flags, "-race") {
		cmd.Env = append(cmd.Env, "CGO_ENABLED=0")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build %s: %w\n%s", path, err, out)
	}
	return os.Rename(made, path)
}
