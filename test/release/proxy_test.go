//go:build release

package release

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each module can be had from a module proxy by go get alone, in an empty folder, and builds there.
// The proxy is a folder, and go itself makes it: what it downloads from a tagged repository has the
// layout of one.
func TestModulesFromProxy(t *testing.T) {
	const version = "v0.3.0"
	r := newRepository(t)
	r.run(t, "release/release", "prepare", version)
	r.commit(t)
	r.run(t, "release/release", "tag", version)

	proxy, machine := t.TempDir(), goEnv(t, "GOMODCACHE")
	for _, name := range []string{"", "/health", "/health/connecthealth", "/health/grpchealth", "/health/otel", "/health/prometheus"} {
		output(t, t.TempDir(), []string{
			"GOMODCACHE=" + proxy, "GOPROXY=direct", "GONOSUMDB=" + module, "GOWORK=off", "GOFLAGS=-modcacherw",
			"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url.file://" + r.dir + ".insteadOf", "GIT_CONFIG_VALUE_0=https://" + module,
		}, "go", "mod", "download", module+name+"@"+version)
	}
	env := []string{
		"GOMODCACHE=" + t.TempDir(), "GONOSUMDB=" + module, "GOWORK=off", "GOFLAGS=-modcacherw -trimpath",
		"CGO_ENABLED=0", // as release/release build has it, which finds in Go's cache what was compiled here
		// modules of others come from where this machine has them, or gets them
		fmt.Sprintf("GOPROXY=file://%s/cache/download,file://%s/cache/download,%s", proxy, machine, goEnv(t, "GOPROXY")),
	}
	t.Run("cmd/probity", func(t *testing.T) {
		dir := t.TempDir()
		output(t, dir, append(env, "GOBIN="+dir), "go", "install", module+"/cmd/probity@"+version)
		if got := output(t, dir, nil, "./probity", "version"); !strings.HasPrefix(got, "probity  "+version+"\n") {
			t.Errorf("it prints\n%s", got)
		}
	})
	for pkg, use := range map[string]string{
		"probe":                "probe.Prober",
		"probe/engine":         "*engine.Engine",
		"health":               "*health.Health",
		"health/connecthealth": "= connecthealth.Checker",
		"health/grpchealth":    "= grpchealth.Register",
		"health/otel":          "= otel.Register",
		"health/prometheus":    "= prometheus.Collector",
	} {
		t.Run(pkg, func(t *testing.T) {
			dir := t.TempDir()
			program := fmt.Sprintf("package main\nimport %q\nvar _ %s\nfunc main() {}\n", module+"/"+pkg, use)
			if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o644); err != nil {
				t.Fatal(err)
			}
			output(t, dir, env, "go", "mod", "init", "example.com/empty")
			output(t, dir, env, "go", "get", module+"/"+pkg+"@"+version)
			output(t, dir, env, "go", "build", "-o", "program", ".")
			output(t, dir, env, "./program")
		})
	}
}

// A program that is built in a checkout knows its commit, and one that comes from the proxy its
// version.
func TestVersion(t *testing.T) {
	r := newRepository(t)
	program := filepath.Join(t.TempDir(), "probity")
	env := []string{"GOWORK=off", "CGO_ENABLED=0", "GOFLAGS=-buildvcs=true -trimpath"}
	output(t, r.dir, env, "go", "build", "-o", program, "./cmd/probity")
	head := strings.Fields(r.run(t, "git", "log", "-1", "--format=%H %cs"))
	if got := output(t, r.dir, nil, program, "version"); !strings.Contains(got, "commit   "+head[0]+"\ndate     "+head[1]) {
		t.Errorf("commit and date are %s, but it prints\n%s", head, got)
	}
	r.append(t, "README.md", "\n")
	output(t, r.dir, env, "go", "build", "-o", program, "./cmd/probity")
	if got := output(t, r.dir, nil, program, "version"); !strings.Contains(got, head[0]+" (modified)\n") {
		t.Errorf("after a change it prints\n%s", got)
	}
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	return strings.TrimSpace(output(t, root, nil, "go", "env", name))
}
