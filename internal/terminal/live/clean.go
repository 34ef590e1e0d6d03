package live

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/terminal/screen"
)

// clean is a text of others on one line, without anything that a terminal obeys.
func clean(text string) string {
	return printable.Line(strings.ReplaceAll(strings.TrimRight(printable.Text(text), "\r\n"), "\n", " "))
}

// colours are the roles of the eight colours that programs set in their logs: red is bad, yellow
// warns, green is well.
var colours = [8]screen.Role{screen.Muted, screen.Bad, screen.Ok, screen.Warn, screen.Accent, screen.Stop, screen.Wait, screen.Normal}

const (
	// maxText is how many bytes of a line of a log are shown.
	maxText = 4 << 10
	// maxSequence is how many bytes of numbers a sequence of SGR may have.
	maxSequence = 64
)

// logSpans are a line that a program printed, with its colours as roles. A line may be made to be
// hard to show: what is kept of it is bounded, and so is the time that it takes.
func logSpans(text []byte) []screen.Span {
	rest := cutText(text)
	role, bold := levelOf(rest), false
	var spans []screen.Span
	var plain strings.Builder // text of one role
	flush := func() {
		if part := clean(plain.String()); part != "" {
			spans = append(spans, screen.Span{Text: part, Role: role, Bold: bold})
		}
		plain.Reset()
	}
	for {
		before, after, ok := strings.Cut(rest, "\x1b[")
		plain.WriteString(before)
		if !ok {
			flush()
			return spans
		}
		rest = after
		codes, _, ok := strings.Cut(rest[:min(len(rest), maxSequence)], "m")
		if !ok || strings.Trim(codes, "0123456789;") != "" {
			plain.WriteString("\x1b[") // another sequence: shown, not obeyed
			continue
		}
		rest = rest[len(codes)+1:]
		if newRole, newBold := paint(codes, role, bold); newRole != role || newBold != bold {
			flush()
			role, bold = newRole, newBold
		}
	}
}

// cutText is a line of a log as far as it is shown.
func cutText(text []byte) string {
	if len(text) <= maxText {
		return string(text)
	}
	end := maxText
	for end > maxText-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return string(text[:end]) + "…"
}

// paint is the role after a sequence of SGR.
func paint(codes string, role screen.Role, bold bool) (screen.Role, bool) {
	for code := range strings.SplitSeq(codes, ";") {
		switch n, err := strconv.Atoi("0" + code); {
		case err != nil:
		case n == 0:
			role, bold = screen.Normal, false
		case n == 1:
			bold = true
		case n == 22:
			bold = false
		case n >= 30 && n <= 37:
			role = colours[n-30]
		case n >= 90 && n <= 97:
			role = colours[n-90]
		case n == 39:
			role = screen.Normal
		case n == 38, n == 48: // 256 colours, or red, green and blue: what follows is theirs
			return role, bold
		}
	}
	return role, bold
}

// levelOf is the role of a line by the level that stands in it.
func levelOf(text string) screen.Role {
	head := strings.ToUpper(text[:min(len(text), 80)])
	for _, level := range []struct {
		word string
		role screen.Role
	}{{"FATAL", screen.Bad}, {"PANIC", screen.Bad}, {"ERROR", screen.Bad}, {"WARN", screen.Warn}} {
		if i := strings.Index(head, level.word); i >= 0 && (i == 0 || !isLetter(head[i-1])) {
			return level.role
		}
	}
	return screen.Normal
}

func isLetter(b byte) bool { return b >= 'A' && b <= 'Z' || b == '_' }
