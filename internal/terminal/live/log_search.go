package live

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/terminal/screen"
)

// searchBytes is how much of the logs is searched for each key that is pressed.
const searchBytes = 16 << 20

// logSearch looks for a text in what is not loaded of the logs. It is run by a goroutine of its
// own, with readers of its own.
type logSearch struct {
	text     string
	back     bool
	sources  []*logSource
	from     place
	attempts []attemptLine // those on its way, in the order in which they come
}

// searchedMsg is how far a search has come.
type searchedMsg struct {
	search *logSearch
	found  bool
	end    bool      // there is nothing more to search
	at     place     // of what was found, or where to go on
	when   time.Time // of that
	err    error
}

// search begins, or goes on with, the search for a text in what is older than what is loaded, or
// newer. It returns nil if one is under way, or if there is nothing to search.
func (r *logReader) search(h *hub, text string, back, attempts bool) *logSearch {
	if r.searching != nil || r.log == nil || len(r.log.Lines) == 0 || !back && r.apart == nil {
		return nil
	}
	b, err := r.bounds()
	if err != nil {
		r.failed(err)
		return nil
	}
	s := &logSearch{text: text, back: back, sources: append([]*logSource{}, r.sources...), from: b.end}
	since := r.log.Lines[len(r.log.Lines)-1].At
	if back {
		s.from, since = b.begin, r.log.Lines[0].At
	}
	if last := r.halted; last != nil && last.search.text == text && last.search.back == back {
		s.from, since = last.at, last.when
	}
	if attempts {
		s.attempts = r.attempts(h, back, since)
	}
	r.searching = s
	return s
}

// searched takes the end of a search: what was found is loaded, and begins with the line of that
// number. Else it says how far it came.
func (r *logReader) searched(h *hub, result searchedMsg) (seq int, says string) {
	r.searching, r.halted = nil, nil
	switch {
	case result.err != nil:
		return 0, clean("cannot search the log: " + result.err.Error())
	case result.found:
		return r.around(h, result.at, result.when), ""
	case result.end:
		return 0, clean("no more matches of /" + result.search.text)
	}
	r.halted = &result
	key, direction := "n", " up to "
	if result.search.back {
		key, direction = "N", " back to "
	}
	return 0, clean("no match of /"+result.search.text) + direction + result.when.Local().Format("15:04:05") + "; " + key + " searches on"
}

// run searches until something is found, or for so many bytes.
func (s *logSearch) run(ctx context.Context, most int) (result searchedMsg) {
	result.search = s
	m, err := openLogs(s.sources, s.from, s.back, s.attempts)
	if err != nil {
		result.err = err
		return result
	}
	defer func() { result.err = errors.Join(result.err, m.close()) }()
	matches := matcher(s.text)
	for bytes := 0; bytes < most && ctx.Err() == nil; {
		next, err := m.next()
		if errors.Is(err, io.EOF) {
			result.end = true
			return result
		}
		if err != nil {
			result.err = err
			return result
		}
		bytes += len(next.text) + stampSize
		result.when = next.at
		if next.source == nil {
			result.found = matches([]byte(next.attempt.text))
		} else {
			result.found = matches(next.text)
		}
		if result.found {
			result.at = m.place(!s.back) // before it in the file
			return result
		}
	}
	result.at = m.place(false)
	return result
}

// matcher makes what reports whether a line of a log has a text as it is shown, whatever the case
// of its letters.
func matcher(text string) func(line []byte) bool {
	wanted := []byte(strings.ToLower(text))
	var lower []byte
	return func(line []byte) bool {
		lower = lower[:0]
		for _, b := range line[:min(len(line), maxText)] {
			if b < ' ' || b > '~' { // what is shown may differ
				return screen.Matches(logSpans(line), text)
			}
			if b >= 'A' && b <= 'Z' {
				b += 'a' - 'A'
			}
			lower = append(lower, b)
		}
		return bytes.Contains(lower, wanted)
	}
}
