package manifest

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// What a document is that was passed over.
const (
	noObject   = "no Kubernetes object"
	unrendered = "a template"
	encrypted  = "encrypted by SOPS"
)

// topLevelField matches the fields of an object whose text cannot be parsed.
var topLevelField = regexp.MustCompile(`(?m)(?:[{,]\s*"(apiVersion|kind)"\s*:|^["']?(apiVersion|kind)["']?[ \t]*:)`)

func (f *file) passOver(at Position, reason string) {
	f.left--
	f.set.PassedOver = append(f.set.PassedOver, PassedOver{at, reason})
}

// mayBeObject reports whether a text is worth parsing: it has one of an object's fields, whose name
// may be in the wrong case.
func mayBeObject(text []byte) bool {
	for _, word := range []string{"kind", "apiVersion", "Kind", "ApiVersion", "apiversion", "APIVersion", "KIND"} {
		if bytes.Contains(text, []byte(word)) {
			return true
		}
	}
	return false
}

// notMeant reports whether a document of a mixed file that cannot be parsed is none that must be,
// and what it is.
func (f *file) notMeant(c chunk) (reason string, ok bool) {
	if !f.opts.Mixed {
		return "", false
	}
	if hasTemplate(c.text) {
		return unrendered, true
	}
	return noObject, !looksLikeObject(c.text)
}

// isEncrypted reports whether SOPS has encrypted the values of an object, and noted how. Whoever
// applies it decrypts it first.
func (p partialObject) isEncrypted() bool {
	return slices.ContainsFunc(p.extra, func(e mappingField) bool { return e.key == "sops" && e.value.Kind == yaml.MappingNode })
}

// looksLikeObject reports whether a text that cannot be parsed has both fields that every object
// has.
func looksLikeObject(text []byte) bool {
	seen := map[string]bool{}
	for _, m := range topLevelField.FindAllSubmatch(text, -1) {
		seen[string(m[1])+string(m[2])] = true
	}
	return len(seen) == 2
}

// isUnrendered reports whether an object of a mixed file is a template although it can be parsed:
// its name is still to be filled in, or its file says so. A value that is left over in a manifest
// is not enough.
func (f *file) isUnrendered(p partialObject) bool {
	return f.opts.Mixed && (strings.Contains(p.name, "{{") || p.nameIsTemplate || f.hasTemplate && strings.Contains(f.name, "template"))
}

// hasTemplate reports whether a template engine is still to go over the text: Helm, Go, Jinja.
func hasTemplate(text []byte) bool {
	return bytes.Contains(text, []byte("{{")) || bytes.Contains(text, []byte("{%"))
}
