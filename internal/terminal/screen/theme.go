package screen

import "strings"

// Role is what a text is, from which a theme chooses a colour.
type Role uint8

// The roles.
const (
	Normal Role = iota
	Muted
	Accent
	Ok
	Bad
	Warn
	Wait
	Stop
	Rule

	roles = iota
)

// Theme is how roles look. The zero value is [Plain].
type Theme struct {
	name      string
	codes     [roles]string // of SGR, "" for none
	selection string        // of the ground of the selected row
	ascii     bool
}

// Dark is for a dark background, Light for a light one; both are of the palette of 256 colours.
// Basic is for 16 colours, and for a background that is not known. Plain has no colours, bold only.
func Dark() Theme {
	return of256("dark", [roles]int{Muted: 248, Accent: 111, Ok: 114, Bad: 210, Warn: 222, Wait: 147, Stop: 183, Rule: 240}, "48;5;236")
}

// Light is for a light background.
func Light() Theme {
	return of256("light", [roles]int{Muted: 240, Accent: 25, Ok: 22, Bad: 124, Warn: 94, Wait: 60, Stop: 91, Rule: 249}, "48;5;254")
}

// Basic is for terminals of 16 colours.
func Basic() Theme {
	return Theme{name: "basic", codes: [roles]string{Accent: "36", Ok: "32", Bad: "31", Warn: "33;1", Wait: "34;1", Stop: "35"}}
}

// Plain is for terminals without colours.
func Plain() Theme { return Theme{name: "plain"} }

func of256(name string, colours [roles]int, selection string) Theme {
	t := Theme{name: name, selection: selection}
	for role, colour := range colours {
		if colour != 0 {
			t.codes[role] = "38;5;" + itoa(colour)
		}
	}
	return t
}

// ASCII is the theme with signs of ASCII only.
func (t Theme) ASCII() Theme {
	t.ascii = true
	return t
}

// style is the sequence of a span's look, "" for none.
func (t *Theme) style(s Span, selected bool) string {
	var codes []string
	if s.Bold {
		codes = append(codes, "1")
	}
	if code := t.codes[s.Role]; code != "" {
		codes = append(codes, code)
	}
	if selected && t.selection != "" {
		codes = append(codes, t.selection)
	}
	if len(codes) == 0 {
		return ""
	}
	return "\x1b[" + strings.Join(codes, ";") + "m"
}

// asciiSigns are the signs of this program in ASCII, each as wide as it was.
var asciiSigns = strings.NewReplacer("·", "-", "▁", ".", "▂", ":", "▃", "-", "▄", "=", "▅", "+", "▆", "*", "▇", "#", "◦", "o", "╳", "x", "□", "T", "↻", "R",
	"●", "+", "◐", "-", "◌", "~", "◷", "#", "✖", "X", "▼", "v", "⊖", "0", "✓", "+", "▌", ">", "…", "~", "─", "-", "━", "=", "┄", "-", "“", `"`, "”", `"`,
	"↑", "^", "↓", "v", "›", ">", "→", ">", "×", "x", "•", "*")

// sign shows a text with the signs of the theme.
func (t *Theme) sign(text string) string {
	if !t.ascii || isASCII(text) {
		return text
	}
	text = asciiSigns.Replace(text)
	if isASCII(text) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch width := widthOf(string(r)); {
		case r < 0x80:
			b.WriteRune(r)
		default:
			b.WriteString(strings.Repeat("?", width))
		}
	}
	return b.String()
}

// ASCII is a text with signs of ASCII only.
func ASCII(text string) string {
	theme := Theme{ascii: true}
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = theme.sign(lines[i])
	}
	return strings.Join(lines, "\n")
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}
