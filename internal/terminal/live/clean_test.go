package live

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/terminal/screen"
)

// TestLogSpans: colours become roles, and nothing that a terminal obeys is left.
func TestLogSpans(t *testing.T) {
	for text, want := range map[string][]screen.Span{
		"":                              nil,
		"plain":                         {{Text: "plain"}},
		"\x1b[31mred\x1b[0m plain":      {{Text: "red", Role: screen.Bad}, {Text: " plain"}},
		"\x1b[1;32mgood\x1b[22m still":  {{Text: "good", Role: screen.Ok, Bold: true}, {Text: " still", Role: screen.Ok}},
		"a\x1b[0mb\x1b[mc":              {{Text: "abc"}},
		"a\x1b[38;2;1;2;3;48;2;1;2;3mb": {{Text: "ab"}},
		"a WARN b":                      {{Text: "a WARN b", Role: screen.Warn}},
		"TERROR":                        {{Text: "TERROR"}},
		"a\x1b[2Jb":                     {{Text: `a\u001b[2Jb`}},
		"\x1b]0;t\x07":                  {{Text: `\u001b]0;t\u0007`}},
		"ERROR it broke":                {{Text: "ERROR it broke", Role: screen.Bad}},
	} {
		if diff := cmp.Diff(want, logSpans([]byte(text))); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	for _, text := range []string{"a\x1b[2Jb", "a\x1b[", "a\x1b", "a\x1b[31", "\x1b[\x1b[31mx"} {
		for _, span := range logSpans([]byte(text)) {
			if strings.ContainsRune(span.Text, 0x1b) {
				t.Errorf("%q: %q is obeyed", text, span.Text)
			}
		}
	}
}

// TestHostileLine: what is kept of a line is bounded, whatever it consists of.
func TestHostileLine(t *testing.T) {
	for _, part := range []string{"\x1b[", "\x1b[31m", "\x1b[31mx\x1b[32my", "\x1b[1", "\x1b", "ü", "x", "\xff"} {
		line := []byte(strings.Repeat(part, (16<<10)/len(part)))
		spans := logSpans(line)
		size := 0
		for _, span := range spans {
			size += len(span.Text)
		}
		if size > 7*maxText || len(spans) > maxText/6+1 {
			t.Errorf("a line of %q: %d spans of %d bytes", part, len(spans), size)
		}
		if allocated := testing.AllocsPerRun(1, func() { logSpans(line) }); allocated > maxText {
			t.Errorf("a line of %q: %v allocations", part, allocated)
		}
	}
	if spans := logSpans([]byte(strings.Repeat("ü", 16<<10))); len(spans) != 1 || !strings.HasSuffix(spans[0].Text, "ü…") {
		t.Errorf("a cut line: %d spans", len(spans))
	}
}
