package manifest

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/probity-run/probity/internal/printable"
)

// Position is a place in a file. Lines and columns count from 1, columns in characters; zero means
// unknown.
type Position struct {
	File         string
	Line, Column int
}

// String gives file:line:column, the form that editors and terminals make clickable, without what
// is unknown. It is on one line, whatever the file is called.
func (p Position) String() string {
	s := printable.File(p.File)
	if p.Line > 0 {
		s += ":" + strconv.Itoa(p.Line)
		if p.Column > 0 {
			s += ":" + strconv.Itoa(p.Column)
		}
	}
	return s
}

func (p Position) compare(q Position) int {
	return cmp.Or(strings.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column))
}

// childPath appends a field name to a path.
func childPath(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func indexPath(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func keyPath(path, key string) string { return path + "[" + key + "]" }

// parentPath cuts the last step off. It always gets shorter, whatever a map key contains.
func parentPath(path string) string {
	if strings.HasSuffix(path, "]") {
		return path[:max(strings.LastIndexByte(path, '['), 0)]
	}
	return path[:max(strings.LastIndexByte(path, '.'), 0)]
}
