package manifest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitWords(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []string
		err      error
	}{
		{"nothing", "", nil, nil},
		{"blank", " \t\n ", nil, nil},
		{"words", "go run ./cmd/web", []string{"go", "run", "./cmd/web"}, nil},
		{"blanks", "  a \t b\nc\r\n", []string{"a", "b", "c"}, nil},
		{"single quotes", `sh -c 'exit "1" \ $x'`, []string{"sh", "-c", `exit "1" \ $x`}, nil},
		{"double quotes", `sh -c "echo 'a' \"b\" \\ \$x \n"`, []string{"sh", "-c", `echo 'a' "b" \ $x \n`}, nil},
		{"backslash", `a\ b \"c\' \\`, []string{`a b`, `"c'`, `\`}, nil},
		{"joined", `a'b'"c"\d`, []string{"abcd"}, nil},
		{"empty words", `'' "" a`, []string{"", "", "a"}, nil},
		{"continued", "a \\\n b\\\nc \"d\\\ne\" \\\n", []string{"a", "bc", "de"}, nil},
		{"no operators", "a | b > c; d & $(e) `f` *", []string{"a", "|", "b", ">", "c;", "d", "&", "$(e)", "`f`", "*"}, nil},
		{"no comments", "a # b", []string{"a", "#", "b"}, nil},
		{"other letters", `ä\é 'ü'`, []string{"äé", "ü"}, nil},
		{"open single quote", "a 'b", nil, errOpenQuote},
		{"open double quote", `a "b`, nil, errOpenQuote},
		{"open after escape", `a "b\"`, nil, errOpenQuote},
		{"last backslash", `a \`, nil, errLastBackslash},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := SplitWords(tt.in)
			if diff := cmp.Diff(tt.want, got); diff != "" || !errors.Is(err, tt.err) {
				t.Errorf("SplitWords(%q) error %v, want %v (-want +got):\n%s", tt.in, err, tt.err, diff)
			}
		})
	}
}

func FuzzSplitWords(f *testing.F) {
	for _, s := range []string{`a b`, `'a' "b"`, `a\ b`, `"\"`, `'`, `""`, "a\\\nb", `\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		words, err := SplitWords(s)
		if err != nil && words != nil {
			t.Errorf("SplitWords(%q) = %q beside %v", s, words, err)
		}
		// Any words can be quoted, and come back.
		var quoted []string
		for _, w := range words {
			quoted = append(quoted, "'"+strings.ReplaceAll(w, "'", `'\''`)+"'")
		}
		again, err := SplitWords(strings.Join(quoted, " "))
		if diff := cmp.Diff(words, again); diff != "" || err != nil {
			t.Errorf("%q quoted: %v (-want +got):\n%s", s, err, diff)
		}
	})
}
