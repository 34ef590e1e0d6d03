package screen

import (
	"strconv"
	"strings"

	"github.com/probity-run/probity/internal/printable"
)

// line is a line of a frame.
type line struct {
	spans    []Span
	selected bool
	width    int // of the spans
}

func widthOf(text string) int { return printable.Width(text) }

func itoa(n int) string { return strconv.Itoa(n) }

// plain is a line in one role.
func plain(role Role, text string) line {
	var l line
	l.add(role, text)
	return l
}

func (l *line) add(role Role, text string) *line { return l.span(Span{Text: text, Role: role}) }

func (l *line) bold(role Role, text string) *line {
	return l.span(Span{Text: text, Role: role, Bold: true})
}

func (l *line) span(spans ...Span) *line {
	for _, s := range spans {
		if s.Text == "" {
			continue
		}
		l.spans = append(l.spans, s)
		l.width += widthOf(s.Text)
	}
	return l
}

// column goes on at a column, which is at least one further if something stands before it.
func (l *line) column(at int) *line {
	if n := at - l.width; n > 0 {
		l.add(Normal, strings.Repeat(" ", n))
	}
	return l
}

// right adds a line that ends at a column; if there is no room for it, it is left out.
func (l *line) right(end int, other line) *line {
	if l.width+other.width+1 > end {
		return l
	}
	return l.column(end - other.width).span(other.spans...)
}

// cell adds a text in a column of so many columns.
func (l *line) cell(role Role, text string, width int) *line {
	return l.add(role, printable.Pad(cut(text, width), width))
}

// number adds a text at the right of a column.
func (l *line) number(role Role, text string, width int) *line {
	text = cut(text, width)
	return l.add(role, strings.Repeat(" ", max(width-widthOf(text), 0))+text)
}

// rule fills the rest of a line with a rule, up to a column.
func (l *line) rule(end int) *line {
	if n := end - l.width; n > 0 {
		l.add(Rule, strings.Repeat("─", n))
	}
	return l
}

// cut is a text in at most so many columns; an end that is cut off is shown by "…".
func cut(text string, width int) string {
	if widthOf(text) <= width {
		return text
	}
	if width <= 0 {
		return ""
	}
	return printable.Fit(text, width-1) + "…"
}

// tail is how many columns of the end of a name are kept: the random part of a Pod's name.
const tail = 6

// middle is a name in at most so many columns, cut in its middle: the ends of names differ.
func middle(text string, width int) string {
	if widthOf(text) <= width {
		return text
	}
	if width <= tail+2 {
		return cut(text, width)
	}
	runes := []rune(text)
	end := len(runes)
	for n := 0; end > 0 && n+widthOf(string(runes[end-1])) <= tail; end-- {
		n += widthOf(string(runes[end-1]))
	}
	rest := string(runes[end:])
	return printable.Fit(text, width-1-widthOf(rest)) + "…" + rest
}

// wrap breaks a text at spaces into lines of at most so many columns; a word that is wider is
// broken.
func wrap(text string, width int) []string {
	width = max(width, 1)
	var lines []string
	current, at := "", 0
	for word := range strings.FieldsSeq(text) {
		w := widthOf(word)
		if at > 0 && at+1+w <= width {
			current += " " + word
			at += 1 + w
			continue
		}
		if at > 0 {
			lines = append(lines, current)
		}
		for w > width {
			head := cutHard(word, width)
			lines = append(lines, head)
			word = word[len(head):]
			w = widthOf(word)
		}
		current, at = word, w
	}
	if at > 0 || len(lines) == 0 {
		lines = append(lines, current)
	}
	return lines
}

// styleBytes is how many bytes the look of a span takes, as a rule.
const styleBytes = len("\x1b[38;5;248m\x1b[m\n")

// render writes lines in a theme. No line is wider than width.
func render(lines []line, width int, theme *Theme) string {
	size := 0
	for _, l := range lines {
		for _, s := range l.spans {
			size += len(s.Text) + styleBytes
		}
	}
	var b strings.Builder
	b.Grow(size)
	for i, l := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		left := width
		for _, s := range l.spans {
			if theme.ascii && s.Role == Rule { // no attempt; elsewhere it is a dot between words
				s.Text = strings.ReplaceAll(s.Text, "·", " ")
			}
			text := theme.sign(s.Text)
			if w := widthOf(text); w > left {
				text = printable.Fit(text, left)
			}
			left -= widthOf(text)
			if text == "" {
				continue
			}
			writeSpan(&b, theme, Span{text, s.Role, s.Bold}, l.selected)
		}
		if l.selected && theme.selection != "" && left > 0 {
			writeSpan(&b, theme, Span{Text: strings.Repeat(" ", left)}, true)
		}
	}
	return b.String()
}

func writeSpan(b *strings.Builder, theme *Theme, s Span, selected bool) {
	style := theme.style(s, selected)
	b.WriteString(style)
	b.WriteString(s.Text)
	if style != "" {
		b.WriteString("\x1b[m")
	}
}

// cutHard is the beginning of a text in at most so many columns; at least one character if that
// fits.
func cutHard(text string, width int) string {
	head := printable.Fit(text, width)
	if head == "" && text != "" && width > 0 && widthOf(text) > 0 {
		for i := range text {
			if i > 0 {
				return text[:i]
			}
		}
		return text
	}
	return head
}
