package dashboard

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/facts"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/process"
)

// logFilter is what is shown of a log. The zero value takes everything.
type logFilter struct {
	text    []byte // lower case
	regexp  *regexp.Regexp
	level   string // E, W, I or D: this one and worse
	stream  string
	noAsked bool // leaves out what a service prints of requests of probes
}

// newLogFilter reads a filter as it is typed: a text, or an expression of RE2 between slashes.
func newLogFilter(q, level, stream string, noAsked bool) (*logFilter, error) {
	f := &logFilter{level: level, stream: stream, noAsked: noAsked}
	if expression, ok := strings.CutPrefix(q, "/"); ok && len(expression) > 1 && strings.HasSuffix(expression, "/") {
		re, err := regexp.Compile("(?i)" + strings.TrimSuffix(expression, "/"))
		if err != nil {
			return nil, fmt.Errorf("cannot look for %s: %w", printable.Quote(q), err)
		}
		f.regexp = re
		return f, nil
	}
	f.text = []byte(strings.ToLower(q))
	return f, nil
}

// levels are in the order of how bad they are.
const levels = "DIWE"

// takes reports whether a line is shown.
func (f *logFilter) takes(entry process.LogEntry) bool {
	switch {
	case f.stream != "" && string(entry.Stream) != f.stream:
		return false
	case f.noAsked && isProbeLine(entry.Text):
		return false
	case f.level != "" && strings.Index(levels, orWhole(levelOf(entry.Text))) < strings.Index(levels, f.level):
		return false
	case f.regexp != nil:
		return f.regexp.Match(entry.Text)
	case len(f.text) > 0:
		return bytes.Contains(bytes.ToLower(entry.Text), f.text)
	}
	return true
}

// orWhole is a level; a line without one counts as information.
func orWhole(level string) string {
	if level == "" {
		return "I"
	}
	return level
}

func oneLine(s string) string {
	return printable.Line(strings.Join(strings.Fields(printable.Text(s)), " "))
}

// endSentence says how an instance ended, for a rule across the log.
func endSentence(in history.Instance) string {
	said := fmt.Sprintf("instance %d ended: %s after %s", in.Number+1, facts.EndText(in), diagnosis.Duration(in.Ended.Sub(in.Started)))
	if in.Cause != "" {
		said += " · " + in.Cause
	}
	return oneLine(said)
}
