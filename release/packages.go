package main

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
	packagefiles "github.com/goreleaser/nfpm/v2/files"
	"github.com/goreleaser/nfpm/v2/rpm"
)

const (
	summary  = "Run a service under Kubernetes' startup, readiness and liveness probes"
	homepage = "https://" + ownModule
	// docFolder is where a package has its licenses; no other package has anything there.
	docFolder = "usr/share/doc/probity"
)

// writePackages writes the packages of Debian and of RPM for a platform.
func (r *release) writePackages(p program, files []file) error {
	for _, packager := range []struct {
		name, zshFolder string
		nfpm.Packager
	}{
		{"deb", "usr/share/zsh/vendor-completions", deb.Default},
		{"rpm", "usr/share/zsh/site-functions", rpm.DefaultRPM},
	} {
		installed, err := installedFiles(files, packager.zshFolder)
		if err != nil {
			return err
		}
		contents, err := r.contents(packager.name+"_"+p.arch, installed)
		if err != nil {
			return err
		}
		info := nfpm.WithDefaults(r.packageInfo(p, contents))
		if err := nfpm.PrepareForPackager(info, packager.name); err != nil {
			return fmt.Errorf("cannot prepare the %s: %w", packager.name, err)
		}
		var data bytes.Buffer
		if err := packager.Package(info, &data); err != nil {
			return fmt.Errorf("cannot write the %s: %w", packager.name, err)
		}
		// of a pre-release the name has a ~, which GitHub would turn into a dot, unlike SHA256SUMS
		name := strings.ReplaceAll(packager.ConventionalFileName(info), "~", ".")
		if err := r.write(name, 0o644, data.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func (r *release) packageInfo(p program, contents packagefiles.Contents) *nfpm.Info {
	return &nfpm.Info{
		Name: "probity", Platform: p.os, Arch: p.arch, Version: r.version, Release: "1", MTime: r.time,
		Section: "devel", Priority: "optional", Homepage: homepage, License: "Apache-2.0",
		Maintainer:  "The Probity authors <" + homepage + ">",
		Description: summary + ".\nFrom the manifest that is deployed, on this machine, by the kubelet's rules, without a cluster.",
		Overridables: nfpm.Overridables{
			Contents: contents,
			RPM:      nfpm.RPM{BuildHost: "localhost", Group: "Development/Tools", Summary: summary},
		},
	}
}

// installedFiles are the files of an archive where Linux looks for them.
func installedFiles(files []file, zshFolder string) ([]file, error) {
	var installed []file
	for _, f := range files {
		f.name = installedName(f.name, zshFolder)
		if strings.HasPrefix(f.name, "usr/share/man/") {
			compressed, err := gzipped(f.data)
			if err != nil {
				return nil, err
			}
			f.name, f.data = f.name+".gz", compressed
		}
		installed = append(installed, f)
	}
	return installed, nil
}

// installedName is the path of a file of an archive once it is installed.
func installedName(name, zshFolder string) string {
	switch {
	case name == "probity":
		return "usr/bin/probity"
	case name == "LICENSE":
		return docFolder + "/copyright"
	case name == bashCompletion:
		return "usr/share/bash-completion/completions/probity"
	case name == zshCompletion:
		return zshFolder + "/" + path.Base(name)
	case name == fishCompletion:
		return "usr/share/fish/vendor_completions.d/probity.fish"
	case path.Dir(name) == manFolder:
		return path.Join("usr/share", name)
	}
	return path.Join(docFolder, name)
}

// contents puts files into a folder, as nfpm reads them from files.
func (r *release) contents(folder string, files []file) (packagefiles.Contents, error) {
	var contents packagefiles.Contents
	for _, f := range files {
		from := filepath.Join(r.work, folder, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(from), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(from, f.data, f.mode); err != nil {
			return nil, err
		}
		contents = append(contents, &packagefiles.Content{
			Source: from, Destination: "/" + f.name,
			FileInfo: &packagefiles.ContentFileInfo{Owner: "root", Group: "root", Mode: f.mode, MTime: r.time},
		})
	}
	for _, own := range ownFolders(files) {
		contents = append(contents, &packagefiles.Content{
			Type: packagefiles.TypeDir, Destination: "/" + own,
			FileInfo: &packagefiles.ContentFileInfo{Owner: "root", Group: "root", Mode: 0o755, MTime: r.time},
		})
	}
	return contents, nil
}

// ownFolders are the folders that nobody else has, sorted: rpm takes away only what a package
// lists.
func ownFolders(files []file) []string {
	var folders []string
	for _, f := range files {
		for folder := path.Dir(f.name); strings.HasPrefix(folder, docFolder); folder = path.Dir(folder) {
			folders = append(folders, folder)
		}
	}
	slices.Sort(folders)
	return slices.Compact(folders)
}
