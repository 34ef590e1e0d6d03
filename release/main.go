// Command release makes what people install: archives, packages, an image, an install script and
// the recipes of package managers, of the commit that is checked out; and the site of its
// documentation, with the playground. It fills a folder and says what goes where; it publishes
// nothing.
//
//	release/release build
//
// Two releases of one commit by one version of Go are the same bytes: the time of everything is
// that of the commit, and nothing of the machine gets into a file.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := flag.String("root", "..", "the `folder` of the repository")
	out := flag.String("out", "dist", "the `folder` to fill, in that of the repository; an older release there gives way, and nothing else may be there")
	only := flag.String("platforms", "", "build only for these, such as linux/amd64,darwin/arm64; then there is no install script and no recipe, which name all of them")
	site := flag.Bool("site", true, "make the archive of the documentation and the playground, too")
	flag.Parse()
	if err := run(ctx, *root, *out, *only, *site); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root, out, only string, site bool) error {
	if flag.NArg() > 0 {
		return fmt.Errorf("build takes no argument such as %q: the version is that of the tag", flag.Arg(0))
	}
	platforms, err := parsePlatforms(only)
	if err != nil {
		return err
	}
	root, err = filepath.Abs(root)
	if err != nil {
		return err
	}
	if !filepath.IsAbs(out) {
		out = filepath.Join(root, out)
	}
	if _, err := olderRelease(out); err != nil { // before minutes are spent
		return err
	}
	work, err := os.MkdirTemp("", "probity-release-")
	if err != nil {
		return err
	}
	r := &release{root: root, out: out, work: work, site: site}
	err = r.make(ctx, platforms)
	if removed := os.RemoveAll(work); err == nil {
		err = removed
	}
	if err != nil {
		return err
	}
	fmt.Print(r.instructions())
	return nil
}

// platform is a system and a processor that the program is built for.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "/" + p.arch }

// allPlatforms are those of a release.
func allPlatforms() []platform {
	return []platform{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}}
}

// parsePlatforms reads a list of platforms; an empty one means all.
func parsePlatforms(list string) ([]platform, error) {
	if list == "" {
		return allPlatforms(), nil
	}
	var chosen []platform
	for name := range strings.SplitSeq(list, ",") {
		known := false
		for _, p := range allPlatforms() {
			if p.String() == name {
				chosen, known = append(chosen, p), true
			}
		}
		if !known {
			return nil, fmt.Errorf("there is no platform %q: -platforms takes some of %v", name, allPlatforms())
		}
	}
	return chosen, nil
}
