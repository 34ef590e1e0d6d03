package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// page is a page of the documentation.
type page struct {
	source string // its path in the repository, with slashes, such as docs/how-to/install.md
	document
}

// address is where a page lies on the site, seen from its root.
func address(source string) string {
	if path.Base(source) == "README.md" {
		return path.Join(path.Dir(source), "index.html")
	}
	return strings.TrimSuffix(source, ".md") + ".html"
}

// root is the way from a page to the root of the site.
func (p page) root() string { return strings.Repeat("../", strings.Count(address(p.source), "/")) }

// isPage reports whether a file of the repository is a page: what people read who use Probity, or
// work on it.
func isPage(source string) bool {
	if path.Ext(source) != ".md" || strings.Contains(source, "testdata/") {
		return false
	}
	first, _, below := strings.Cut(source, "/")
	return !below || slices.Contains([]string{"docs", "examples", "health", "python"}, first)
}

// readPages reads all pages of a repository, sorted by their paths.
func readPages(root string) ([]page, error) {
	var pages []page
	err := fs.WalkDir(os.DirFS(root), ".", func(source string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && source != "." && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case entry.IsDir() || !isPage(source):
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(source)))
		if err != nil {
			return err
		}
		made, err := render(source, text)
		if err != nil {
			return fmt.Errorf("%s: %w", source, err)
		}
		pages = append(pages, page{source, made})
		return nil
	})
	return pages, err
}

// documentation writes all pages, what they show, and the search.
func (s site) documentation() error {
	pages, err := readPages(s.root)
	if err != nil {
		return err
	}
	for _, p := range pages {
		html, err := p.html(pages)
		if err == nil {
			err = s.write(address(p.source), html)
		}
		if err != nil {
			return err
		}
		for _, picture := range p.pictures {
			if err := s.copy(filepath.Join(s.root, filepath.FromSlash(picture)), picture); err != nil {
				return fmt.Errorf("%s: %w", p.source, err)
			}
		}
	}
	own := filepath.Join(s.root, "docs", "site")
	return errors.Join(s.copy(s.dashboard("icon.svg"), "icon.svg"), s.styles(filepath.Join(own, "site.css"), "site.css"),
		s.bundle(filepath.Join(own, "site.js"), "site.js", nil), s.write("search-index.js", newIndex(pages).script()))
}

//go:embed page.html
var frame string

// html is a whole page.
func (p page) html(all []page) ([]byte, error) {
	layout, err := template.New("page").Parse(frame)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = layout.Execute(&out, map[string]any{
		"Title": p.title, "Root": p.root(), "Groups": p.navigation(all),
		"Content": template.HTML(p.body), // the repository's own text
		"Source":  repository + p.source,
	})
	return out.Bytes(), err
}

// group is a part of the navigation.
type group struct {
	Name  string
	Links []link
}

// link leads to a page. That of the page itself has its sections below it.
type link struct {
	Text, Address string
	IsHere        bool
	Sections      []section
}

// navigation is the list of all pages, as one of them has it.
func (p page) navigation(all []page) []group {
	var groups []group
	for _, name := range []string{"Begin", "How to", "Explanation", "Reference", "Commands", "Packages and examples", "Project"} {
		g := group{Name: name}
		for _, other := range all {
			if groupOf(other.source) != name {
				continue
			}
			l := link{Text: other.title, Address: p.root() + address(other.source), IsHere: other.source == p.source}
			if l.IsHere {
				l.Sections = slices.DeleteFunc(slices.Clone(p.sections), func(s section) bool { return s.Level != 2 })
			}
			g.Links = append(g.Links, l)
		}
		slices.SortStableFunc(g.Links, func(a, b link) int { return strings.Compare(strings.ToLower(a.Text), strings.ToLower(b.Text)) })
		groups = append(groups, g)
	}
	return groups
}

// groupOf is the part of the navigation that a page stands in.
func groupOf(source string) string {
	name := path.Base(source)
	switch folder, _, _ := strings.Cut(source, "/"); {
	case slices.Contains([]string{"README.md", "docs/tutorial.md", "docs/how-to/install.md", "docs/how-to/try-without-installing.md"}, source):
		return "Begin"
	case source == "docs/how-to.md" || path.Dir(source) == "docs/how-to":
		return "How to"
	case path.Dir(source) == "docs/reference" && strings.HasPrefix(name, "probity"):
		return "Commands"
	case path.Dir(source) == "docs/reference" || slices.Contains([]string{"kubelet-rules.md", "differences.md", "truefoundry.md", "conformance.md", "benchmarks.md"}, name):
		return "Reference"
	case folder == "docs":
		return "Explanation"
	case folder == source:
		return "Project"
	}
	return "Packages and examples"
}
