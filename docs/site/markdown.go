package main

import (
	"bytes"
	"fmt"
	"path"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
)

// repository is where files are read that are no pages.
const repository = "https://github.com/probity-run/probity/blob/main/"

// document is a page's content.
type document struct {
	title    string
	body     string // HTML
	pictures []string
	sections []section
}

// section is a heading and the text below it, up to the next one.
type section struct {
	Level         int
	Anchor, Title string
	text          string
}

// render turns a page of Markdown into HTML. The pages are the repository's own, so HTML in them
// stays HTML.
func render(source string, markdown []byte) (document, error) {
	converter := goldmark.New(
		goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignNone))),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()), goldmark.WithRendererOptions(html.WithUnsafe()))
	root := converter.Parser().Parse(text.NewReader(markdown), parser.WithContext(parser.NewContext(parser.WithIDs(anchors{}))))
	raise(root)
	made := document{sections: sectionsOf(root, markdown)}
	if len(made.sections) == 0 {
		return document{}, fmt.Errorf("a page begins with a heading")
	}
	made.title = made.sections[0].Title
	made.pictures = relink(root, path.Dir(source))
	var body bytes.Buffer
	if err := converter.Renderer().Render(&body, markdown, root); err != nil {
		return document{}, err
	}
	made.body = strings.NewReplacer("<table>", `<div class="scroll"><table class="plain">`, "</table>", "</table></div>").Replace(body.String())
	return made, nil
}

// raise makes the first heading of a page the one of level 1: pages of commands begin with level 2.
func raise(root ast.Node) {
	by := 0
	if first, ok := root.FirstChild().(*ast.Heading); ok {
		by = first.Level - 1
	}
	for n := root.FirstChild(); n != nil; n = n.NextSibling() {
		if heading, ok := n.(*ast.Heading); ok {
			heading.Level -= by
		}
	}
}

// sectionsOf divides a page at its headings.
func sectionsOf(root ast.Node, source []byte) []section {
	var sections []section
	for n := root.FirstChild(); n != nil; n = n.NextSibling() {
		if heading, ok := n.(*ast.Heading); ok {
			id, _ := heading.AttributeString("id")
			anchor, _ := id.([]byte)
			sections = append(sections, section{Level: heading.Level, Anchor: string(anchor), Title: words(n, source)})
		} else if len(sections) > 0 {
			sections[len(sections)-1].text += words(n, source) + " "
		}
	}
	return sections
}

// words is the text of a node and of all below it, without marks.
func words(n ast.Node, source []byte) string {
	var all strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // no error comes out of it
		if !entering {
			if n.Type() == ast.TypeBlock || n.Kind() == extast.KindTableCell {
				all.WriteByte(' ')
			}
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			all.Write(n.Segment.Value(source))
			if n.SoftLineBreak() {
				all.WriteByte(' ')
			}
		case *ast.String:
			all.Write(n.Value)
		case *ast.FencedCodeBlock, *ast.CodeBlock:
			all.Write(n.Lines().Value(source))
		}
		return ast.WalkContinue, nil
	})
	return strings.TrimSpace(all.String())
}

// relink leads the links of a page in a folder to pages of the site, or into the repository. It
// returns the files of the pictures.
func relink(root ast.Node, folder string) (pictures []string) {
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // no error comes out of it
		switch n := n.(type) {
		case *ast.Link:
			if entering {
				n.Destination = []byte(target(folder, string(n.Destination)))
			}
		case *ast.Image:
			if entering && !strings.Contains(string(n.Destination), ":") {
				pictures = append(pictures, path.Join(folder, string(n.Destination)))
			}
		}
		return ast.WalkContinue, nil
	})
	return pictures
}

// target is where a link of a page in a folder leads on the site.
func target(folder, link string) string {
	file, anchor, hasAnchor := strings.Cut(link, "#")
	if file == "" || strings.Contains(link, ":") {
		return link
	}
	source := path.Join(folder, file)
	if !isPage(source) {
		return repository + source
	}
	if path.Base(source) == "README.md" {
		file = path.Join(path.Dir(file), "index.html")
	} else {
		file = strings.TrimSuffix(file, ".md") + ".html"
	}
	if hasAnchor {
		file += "#" + anchor
	}
	return file
}

// anchors makes the anchors of headings as GitHub does, since the pages' links are written for it:
// small letters, hyphens for spaces, and no other signs; one that is there already gets a number.
type anchors map[string]int

func (a anchors) Generate(heading []byte, _ ast.NodeKind) []byte {
	anchor := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, string(heading))
	n := a[anchor]
	a[anchor]++
	if n > 0 {
		anchor = fmt.Sprintf("%s-%d", anchor, n)
	}
	return []byte(anchor)
}

func (a anchors) Put(anchor []byte) { a[string(anchor)]++ }
