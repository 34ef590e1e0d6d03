package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// siteName is the archive of the documentation and the playground.
func siteName(version string) string { return fmt.Sprintf("probity-%s-site.tar.gz", version) }

// writeSite writes what docs/site makes of the commit, as an archive. It makes it of a clone: a
// checkout may have pages that git ignores, and the site would have them too.
func (r *release) writeSite(ctx context.Context) error {
	clone, folder := filepath.Join(r.work, "clone"), filepath.Join(r.work, "site")
	for _, args := range [][]string{
		{"clone", "-q", "--shared", "--no-checkout", r.root, clone},
		{"-C", clone, "-c", "core.autocrlf=false", "-c", "core.eol=lf", "-c", "core.attributesFile=/dev/null", "checkout", "-q", "--detach", r.commit}, // as the commit has it
	} {
		if out, err := exec.CommandContext(ctx, "git", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("cannot check out the commit for the site: git %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	// docs/site, a module of its own, finds the repository by the workspace
	workspace := filepath.Join(clone, "go.work")
	if _, err := goIn(ctx, clone, workspace, platform{runtime.GOOS, runtime.GOARCH}, "run", "./docs/site", folder); err != nil {
		return fmt.Errorf("cannot make the site (-site=false leaves it out): %w", err)
	}
	files, err := readTree(folder)
	if err != nil {
		return err
	}
	name := siteName(r.plainVersion())
	archive, err := tarGz(files, strings.TrimSuffix(name, ".tar.gz"), r.time)
	if err != nil {
		return err
	}
	return r.write(name, 0o644, archive)
}
