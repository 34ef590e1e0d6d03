package manifest

import (
	"strings"
	"testing"
)

func lookupTest(name string) (string, bool) {
	values := map[string]string{"A": "a", "EMPTY": "", "REF": "$(A)", "ä": "umlaut", "x y": "space"}
	v, ok := values[name]
	return v, ok
}

func TestExpand(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"text", "plain", "plain"},
		{"reference", "$(A)", "a"},
		{"in text", "x$(A)y$(A)", "xaya"},
		{"empty value", "<$(EMPTY)>", "<>"},
		{"unknown", "$(B)-$(A)", "$(B)-a"},
		{"escaped", "$$(A)", "$(A)"},
		{"escaped dollar", "$$$(A)", "$a"},
		{"escaped twice", "$$$$(A)", "$$(A)"},
		{"two dollars", "$$", "$"},
		{"one dollar", "$", "$"},
		{"dollar at the end", "A$", "A$"},
		{"shell form", "$A ${A} $1", "$A ${A} $1"},
		{"not closed", "$(A", "$(A"},
		{"not closed after one", "$(A)$(A", "a$(A"},
		{"escape after not closed", "$(A$$", "$(A$"},
		{"no name", "$()", "$()"},
		{"value is not expanded", "$(REF)", "$(A)"},
		{"nested", "$($(A))", "$($(A))"},
		{"other letters", "$ä$(ä)", "$äumlaut"},
		{"any name", "$(x y)", "space"},
		{"closed first", ")$(A)(", ")a("},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := Expand(tt.in, lookupTest); got != tt.want || err != nil {
				t.Errorf("Expand(%q) = %q, %v, want %q", tt.in, got, err, tt.want)
			}
		})
	}
}

// A search for ")" from each "$(" on would take minutes.
func TestExpandIsLinear(t *testing.T) {
	in := strings.Repeat("$(", MaxString/2)
	for range 10 {
		if got, err := Expand(in, lookupTest); got != in || err != nil {
			t.Fatalf("text without references has changed, or %v", err)
		}
	}
}

// TestExpandTooLong: what no program can be started with is not made.
func TestExpandTooLong(t *testing.T) {
	for _, tt := range []struct {
		name    string
		in      string
		tooLong bool
	}{
		{"longest text", strings.Repeat("x", MaxString), false},
		{"text", strings.Repeat("x", MaxString+1), true},
		{"longest references", strings.Repeat("$(A)", MaxString), false},
		{"references", strings.Repeat("$(A)", MaxString+1), true},
		{"references to much", strings.Repeat("$(KILO)", 1<<20), true},
		{"unknown names", strings.Repeat("$(B)", MaxString/4+1), true},
		{"dollars", strings.Repeat("$$", MaxString+1), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			made := 0
			got, err := Expand(tt.in, func(name string) (string, bool) {
				if name == "KILO" {
					made += 1000
					return strings.Repeat("x", 1000), true
				}
				return lookupTest(name)
			})
			if (err != nil) != tt.tooLong || len(got) > MaxString {
				t.Errorf("%d bytes, %v; too long: want %v", len(got), err, tt.tooLong)
			}
			if made > MaxString+1000 {
				t.Errorf("%d bytes were made of one string", made)
			}
		})
	}
}

func FuzzExpand(f *testing.F) {
	for _, s := range []string{"$(A)", "$$(A)", "$(A", "$()", "a$", "$($(A))", "$\xff(A)"} {
		f.Add(s)
	}
	expand := func(t *testing.T, s string, lookup func(string) (string, bool)) string {
		got, err := Expand(s, lookup)
		if err != nil {
			t.Fatalf("Expand(%q): %v", s, err)
		}
		return got
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > MaxString/16 { // each "$()" may give eight letters
			return
		}
		unknown := func(string) (string, bool) { return "", false }
		if got, want := expand(t, s, unknown), expand(t, strings.ReplaceAll(s, "$(", "$ ("), unknown); len(got) > len(s) || len(want) > 2*len(s) {
			t.Errorf("Expand(%q) = %q", s, got)
		}
		// What is escaped comes back as it was.
		if got := expand(t, strings.ReplaceAll(s, "$", "$$"), lookupTest); got != s {
			t.Errorf("escaped %q came back as %q", s, got)
		}
		if !strings.Contains(s, "$") && expand(t, s, lookupTest) != s {
			t.Errorf("Expand(%q) has changed text without a dollar", s)
		}
	})
}
