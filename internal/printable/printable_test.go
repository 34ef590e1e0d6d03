package printable

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

func TestLine(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"nothing":                    {"", ""},
		"text":                       {"Wörter, 漢字, שלום, नमस्ते, e\u0301, 🙂", "Wörter, 漢字, שלום, नमस्ते, e\u0301, 🙂"},
		"window title":               {"a\x1b]0;title\x07b", `a\u001b]0;title\u0007b`},
		"clipboard":                  {"\x1b]52;c;aGk=\x1b\\", `\u001b]52;c;aGk=\u001b\`},
		"link":                       {"\x1b]8;;http://x\x1b\\y", `\u001b]8;;http://x\u001b\y`},
		"colour":                     {"\x1b[31mred", `\u001b[31mred`},
		"C1":                         {"\u009b31m\u009d0;t\u009c", `\u009b31m\u009d0;t\u009c`},
		"C1 as a byte":               {"\x9b31m", `\x9b31m`},
		"delete, backspace, bell":    {"\x7f\b\a", `\u007f\u0008\u0007`},
		"carriage return":            {"mine\rother | fake", `mine\rother | fake`},
		"lines":                      {"a\r\nb\n", `a\r\nb\n`},
		"line and paragraph ends":    {"a\u2028b\u2029\u0085", `a\u2028b\u2029\u0085`},
		"other spaces":               {"a\tb\u00a0c\u3000d", "a b c d"},
		"order of letters":           {"\u202eevil\u2066\u200f\u061c", `\u202eevil\u2066\u200f\u061c`},
		"nothing to be seen":         {"a\u200bb\u200cc\u200dd\u2060e\ufefff\u00ad", `a\u200bb\u200cc\u200dd\u2060e\ufefff\u00ad`},
		"letters that are not seen":  {"\u3164\uffa0\u115f\u2800\u034f", `\u3164\uffa0\u115f\u2800\u034f`},
		"tags":                       {"x\U000e0041\U000e007f", `x\udb40\udc41\udb40\udc7f`},
		"hidden variation selectors": {"x\U000e0100\ufe01", `x\udb40\udd00\ufe01`},
		"not UTF-8":                  {"a\xff\xfeb\xe6\xbc", `a\xff\xfeb\xe6\xbc`},
		"private and unassigned":     {"\ue0b0\U000f0000\u0378", `\ue0b0\udb80\udc00\u0378`},
		"joined pictures":            {"👩\u200d💻 ❤\ufe0f 1\ufe0f", "👩💻 ❤ 1"},
		"mark without a letter":      {"\u0336a", `\u0336a`},
		"heaps of marks":             {"a" + strings.Repeat("\u0336", 6), "a\u0336\u0336\u0336\u0336" + `\u0336\u0336`},
		"NUL":                        {"\x00", `\u0000`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Line(tt.in); got != tt.want {
				t.Errorf("Line(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestText(t *testing.T) {
	in := "a\tb\r\nc\rd\n\u0301e\x1b[2J\n\x1b[31;1mred\x1b[0m \x1b[38:5:1mred\x1b[m\x1b[\x1b[3"
	want := "a\tb\nc\\rd\n\\u0301e\\u001b[2J\nred red\\u001b[\\u001b[3"
	if got := Text(in); got != want {
		t.Errorf("Text(%q) = %q, want %q", in, got, want)
	}
}

func TestFile(t *testing.T) {
	for in, want := range map[string]string{
		"deploy/app.yaml":        "deploy/app.yaml",
		"x\n::error::y.yaml":     `x\n::error::y.yaml`,
		"::error::y.yaml":        "./::error::y.yaml",
		" ::error::y.yaml":       "./ ::error::y.yaml",
		"##[error]y.yaml":        `#\u0023[error]y.yaml`,
		"a/##vso[task.x]y.yaml":  `a/#\u0023vso[task.x]y.yaml`,
		"\u2028::error::y":       `./\u2028::error::y`,
		"\x1b[8mhidden\u202e.md": `\u001b[8mhidden\u202e.md`,
	} {
		if got := File(in); got != want {
			t.Errorf("File(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestInert: nothing in a line is a command of a CI system's.
func TestInert(t *testing.T) {
	for in, want := range map[string]string{
		"# a comment":        "# a comment",
		"a ##[error]b":       `a #\u0023[error]b`,
		"##vso[task.x]":      `#\u0023vso[task.x]`,
		"####[group]":        `#\u0023#\u0023[group]`,
		"x\n::set-output::y": `x\n::set-output::y`,
	} {
		if got := Inert(in); got != want {
			t.Errorf("Inert(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestQuote(t *testing.T) {
	secret := strings.Repeat("root:x:0:0\n", 100)
	for in, want := range map[string]string{
		"":                      `""`,
		"a\n\"b\"":              `"a\n\"b\""`,
		strings.Repeat("é", 60): `"` + strings.Repeat("é", 60) + `"`,
		strings.Repeat("é", 61): `"` + strings.Repeat("é", 60) + `"…`,
		secret:                  `"` + strings.Repeat(`root:x:0:0\n`, 5) + `root:"…`,
		"a\ufe01":               `"a\ufe01"`,
	} {
		if got := Quote(in); got != want {
			t.Errorf("Quote(%q) = %s, want %s", in, got, want)
		}
	}
	if got, want := Cut(secret), secret[:60]+"…"; got != want {
		t.Errorf("Cut = %q, want %q", got, want)
	}
	if got, want := CutMiddle("äbcdefghijö", 6), "äb … jö"; got != want {
		t.Errorf("CutMiddle = %q, want %q", got, want)
	}
}

func TestShell(t *testing.T) {
	for in, want := range map[string]string{
		"deploy/app.yaml":      "deploy/app.yaml",
		"hang@60s+12s:web":     "hang@60s+12s:web",
		"":                     "''",
		"my app.yaml":          "'my app.yaml'",
		"$(touch x);`id`.yaml": "'$(touch x);`id`.yaml'",
		"it's.yaml":            `'it'\''s.yaml'`,
		"~/x":                  "'~/x'",
		"*.yaml":               "'*.yaml'",
		"größe.yaml":           "'größe.yaml'",
		"a\nb":                 "",
		"a\x1b[2J":             "",
		"a\u202eb":             "",
	} {
		if got := Shell(in); got != want {
			t.Errorf("Shell(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestWidth(t *testing.T) {
	for in, want := range map[string]int{"": 0, "abc": 3, "漢字": 4, "e\u0301": 1, "🙂": 2, "ｗｉｄｅ": 8, "é": 1, "שלום": 4, "✓✗…": 3} {
		if got := Width(in); got != want {
			t.Errorf("Width(%q) = %d, want %d", in, got, want)
		}
	}
	for max, want := range []string{"", "", "漢", "漢a", "漢ae\u0301", "漢ae\u0301", "漢ae\u0301字"} {
		if got := Fit("漢ae\u0301字", max); got != want {
			t.Errorf("Fit to %d = %q, want %q", max, got, want)
		}
	}
	if got := Fit("abc", -1); got != "" {
		t.Errorf("Fit to -1 = %q", got)
	}
	if got := Pad("漢", 4); got != "漢  " {
		t.Errorf("Pad = %q", got)
	}
	for r := range rune(0x3000) { // some are known without a look into the tables
		kind := width.LookupRune(r).Kind()
		if wide := kind == width.EastAsianWide || kind == width.EastAsianFullwidth; columns(r) == 1 && (wide || unicode.In(r, unicode.Mn, unicode.Me)) {
			t.Errorf("%U takes one column", r)
		}
	}
}

// TestWriter: however a text is cut into writes, the same is shown.
func TestWriter(t *testing.T) {
	text := "漢\x1b[2Jé\r\n\u202e🙂\xff\rz\u0301\n"
	want := Text(text)
	for size := 1; size <= len(text); size++ {
		var got bytes.Buffer
		out := NewWriter(&got)
		for at := 0; at < len(text); at += size {
			part := text[at:min(at+size, len(text))]
			if n, err := out.Write([]byte(part)); n != len(part) || err != nil {
				t.Fatalf("Write = %d, %v", n, err)
			}
		}
		if got.String() != want {
			t.Errorf("in writes of %d bytes %q, want %q", size, got.String(), want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	for _, s := range []string{"a\x1b[31mb", "\u009b", "\u202e", "\xff", "👩\u200d💻", "a\u0336\u0336\u0336\u0336\u0336\u0336", "漢\r\n", "{\"a\": \"\x7f\"}", "##[a]", "::x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := Line(s)
		for _, r := range line {
			if !unicode.IsPrint(r) || unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) {
				t.Errorf("Line(%q) holds %U", s, r)
			}
		}
		if !utf8.ValidString(line) || Line(line) != line || Text(line) != line {
			t.Errorf("Line(%q) = %q is not what is left as it is", s, line)
		}
		if rest := strings.Map(func(r rune) rune {
			if r == '\n' || r == '\t' {
				return -1
			}
			return r
		}, Text(s)); strings.ContainsFunc(rest, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("Text(%q) = %q", s, Text(s))
		}
		if utf8.ValidString(s) && !strings.Contains(s, "\r") && json.Valid([]byte(s)) && !json.Valid([]byte(Text(s))) {
			t.Errorf("Text(%q) = %q is no JSON any more", s, Text(s))
		}
		if w := Width(line); w < 0 || Width(Fit(line, w/2)) > w/2 || Fit(line, w) != line || Width(Pad(line, w+3)) != w+3 {
			t.Errorf("the width of %q does not add up", line)
		}
		if quoted := Quote(s); strings.ContainsAny(quoted, "\n\r\x1b") || utf8.RuneCountInString(quoted) > 10*maxQuoted+3 {
			t.Errorf("Quote(%q) = %s", s, quoted)
		}
		if word := Shell(s); strings.ContainsAny(word, "\n\r\x1b") {
			t.Errorf("Shell(%q) = %q", s, word)
		}
	})
}
