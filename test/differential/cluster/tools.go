package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Version is the version of Kubernetes: what the module in test/differential/kubernetes requires.
const Version = "v1.36.3"

// packages of Debian that the node needs, and a program of each.
var packages = map[string]string{
	"containerd": "containerd", "runc": "runc", "iproute2": "ip", "iptables": "iptables",
	"containernetworking-plugins": filepath.Join(cniPlugins, "bridge"),
}

// cniPlugins is where Debian keeps them.
const cniPlugins = "/usr/lib/cni"

// Tools are the programs of a cluster.
type Tools struct {
	// Kubernetes is every component in one program, see test/differential/kubernetes.
	Kubernetes string
	// Player is the program in the containers.
	Player string
}

// ErrImpossible is why a real kubelet cannot run on this machine. It is no failure of anything.
var ErrImpossible = errors.New("a real kubelet cannot run here")

// Prepare installs the packages that are missing and builds the programs, or takes them from the
// cache. root is the repository. The first build of Kubernetes takes about 15 minutes of one core,
// 4 GB of disk and the Go module proxy.
func Prepare(ctx context.Context, root string, logger *slog.Logger) (Tools, error) {
	if os.Geteuid() != 0 {
		return Tools{}, fmt.Errorf("%w: it takes root", ErrImpossible)
	}
	if err := install(ctx, logger); err != nil {
		return Tools{}, fmt.Errorf("%w: %w", ErrImpossible, err)
	}
	cache, err := CacheDir()
	if err != nil {
		return Tools{}, err
	}
	kubernetes, err := buildKubernetes(ctx, root, cache, logger)
	if err != nil {
		return Tools{}, fmt.Errorf("%w: %w", ErrImpossible, err)
	}
	player, err := BuildPlayer(ctx, root, cache)
	return Tools{Kubernetes: kubernetes, Player: player}, err
}

// CacheDir is the folder, outside the repository, that keeps what was built.
func CacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cannot find a cache folder: %w", err)
	}
	dir := filepath.Join(base, "probity-differential")
	return dir, os.MkdirAll(dir, 0o755)
}

// install installs the packages whose programs are not there.
func install(ctx context.Context, logger *slog.Logger) error {
	var missing []string
	for name, program := range packages {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("cannot install %s: there is no apt-get", strings.Join(missing, ", "))
	}
	logger.Info("Installing packages", "names", missing)
	for _, args := range [][]string{{"update", "-q"}, append([]string{"install", "-yq", "--no-install-recommends"}, missing...)} {
		if out, err := exec.CommandContext(ctx, "apt-get", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("cannot install %s: %w\n%s", strings.Join(missing, ", "), err, tail(out))
		}
	}
	return nil
}

func tail(out []byte) []byte { return out[max(0, len(out)-2000):] }

// buildKubernetes builds the components unless the cache has them for the same sources.
func buildKubernetes(ctx context.Context, root, cache string, logger *slog.Logger) (string, error) {
	dir := filepath.Join(root, "test", "differential", "kubernetes")
	hash := sha256.New()
	for _, name := range []string{"main.go", "go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		hash.Write(data)
	}
	path := filepath.Join(cache, "kubernetes-"+Version+"-"+hex.EncodeToString(hash.Sum(nil))[:12])
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	logger.Info("Building Kubernetes, which takes a while", "version", Version)
	const stamp = "k8s.io/component-base/version."
	major, rest, _ := strings.Cut(strings.TrimPrefix(Version, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	flags := fmt.Sprintf("-s -w -X %[1]sgitVersion=%[2]s -X %[1]sgitMajor=%[3]s -X %[1]sgitMinor=%[4]s -X %[1]sgitTreeState=clean -X %[1]sgitCommit=%040[5]d",
		stamp, Version, major, minor, 0)
	return path, build(ctx, dir, path, flags)
}

// BuildPlayer builds the program of the containers into a folder.
func BuildPlayer(ctx context.Context, root, dir string) (string, error) {
	path := filepath.Join(dir, "player")
	return path, build(ctx, filepath.Join(root, "test", "differential", "player"), path, "-s -w")
}

// build builds a static program; a build that is broken off leaves none.
func build(ctx context.Context, dir, path, flags string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", flags, "-o", path+".new", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build %s: %w\n%s", filepath.Base(path), err, tail(out))
	}
	return os.Rename(path+".new", path)
}
