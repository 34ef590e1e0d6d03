//go:build kubelet && linux

package deploy

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/probity-run/probity/test/differential/cluster"
)

// root is the repository.
const root = "../../.."

// The environment of the part that is in namespaces: a folder for the cluster, and the programs.
const (
	inDir        = "PROBITY_CLUSTER_DIR"
	inPrograms   = "PROBITY_CLUSTER_PROGRAMS"
	inKubernetes = "PROBITY_CLUSTER_KUBERNETES"
	inPlayer     = "PROBITY_CLUSTER_PLAYER"
)

// inParallel is how many deployments are followed at a time. They hardly do anything but wait.
const inParallel = "18"

// site is the cluster that all tests share, and the programs. Only TestMain sets it.
var site struct {
	*cluster.Cluster
	programs   string // a folder
	probity    string
	calculator cluster.Packed
}

func TestMain(m *testing.M) {
	run := prepare
	if os.Getenv(inDir) != "" {
		run = inNamespaces
	}
	code, err := run(m)
	switch {
	case errors.Is(err, cluster.ErrImpossible): // which is no failure of what is tested
		fmt.Fprintf(os.Stderr, "NOT RUN: %v\n", err)
	case err != nil:
		fmt.Fprintf(os.Stderr, "deploy: %v\n", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// prepare builds what it takes and runs the tests once more, in namespaces.
func prepare(*testing.M) (code int, err error) {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	tools, err := cluster.Prepare(ctx, root, slog.Default())
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "probity-deploy")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := build(ctx, ".", "./cmd/probity", filepath.Join(dir, "probity")); err != nil {
		return 0, err
	}
	if err := build(ctx, "examples/calculator", ".", filepath.Join(dir, "calculator"), "CGO_ENABLED=0"); err != nil {
		return 0, err
	}
	if err := buildImage(ctx, dir); err != nil {
		return 0, err
	}
	inner := filepath.Join(dir, "cluster")
	if err := os.Mkdir(inner, 0o755); err != nil {
		return 0, err
	}
	for name, value := range map[string]string{inDir: inner, inPrograms: dir, inKubernetes: tools.Kubernetes, inPlayer: tools.Player} {
		if err := os.Setenv(name, value); err != nil {
			return 0, err
		}
	}
	return cluster.RunInNamespaces(ctx, os.Args[1:]...)
}

// build builds a program of the module in a folder of the repository.
func build(ctx context.Context, module, pkg, path string, environment ...string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", path, pkg)
	cmd.Dir = filepath.Join(root, module)
	cmd.Env = append(os.Environ(), environment...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build %s: %w\n%s", filepath.Base(path), err, out)
	}
	return nil
}

// releaseImage is the image of a release, among the programs.
const releaseImage = "probity_oci.tar"

// buildImage makes a release of a copy of this repository for this machine, of which it keeps the
// image.
func buildImage(ctx context.Context, dir string) error {
	const version = "0.3.0"
	copied := filepath.Join(dir, "repository")
	for _, words := range [][]string{
		{"git", "clone", "-q", root, copied},
		{copied + "/release/release", "prepare", "v" + version},
		{"git", "-C", copied, "-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "-q", "-a", "--allow-empty", "-m", "prepare"},
		{"git", "-C", copied, "tag", "-f", "v" + version},
		{copied + "/release/release", "build", "-site=false", "-platforms", "linux/" + runtime.GOARCH},
	} {
		if out, err := exec.CommandContext(ctx, words[0], words[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("cannot build the release: %s: %w\n%s", strings.Join(words, " "), err, out)
		}
	}
	return os.Rename(filepath.Join(copied, "dist", "probity_"+version+"_oci.tar"), filepath.Join(dir, releaseImage))
}

// inNamespaces brings the cluster up and runs the tests on it.
func inNamespaces(m *testing.M) (code int, err error) {
	flag.Parse()
	if err := flag.Set("test.parallel", inParallel); err != nil {
		return 0, err
	}
	dir, programs := os.Getenv(inDir), os.Getenv(inPrograms)
	if err := cluster.PrepareNamespaces(context.Background(), dir); err != nil {
		return 0, fmt.Errorf("%w: %w", cluster.ErrImpossible, err)
	}
	tools := cluster.Tools{Kubernetes: os.Getenv(inKubernetes), Player: os.Getenv(inPlayer)}
	c, err := cluster.Options{AllControllers: true, LongBackOff: true}.Start(context.Background(), dir, tools)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", cluster.ErrImpossible, err)
	}
	site.Cluster, site.programs, site.probity = c, programs, filepath.Join(programs, "probity")
	if site.calculator, err = cluster.Pack(calculatorImage, filepath.Join(programs, "calculator")); err == nil {
		err = c.Import(site.calculator)
	}
	if err != nil {
		return 0, errors.Join(err, c.Stop())
	}
	code = m.Run()
	return code, c.Stop()
}
