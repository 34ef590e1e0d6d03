package main

import (
	"bytes"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/template"
)

// The names of what is made of the templates. A file on a release's page cannot have a name that
// begins with a dot, so the one of .SRCINFO has none.
const (
	installName  = "install.sh"
	formulaName  = "probity.rb"
	nixName      = "package.nix"
	pkgbuildName = "PKGBUILD"
	srcinfoName  = "SRCINFO"
	krewName     = "probity.yaml" // krew wants the name of the plugin
)

//go:embed recipes
var recipes embed.FS

// recipe is what the templates know.
type recipe struct {
	// Version has no v. ArchVersion is the same as pacman takes it, without a hyphen.
	Version, ArchVersion string
	Tag, Commit, Summary string
	Homepage, Downloads  string // addresses; the second is that of the folder of the archives
	archives             map[string]made
}

// Archive is the name of the archive of a platform, such as linux_amd64.
func (r recipe) Archive(platform string) string { return r.archives[platform].name }

// URL is the address of the archive of a platform.
func (r recipe) URL(platform string) string { return r.Downloads + "/" + r.Archive(platform) }

// SHA256 is the checksum of the archive of a platform, in hexadecimal.
func (r recipe) SHA256(platform string) string {
	sum := r.archives[platform].sha256
	return hex.EncodeToString(sum[:])
}

// SRI is the same checksum as nix writes it.
func (r recipe) SRI(platform string) string {
	sum := r.archives[platform].sha256
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// writeRecipes writes the install script and the recipes of package managers, which name the
// archives of all platforms and their checksums.
func (r *release) writeRecipes() error {
	version := r.plainVersion()
	data := recipe{
		Version: version, ArchVersion: strings.ReplaceAll(version, "-", "_"),
		Tag: r.version, Commit: r.commit, Summary: summary,
		Homepage: homepage, Downloads: homepage + "/releases/download/" + r.version,
		archives: map[string]made{},
	}
	for _, p := range allPlatforms() {
		i := slices.IndexFunc(r.made, func(m made) bool { return m.name == archiveName(version, p) })
		if i < 0 {
			return fmt.Errorf("there is no archive for %s", p)
		}
		data.archives[p.os+"_"+p.arch] = r.made[i]
	}
	templates, err := template.New("recipes").Delims("<<", ">>").Option("missingkey=error").ParseFS(recipes, "recipes/*")
	if err != nil {
		return err
	}
	for _, name := range []string{installName, formulaName, nixName, pkgbuildName, srcinfoName, krewName} {
		var text bytes.Buffer
		if err := templates.ExecuteTemplate(&text, name, data); err != nil {
			return fmt.Errorf("cannot write %s: %w", name, err)
		}
		mode := os.FileMode(0o644)
		if name == installName {
			mode = 0o755
		}
		if err := r.write(name, mode, text.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
