package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/gobuild"
)

// program is a build of cmd/probity.
type program struct {
	platform
	path string
	// linked are the modules that it consists of, as path@version, sorted; its own and Go's are not
	// among them.
	linked []string
	build
}

// build is what the go command has written into a program.
type build struct {
	version string // of the module, such as v1.2.3
	commit  string
	time    time.Time // of the commit
	golang  string    // the version of Go
}

// compile builds the program for a platform: static, stripped, and with nothing of this machine.
func (r *release) compile(ctx context.Context, p platform) (program, error) {
	path := filepath.Join(r.work, p.os+"_"+p.arch, "probity")
	if _, err := r.goCommand(ctx, p, "build", "-o", path, "-trimpath", "-buildvcs=true", "-ldflags=-s -w", "./cmd/probity"); err != nil {
		return program{}, err
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return program{}, err
	}
	built := program{platform: p, path: path}
	for _, m := range info.Deps {
		built.linked = append(built.linked, m.Path+"@"+m.Version)
	}
	slices.Sort(built.linked)
	built.build, err = readBuild(info)
	return built, err
}

// readBuild reads from which commit a program was built, which has to be known.
func readBuild(info *debug.BuildInfo) (build, error) {
	settings := map[string]string{}
	for _, setting := range info.Settings {
		settings[setting.Key] = setting.Value
	}
	if settings["vcs.revision"] == "" {
		return build{}, fmt.Errorf("the go command finds no commit of git: release from a clone, not from a folder that git worktree made")
	}
	if settings["vcs.modified"] != "false" {
		return build{}, fmt.Errorf("a release is that of a commit, but the checkout has changes: commit or remove what git status shows")
	}
	at, err := time.Parse(time.RFC3339, settings["vcs.time"])
	if err != nil {
		return build{}, fmt.Errorf("the program does not know the time of its commit: %w", err)
	}
	return build{info.Main.Version, settings["vcs.revision"], at.UTC(), info.GoVersion}, nil
}

// plainVersion is the version without the v, as packages write it.
func (b build) plainVersion() string { return strings.TrimPrefix(b.version, "v") }

// goCommand runs the go command in the repository, for a platform, as the released module is built:
// without the workspace.
func (r *release) goCommand(ctx context.Context, p platform, args ...string) ([]byte, error) {
	return goIn(ctx, r.root, "off", p, args...)
}

// goIn runs the go command in a folder and a workspace, for a platform.
func goIn(ctx context.Context, dir, workspace string, p platform, args ...string) ([]byte, error) {
	common, err := gobuild.Environment()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(common, "GOOS="+p.os, "GOARCH="+p.arch, "CGO_ENABLED=0", "GOWORK="+workspace)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s for %s: %w\n%s", strings.Join(args, " "), p, err, stderr.String())
	}
	return out, nil
}

// hostProgram is a program that runs here.
func (r *release) hostProgram(ctx context.Context, programs []program) (program, error) {
	host := platform{runtime.GOOS, runtime.GOARCH}
	for _, p := range programs {
		if p.platform == host {
			return p, nil
		}
	}
	return r.compile(ctx, host)
}

// completions are what makes shells complete the command line, as the program prints it.
func completions(ctx context.Context, p program) ([]file, error) {
	var files []file
	for shell, name := range map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion} {
		script, err := exec.CommandContext(ctx, p.path, "completion", shell).Output()
		if err != nil {
			return nil, fmt.Errorf("cannot make the completion of %s: %w", shell, err)
		}
		files = append(files, file{name, 0o644, script})
	}
	return files, nil
}
