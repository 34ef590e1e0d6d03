package traffic

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// entry is a line of a [processLog].
type entry struct {
	at    time.Time
	what  string
	words []string // the rest
}

// processLog is what one process of a replica wrote: see the flag -process-log of the scripted
// service.
type processLog struct {
	pid     int
	entries []entry
}

// readProcessLogs reads all logs of a folder.
func readProcessLogs(t *testing.T, dir string) []processLog {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var logs []processLog
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		l, err := parseProcessLog(file.Name(), string(data))
		if err != nil {
			t.Fatal(err)
		}
		logs = append(logs, l)
	}
	return logs
}

func parseProcessLog(name, text string) (l processLog, err error) {
	if l.pid, err = strconv.Atoi(name); err != nil {
		return l, err
	}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 2 || !strings.HasSuffix(line, "\n") {
			return l, fmt.Errorf("cannot read the log of process %s: line %q", name, line)
		}
		micros, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil {
			return l, fmt.Errorf("cannot read the log of process %s: %w", name, err)
		}
		l.entries = append(l.entries, entry{time.UnixMicro(micros), words[1], words[2:]})
	}
	return l, nil
}

// is reports whether an entry is about this, and begins with these words.
func (e entry) is(what string, words ...string) bool {
	if e.what != what || len(e.words) < len(words) {
		return false
	}
	for i, w := range words {
		if e.words[i] != w {
			return false
		}
	}
	return true
}

// first is when something happened for the first time; zero if it did not.
func (l processLog) first(what string, words ...string) time.Time {
	for _, e := range l.entries {
		if e.is(what, words...) {
			return e.at
		}
	}
	return time.Time{}
}

// unanswered lists the requests that the process began and did not finish.
func (l processLog) unanswered() (ids []string) {
	for _, e := range l.entries {
		switch e.what {
		case "begin":
			ids = append(ids, e.words[1])
		case "end":
			if i := slices.Index(ids, e.words[0]); i >= 0 {
				ids = slices.Delete(ids, i, i+1)
			}
		}
	}
	return ids
}

// lifecycleLine is one line with the entries that are not about requests.
func (l processLog) lifecycleLine() string {
	var line strings.Builder
	line.WriteString(fmt.Sprintf("process %d:", l.pid))
	for _, e := range l.entries {
		if e.what != "begin" && e.what != "end" && e.what != "probe" {
			line.WriteString(" " + e.what + " " + stamp(e.at))
		}
	}
	return line.String()
}
