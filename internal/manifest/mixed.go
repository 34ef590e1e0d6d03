package manifest

import (
	"bytes"
	"regexp"
)

// What a document is that was passed over.
const (
	noObject   = "no Kubernetes object"
	unrendered = "a template"
)

var (
	// objectWord is in the text of every object, also of one whose fields are misspelt in case.
	objectWord = regexp.MustCompile(`(?i)apiversion|kind`)
	// topLevelField matches the fields of an object whose text cannot be parsed.
	topLevelField = regexp.MustCompile(`(?m)(?:[{,]\s*"(apiVersion|kind)"\s*:|^["']?(apiVersion|kind)["']?[ \t]*:)`)
)

func (f *file) passOver(at Position, reason string) {
	f.left--
	f.set.PassedOver = append(f.set.PassedOver, PassedOver{at, reason})
}

// mayBeObject reports whether a text is worth parsing.
func mayBeObject(text []byte) bool { return objectWord.Match(text) }

// notMeant reports whether a document of a mixed file that cannot be parsed is none that must be,
// and what it is.
func (f *file) notMeant(c chunk) (reason string, ok bool) {
	if !f.opts.Mixed {
		return "", false
	}
	if hasTemplate(c.text) {
		return unrendered, true
	}
	seen := map[string]bool{}
	for _, m := range topLevelField.FindAllSubmatch(c.text, -1) {
		seen[string(m[1])+string(m[2])] = true
	}
	return noObject, len(seen) < 2
}

// hasTemplate reports whether a template engine is still to go over the text: Helm, Go, Jinja.
func hasTemplate(text []byte) bool {
	return bytes.Contains(text, []byte("{{")) || bytes.Contains(text, []byte("{%"))
}
