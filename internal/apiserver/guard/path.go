package guard

import (
	"net/url"
	"strings"
)

// Segments splits the path of a URL at its slashes and decodes what is between them, once: an
// encoded slash is a part of a name, and %252f is the name %2f. One slash at the end is left out.
//
// ok is false if it is a path that cannot lead to anything: a segment is empty, "." or "..", or
// has a slash or a zero byte in it. No name in Kubernetes does; whoever takes such a path for a
// file's, or cleans it, would see another one.
func Segments(u *url.URL) (segments []string, ok bool) {
	path, ok := strings.CutPrefix(u.EscapedPath(), "/")
	if !ok {
		return nil, false
	}
	path = strings.TrimSuffix(path, "/")
	if path == "" {
		return nil, u.Path == "/"
	}
	for part := range strings.SplitSeq(path, "/") {
		segment, err := url.PathUnescape(part)
		if err != nil || segment == "" || segment == "." || segment == ".." || strings.ContainsAny(segment, "/\x00") {
			return nil, false
		}
		segments = append(segments, segment)
	}
	return segments, true
}
