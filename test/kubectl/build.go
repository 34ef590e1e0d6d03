package kubectl

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
)

// released is a program of Kubernetes' own code that is built here.
type released struct {
	dir  string // where its code is
	name string // of the program, which calls itself so in its help
	// required finds in go.mod, as its first group, the version without its major number.
	required string
	files    []string // what decides which program is built
}

func kubectlProgram() released {
	return released{"kubectl", "kubectl", `k8s\.io/kubectl v0\.(\S+)`, []string{"kubectl/main.go", "go.sum", "go.mod"}}
}

// kubernetesProgram is the one whose kubelet test/differential plays beside Probity.
func kubernetesProgram() released {
	const dir = "../differential/kubernetes"
	return released{dir, "kubernetes", `k8s\.io/kubernetes v1\.(\S+)`, []string{dir + "/main.go", dir + "/go.sum", dir + "/go.mod"}}
}

// BuildKubectl builds kubectl into the user's cache folder, unless it is there already, and returns
// its path. It is called in the folder of this package.
func BuildKubectl(ctx context.Context) (string, error) { return kubectlProgram().build(ctx) }

// BuildKubernetes does the same with the components of a cluster, which are one program. The first
// build takes fifteen minutes of one core.
func BuildKubernetes(ctx context.Context) (string, error) { return kubernetesProgram().build(ctx) }

func (r released) build(ctx context.Context) (string, error) {
	version, hash, err := r.version()
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cannot find a cache folder: %w", err)
	}
	dir := filepath.Join(cache, "probity-kubectl", "v1."+version+"-"+hash)
	path := filepath.Join(dir, r.name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	const stamp = "k8s.io/component-base/version."
	minor := regexp.MustCompile(`^\d+`).FindString(version)
	flags := fmt.Sprintf("-s -w -X %[1]sgitVersion=v1.%[2]s -X %[1]sgitMajor=1 -X %[1]sgitMinor=%[3]s -X %[1]sgitTreeState=clean", stamp, version, minor)
	return path, build(ctx, r.dir, path, "-ldflags", flags)
}

// version returns the version of Kubernetes without its major number, such as 36.3, and a hash of
// what decides which program is built.
func (r released) version() (version, hash string, err error) {
	sum, required := sha256.New(), regexp.MustCompile(r.required)
	for _, name := range r.files {
		data, err := os.ReadFile(name)
		if err != nil {
			return "", "", err
		}
		sum.Write(data)
		if m := required.FindSubmatch(data); m != nil && filepath.Base(name) == "go.mod" {
			version = string(m[1])
		}
	}
	if version == "" {
		return "", "", fmt.Errorf("the go.mod of %s requires no %s", r.name, r.required)
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
