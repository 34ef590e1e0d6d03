package cli

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/rules"
	"github.com/probity-run/probity/internal/printable"
)

// judgeTime is how long a start waits for what probity check says, so that it is said first.
// Manifests take milliseconds, but for very large ones.
const judgeTime = 100 * time.Millisecond

// judge says which findings of probity check are outages, a line each, before the Pods start or, if
// that takes too long, while they do. It never keeps them from starting.
func judge(files []string, stdin []byte, say func(line string)) {
	judged := make(chan []string, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil { // a mistake in a rule, at most
				judged <- []string{fmt.Sprintf("probity: cannot judge the manifests: %v", p)}
			}
		}()
		judged <- outages(files, stdin)
	}()
	tell := func(lines []string) {
		for _, line := range lines {
			say(line)
		}
	}
	select {
	case lines := <-judged:
		tell(lines)
	case <-time.After(judgeTime):
		go func() { tell(<-judged) }()
	}
}

// outages are the findings of the severity outage. What cannot be read was said already: the run
// has read the same files.
func outages(files []string, stdin []byte) (lines []string) {
	paths := make([]string, len(files))
	for i, file := range files {
		if paths[i] = file; file == advisor.StdinName {
			paths[i] = "-"
		}
	}
	m, _ := advisor.Read(bytes.NewReader(stdin), nil, paths...)
	for _, f := range advisor.Check(m, rules.All()) {
		if f.Severity != advisor.Outage || f.Suppressed != "" {
			continue
		}
		lines = append(lines, fmt.Sprintf("probity: outage: %s:%d: %s %s: %s (probity explain %s)",
			printable.File(f.Region.File), f.Region.Line, f.Object.Kind, f.Object.Name, printable.Line(f.Message), f.Rule))
	}
	return lines
}

// remembered is standard input, and what was read of it.
type remembered struct {
	io.Reader
	read bytes.Buffer
}

func remember(in io.Reader) *remembered {
	r := &remembered{}
	r.Reader = io.TeeReader(in, &r.read)
	return r
}
