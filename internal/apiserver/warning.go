package apiserver

import (
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

const (
	// maxWarning is how long one warning may be, and maxWarnings how long all of an answer, in
	// bytes, as on a cluster.
	maxWarning  = 256
	maxWarnings = 4 << 10
)

// warn sends the client a warning, which kubectl and client-go print (RFC 7234, 5.5; code 299 is
// for those that stay). It is said once, and not at all where there are too many.
func (c *call) warn(text string) {
	if len(text) > maxWarning {
		text = strings.ToValidUTF8(text[:maxWarning-len("...")], "") + "..."
	}
	warning := "299 - " + quote(text)
	said := c.w.Header()["Warning"]
	size := len(warning)
	for _, before := range said {
		size += len(before)
	}
	if size <= maxWarnings && !slices.Contains(said, warning) {
		c.w.Header().Add("Warning", warning)
	}
}

// warnAbout tells the client what of an object has no effect here. What it had before was said
// then.
func (c *call) warnAbout(before, next store.Object) {
	said := remarks(before)
	for _, remark := range remarks(next) {
		if !slices.Contains(said, remark) {
			c.warn(remark)
		}
	}
}

// remarks is what is to be said of an object, nil included, that has not got its defaults.
func remarks(o store.Object) (lines []string) {
	if o == nil {
		return nil
	}
	for _, w := range manifest.Warnings(o) {
		lines = append(lines, w.Field+": "+w.Message)
	}
	for _, w := range manifest.NotApplied(o) {
		lines = append(lines, manifest.NotAppliedHere+w.Field+": "+w.Message)
	}
	return lines
}

// quote makes a quoted string of HTTP (RFC 9110, 5.6.4). What is no visible character in it becomes
// a space.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
