package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/cpuguy83/go-md2man/v2/md2man"
)

// manual is a man page for each command, made of the pages of the reference, which are made of the
// program's help and held to it by a test.
func manual(reference string, b build) ([]file, error) {
	pages, err := filepath.Glob(filepath.Join(reference, "probity*.md"))
	if err != nil {
		return nil, err
	}
	if len(pages) == 0 {
		return nil, fmt.Errorf("%s has no page of a command", reference)
	}
	var files []file
	for _, name := range pages {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		page, err := manPage(string(data), b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		command := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(name), ".md"), "_", "-")
		files = append(files, file{path.Join(manFolder, command+".1"), 0o644, page})
	}
	return files, nil
}

// seeAlso matches a line of the list of related commands.
var seeAlso = regexp.MustCompile(`(?m)^\* \[([^\]]+)\]\([^)]*\)\s+- (.*)$`)

// manPage turns a page of the reference into a man page:
//
//	## probity ps, and a line            NAME
//	### Synopsis, which ends in a usage  DESCRIPTION, and before it SYNOPSIS
//	### Examples, Options, ...           the same in capitals
func manPage(markdown string, b build) ([]byte, error) {
	sections := strings.Split(markdown, "\n### ")
	title, rest, _ := strings.Cut(strings.TrimPrefix(sections[0], "## "), "\n")
	command := strings.ReplaceAll(title, " ", "-")
	short, usage, _ := strings.Cut(strings.TrimSpace(rest), "\n")
	if title == "" || short == "" {
		return nil, fmt.Errorf("does not begin with a command and what it does")
	}
	description := ""
	sections = sections[1:]
	if len(sections) > 0 && strings.HasPrefix(sections[0], "Synopsis\n") {
		description, usage = cutUsage(strings.TrimPrefix(sections[0], "Synopsis\n"))
		sections = sections[1:]
	}
	var page strings.Builder
	fmt.Fprintf(&page, "%% %q \"1\" %q \"Probity %s\" \"Probity\"\n\n", strings.ToUpper(command), b.time.Format("2006-01-02"), b.version)
	fmt.Fprintf(&page, "# NAME\n\n%s - %s\n\n", command, short)
	if usage != "" {
		fmt.Fprintf(&page, "# SYNOPSIS\n\n%s\n\n", strings.TrimSpace(usage))
	}
	if description != "" {
		fmt.Fprintf(&page, "# DESCRIPTION\n\n%s\n\n", strings.TrimSpace(description))
	}
	for _, section := range sections {
		heading, body, _ := strings.Cut(section, "\n")
		body = seeAlso.ReplaceAllStringFunc(body, func(line string) string {
			found := seeAlso.FindStringSubmatch(line)
			return fmt.Sprintf("* **%s**(1) - %s", strings.ReplaceAll(found[1], " ", "-"), found[2])
		})
		fmt.Fprintf(&page, "# %s\n\n%s\n\n", strings.ToUpper(heading), strings.TrimSpace(body))
	}
	return md2man.Render([]byte(page.String())), nil
}

// cutUsage divides a synopsis into its text and the usage that it ends in, if it does.
func cutUsage(synopsis string) (text, usage string) {
	const fence = "```"
	whole := strings.TrimSpace(synopsis)
	inner, fenced := strings.CutSuffix(whole, "\n"+fence)
	if !fenced {
		return whole, ""
	}
	begin := strings.LastIndex(inner, fence)
	return whole[:begin], whole[begin:]
}
