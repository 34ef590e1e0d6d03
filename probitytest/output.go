package probitytest

import (
	"fmt"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/process"
)

// maxLines is how many lines are kept of what is printed: the last ones.
const maxLines = 400

// output keeps the last lines of programs, and notices of the run. It is safe for concurrent use.
type output struct {
	mu    sync.Mutex
	lines []line
	lost  int
}

type line struct {
	pod  string // empty for a notice
	text string
}

func (o *output) follow(pod *corev1.Pod, container string, entry process.LogEntry) {
	text := fmt.Sprintf("%s %s/%s: %s", entry.Time.Format("15:04:05.000"), pod.Name, container, printable.Line(string(entry.Text)))
	o.add(line{pod.Name, text})
}

func (o *output) notice(text string) { o.add(line{text: text}) }

func (o *output) add(l line) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lines = append(o.lines, l); len(o.lines) > maxLines {
		o.lines = o.lines[1:]
		o.lost++
	}
}

// String is everything that is kept, a line each.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var b strings.Builder
	if o.lost > 0 {
		fmt.Fprintf(&b, "(%d lines before these)\n", o.lost)
	}
	for _, l := range o.lines {
		b.WriteString(l.text + "\n")
	}
	return b.String()
}
