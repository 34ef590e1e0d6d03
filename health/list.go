package health

import (
	"fmt"
	"strings"
)

// maxListed is how many names an answer has: a kubelet logs it whole, and it is rendered at each
// change.
const maxListed = 10

// list collects the first names of many.
type list struct {
	names []string
	total int // how many there are, if that is known before
	added int
}

// full reports whether more names change nothing, since the total is known.
func (l *list) full() bool { return l.total > 0 && len(l.names) == maxListed }

// add adds one, whose name is asked for only if there is room.
func (l *list) add(name func() string) {
	l.added++
	if len(l.names) < maxListed {
		l.names = append(l.names, name())
	}
}

// join is like "one, two and 8 more".
func (l *list) join(separator string) string {
	text := strings.Join(l.names, separator)
	if more := max(l.total, l.added) - len(l.names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
