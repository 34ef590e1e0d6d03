package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// sumsName is the file with the checksums of all others, in the form of sha256sum.
const sumsName = "SHA256SUMS"

// release is one release while it is made.
type release struct {
	root    string // the repository
	out     string // the folder of the release
	filling string // the folder that takes its place once it is full
	work    string // a folder for what is not kept
	site    bool   // whether it has the site
	build
	made []made
}

// made is a file of the release.
type made struct {
	name   string
	sha256 [sha256.Size]byte
}

// file is a file in an archive, a package or an image, with a path that begins with no slash.
type file struct {
	name string
	mode os.FileMode
	data []byte
}

// make builds the programs and fills the folder.
func (r *release) make(ctx context.Context, platforms []platform) error {
	var programs []program
	for _, p := range platforms {
		built, err := r.compile(ctx, p)
		if err != nil {
			return err
		}
		programs = append(programs, built)
	}
	r.build = programs[0].build
	return r.assemble(ctx, programs)
}

// assemble fills the folder. A release that is refused meanwhile leaves the older one as it is.
func (r *release) assemble(ctx context.Context, programs []program) error {
	var err error
	if r.filling, err = newFolder(r.out); err != nil {
		return err
	}
	defer os.RemoveAll(r.filling) // it is no longer there if all went well
	if err := r.fill(ctx, programs); err != nil {
		return err
	}
	return replaceFolder(r.out, r.filling)
}

// fill writes all files of the release.
func (r *release) fill(ctx context.Context, programs []program) error {
	shared, err := r.shared(ctx, programs)
	if err != nil {
		return err
	}
	var roots []rootFiles
	for _, p := range programs {
		files, err := r.pack(ctx, p, shared)
		if err != nil {
			return err
		}
		if p.os == "linux" {
			roots = append(roots, rootFiles{p.platform, files})
		}
	}
	if len(roots) > 0 {
		if err := r.writeImage(roots); err != nil {
			return err
		}
	}
	if len(programs) == len(allPlatforms()) {
		if err := r.writeRecipes(); err != nil {
			return err
		}
	}
	if r.site {
		if err := r.writeSite(ctx); err != nil {
			return err
		}
	}
	return r.writeSums()
}

// shared are the files that are the same on all platforms: the license, completions, man pages.
func (r *release) shared(ctx context.Context, programs []program) ([]file, error) {
	host, err := r.hostProgram(ctx, programs)
	if err != nil {
		return nil, err
	}
	files, err := completions(ctx, host)
	if err != nil {
		return nil, err
	}
	pages, err := manual(filepath.Join(r.root, "docs", "reference"), r.build)
	if err != nil {
		return nil, err
	}
	license, err := os.ReadFile(filepath.Join(r.root, "LICENSE"))
	return append(append(files, pages...), file{"LICENSE", 0o644, license}), err
}

// pack writes the archive of a platform and, for Linux, the packages. It returns the files of the
// archive.
func (r *release) pack(ctx context.Context, p program, shared []file) ([]file, error) {
	executable, err := os.ReadFile(p.path)
	if err != nil {
		return nil, err
	}
	modules, err := r.linkedModules(ctx, p)
	if err == nil {
		err = checkLinked(p, modules)
	}
	if err != nil {
		return nil, err
	}
	bill, err := billOfMaterials(p, modules)
	if err != nil {
		return nil, err
	}
	files := append(slices.Clone(shared), file{"probity", 0o755, executable}, file{"sbom.cdx.json", 0o644, bill})
	for _, m := range modules {
		files = append(files, m.licenses...)
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	archive, err := tarGz(files, "probity-"+r.plainVersion(), r.time)
	if err != nil {
		return nil, err
	}
	if err := r.write(archiveName(r.plainVersion(), p.platform), 0o644, archive); err != nil {
		return nil, err
	}
	if p.os != "linux" {
		return files, nil
	}
	return files, r.writePackages(p, files)
}

func archiveName(version string, p platform) string {
	return fmt.Sprintf("probity_%s_%s_%s.tar.gz", version, p.os, p.arch)
}

// write adds a file to the release.
func (r *release) write(name string, mode os.FileMode, data []byte) error {
	r.made = append(r.made, made{name, sha256.Sum256(data)})
	return os.WriteFile(filepath.Join(r.filling, name), data, mode)
}

// writeSums writes the checksums of what has been made.
func (r *release) writeSums() error {
	slices.SortFunc(r.made, func(a, b made) int { return strings.Compare(a.name, b.name) })
	var sums strings.Builder
	for _, m := range r.made {
		fmt.Fprintf(&sums, "%s  %s\n", hex.EncodeToString(m.sha256[:]), m.name)
	}
	return os.WriteFile(filepath.Join(r.filling, sumsName), []byte(sums.String()), 0o644)
}

// outFromRoot is the path of the release's folder for commands that are run in the repository.
func (r *release) outFromRoot() string {
	below, err := filepath.Rel(r.root, r.out)
	if err != nil || !filepath.IsLocal(below) {
		return r.out
	}
	return filepath.ToSlash(below)
}

// instructions say what goes where.
func (r *release) instructions() string {
	version, out := r.plainVersion(), r.outFromRoot()
	var text strings.Builder
	fmt.Fprintf(&text, "%s has Probity %s, commit %s. Nothing was published. What goes where:\n\n", r.out, r.version, r.commit)
	isPrerelease := strings.Contains(version, "-")
	flags := " --verify-tag" // else gh makes a tag that is not there, of another commit perhaps
	if isPrerelease {
		flags += " --prerelease" // else the one-line install would get it
	}
	fmt.Fprintf(&text, "the release on GitHub, once the tags are pushed (release/release tag %s):\n  gh release create %s%s", r.version, r.version, flags)
	for _, m := range r.made {
		fmt.Fprintf(&text, " \\\n    %s", path.Join(out, m.name))
	}
	fmt.Fprintf(&text, " \\\n    %s\n", path.Join(out, sumsName))
	for _, line := range [][2]string{
		{imageName(version), fmt.Sprintf("the image:\n  skopeo copy --all oci-archive:%s docker://%s:%s", path.Join(out, imageName(version)), imageRepository, version)},
		{formulaName, "Homebrew: " + path.Join(out, formulaName) + " to Formula/ of github.com/probity-run/homebrew-tap"},
		{nixName, "nix: " + path.Join(out, nixName) + " to pkgs/by-name/pr/probity/package.nix of nixpkgs, or to an overlay"},
		{pkgbuildName, "AUR: " + path.Join(out, pkgbuildName) + ", and " + path.Join(out, srcinfoName) + " as .SRCINFO, to ssh://aur@aur.archlinux.org/probity-bin.git"},
		{krewName, "krew: " + path.Join(out, krewName) + " to plugins/ of github.com/kubernetes-sigs/krew-index"},
		{siteName(version), "the documentation and the playground: what " + path.Join(out, siteName(version)) + " unpacks to any static host"},
	} {
		if isPrerelease && line[0] != imageName(version) {
			continue // everybody gets the newest that package managers know, and reads its documentation
		}
		if slices.ContainsFunc(r.made, func(m made) bool { return m.name == line[0] }) {
			text.WriteString(line[1] + "\n")
		}
	}
	return text.String()
}
