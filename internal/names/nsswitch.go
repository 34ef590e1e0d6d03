package names

import "strings"

// FilesFirst is a text of nsswitch.conf(5) that has the C library look into the hosts file before
// it asks anybody else: a source before it may answer that there is no such name, and end the
// search. changed is false if the text does so already.
func FilesFirst(text string) (first string, changed bool) {
	var b strings.Builder
	found := false
	for line := range strings.Lines(text) {
		body, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "#")
		database, sources, ok := strings.Cut(body, ":")
		if !ok || strings.TrimSpace(database) != "hosts" {
			b.WriteString(line)
			continue
		}
		found = true
		words := sourcesOf(sources)
		if len(words) > 0 && words[0] == "files" {
			b.WriteString(line)
			continue
		}
		changed = true
		b.WriteString("hosts: files" + withoutFiles(words) + "\n")
	}
	if !found {
		// What the C library does then depends on its version.
		if text != "" && !strings.HasSuffix(text, "\n") {
			b.WriteString("\n")
		}
		b.WriteString("hosts: files dns\n")
		changed = true
	}
	return b.String(), changed
}

// sourcesOf splits the sources of a database, and what to do after one, which is in brackets.
func sourcesOf(text string) (words []string) {
	for {
		text = strings.TrimLeft(text, " \t\r\v\f")
		if text == "" {
			return words
		}
		end := strings.IndexAny(text, " \t\r\v\f[")
		if text[0] == '[' {
			end = strings.IndexByte(text, ']') + 1
		}
		if end <= 0 {
			end = len(text)
		}
		words = append(words, text[:end])
		text = text[end:]
	}
}

// withoutFiles are the sources but the hosts file and what to do after that.
func withoutFiles(words []string) string {
	var b strings.Builder
	files := false
	for _, word := range words {
		if word[0] != '[' {
			files = word == "files"
		}
		if !files {
			b.WriteString(" " + word)
		}
	}
	return b.String()
}
