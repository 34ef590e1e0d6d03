// Package printable makes text that others wrote fit for people's eyes: names in manifests, names
// of files, what containers and probes print. Such a text can hold what moves the cursor, sets the
// clipboard, reverses the order of letters, hides letters, or begins a line of its own. Here it is
// shown instead.
//
// A character that is not shown as it is appears as JSON writes it, \u001b, and a byte that is not
// UTF-8 as \xff. So JSON stays JSON.
package printable

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Line is a text on one line, without anything that a terminal obeys. A line end in it is shown as
// \n, and a tab becomes a space.
func Line(s string) string {
	if isPlain(s) {
		return s
	}
	var f filter
	return string(f.append(nil, []byte(s), true))
}

// Text is a text without anything that a terminal obeys, except for line ends and tabs. Colours are
// left out.
func Text(s string) string {
	if isPlain(s) {
		return s
	}
	var f filter
	return string(f.append(nil, []byte(s), false))
}

// isPlain reports whether a text is of ASCII that everybody can see, which most are.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// File is the name of a file on one line, also where it begins the line: there, "::error" would be
// a command to the machines that run CI jobs.
func File(name string) string {
	if strings.HasPrefix(strings.TrimSpace(name), "::") {
		name = "./" + name
	}
	return Inert(name)
}

// Inert is a text on one line that the machines that run CI jobs obey nothing of, as long as
// something stands before it: "##[error]" and "##vso[task]" are commands to them at any place of a
// line, "::error" is one where the line begins, blanks left out.
func Inert(text string) string { return strings.ReplaceAll(Line(text), "##", `#\u0023`) }

// maxQuoted is how many characters of a text Quote and Cut show.
const maxQuoted = 60

// Quote is the beginning of a text in quotes, on one line. It is for messages about a file that may
// be any: no more of it than is needed gets into a log.
func Quote(s string) string {
	shown, more := firstOf(s), ""
	if len(shown) < len(s) {
		more = "…"
	}
	return Line(fmt.Sprintf("%q%s", shown, more))
}

// Cut is the beginning of a text, for the same messages. It may still need [Line].
func Cut(s string) string {
	shown := firstOf(s)
	if len(shown) < len(s) {
		return shown + "…"
	}
	return s
}

// CutMiddle is a text without its middle if it is longer than so many bytes. It may still need
// [Line].
func CutMiddle(s string, size int) string {
	if len(s) <= size {
		return s
	}
	return strings.ToValidUTF8(s[:size/2], "") + " … " + strings.ToValidUTF8(s[len(s)-size/2:], "")
}

func firstOf(s string) string {
	n := 0
	for i := range s {
		if n == maxQuoted {
			return s[:i]
		}
		n++
	}
	return s
}

// Shell is a word as one has to write it for a POSIX shell. It is "" if the word cannot be shown on
// a line as it is: then nobody can copy it from there.
func Shell(word string) string {
	if Line(word) != word {
		return ""
	}
	plain := func(r rune) bool {
		return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_./:=@+,%", r))
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// maxMarks is how many marks may be put on one letter; no script that is in use needs more.
const maxMarks = 4

// filter shows what is not to be obeyed. It remembers what stands before on the line.
type filter struct {
	before rune // 0 at the beginning of a line
	marks  int  // on the letter before
}

// append appends a text as it is to be shown. With oneLine, line ends are shown too.
func (f *filter) append(to, s []byte, oneLine bool) []byte {
	for len(s) > 0 {
		if n := colour(s); n > 0 && !oneLine {
			s = s[n:]
			continue
		}
		r, size := utf8.DecodeRune(s)
		next, _ := utf8.DecodeRune(s[size:])
		switch {
		case r == utf8.RuneError && size == 1:
			to = fmt.Appendf(to, `\x%02x`, s[0])
			r = 'x'
		case r == '\n' && !oneLine:
			to = append(to, '\n')
			f.before, f.marks = 0, 0
			s = s[size:]
			continue
		case r == '\r' && next == '\n' && !oneLine:
			r = f.before // the end of a line as Windows has it
		case r == '\t' && !oneLine:
			to = append(to, '\t')
		case isSpace(r):
			to = append(to, ' ')
		case f.joinsPicture(r, next):
			r = f.before // without it there are two pictures, as wide as they are
		case f.isHarmless(r):
			to = append(to, s[:size]...)
		default:
			to = appendEscaped(to, r)
			r = 'x'
		}
		f.before = r
		s = s[size:]
	}
	return to
}

// colour is the length of a sequence at the beginning of a text that sets a colour or the like; 0
// if there is none.
func colour(s []byte) int {
	if !bytes.HasPrefix(s, []byte("\x1b[")) {
		return 0
	}
	n := len("\x1b[")
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[n] == ';' || s[n] == ':') {
		n++
	}
	if n == len(s) || s[n] != 'm' {
		return 0
	}
	return n + 1
}

// isSpace reports whether a character is a space of some width.
func isSpace(r rune) bool { return r == '\t' || unicode.Is(unicode.Zs, r) }

// joinsPicture reports whether a character does nothing but to choose or join pictures, which emoji
// are.
func (f *filter) joinsPicture(r, next rune) bool {
	switch r {
	case '\ufe0e', '\ufe0f':
		return unicode.Is(unicode.S, f.before) || isKeycap(f.before)
	case '\u200d':
		return unicode.Is(unicode.S, f.before) && unicode.Is(unicode.S, next)
	}
	return false
}

func isKeycap(r rune) bool { return r >= '0' && r <= '9' || r == '#' || r == '*' }

// isHarmless reports whether a character is one that is seen, or a mark on one.
func (f *filter) isHarmless(r rune) bool {
	if unicode.In(r, unicode.Mn, unicode.Me) {
		f.marks++
		return f.before != 0 && f.marks <= maxMarks && !isHidden(r)
	}
	f.marks = 0
	return unicode.IsPrint(r) && !isHidden(r)
}

// isHidden reports whether a character counts as printable, and nobody sees it.
func isHidden(r rune) bool {
	return r >= utf8.RuneSelf && (unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) || r == '\u2800')
}

// appendEscaped writes a character as JSON does.
func appendEscaped(to []byte, r rune) []byte {
	switch {
	case r == '\n':
		return append(to, `\n`...)
	case r == '\r':
		return append(to, `\r`...)
	case r > 0xffff:
		high, low := utf16.EncodeRune(r)
		return fmt.Appendf(to, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(to, `\u%04x`, r)
}
