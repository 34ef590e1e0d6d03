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

// entry is a line of a replica's book.
type entry struct {
	at    time.Time
	what  string
	words []string // the rest
}

// book is what one process of a replica wrote.
type book struct {
	pid     int
	entries []entry
}

// readBooks reads all books of a folder.
func readBooks(t *testing.T, dir string) []book {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var books []book
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		b, err := parseBook(file.Name(), string(data))
		if err != nil {
			t.Fatal(err)
		}
		books = append(books, b)
	}
	return books
}

func parseBook(name, text string) (b book, err error) {
	if b.pid, err = strconv.Atoi(name); err != nil {
		return b, err
	}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 2 || !strings.HasSuffix(line, "\n") {
			return b, fmt.Errorf("cannot read the book of process %s: line %q", name, line)
		}
		micros, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil {
			return b, fmt.Errorf("cannot read the book of process %s: %w", name, err)
		}
		b.entries = append(b.entries, entry{time.UnixMicro(micros), words[1], words[2:]})
	}
	return b, nil
}

// is says whether an entry has this kind and these first words.
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

// first is when something happened first; zero if it did not.
func (b book) first(what string, words ...string) time.Time {
	for _, e := range b.entries {
		if e.is(what, words...) {
			return e.at
		}
	}
	return time.Time{}
}

// unanswered lists the requests that the process began and did not finish.
func (b book) unanswered() (ids []string) {
	for _, e := range b.entries {
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

// milestones are the entries that are about no request, in a line.
func (b book) milestones() string {
	var line strings.Builder
	line.WriteString(fmt.Sprintf("process %d:", b.pid))
	for _, e := range b.entries {
		if e.what != "begin" && e.what != "end" && e.what != "probe" {
			line.WriteString(" " + e.what + " " + stamp(e.at))
		}
	}
	return line.String()
}
