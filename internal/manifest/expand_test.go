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
			if got := Expand(tt.in, lookupTest); got != tt.want {
				t.Errorf("Expand(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

// A search for ")" from each "$(" on would take hours.
func TestExpandIsLinear(t *testing.T) {
	in := strings.Repeat("$(", 1<<20)
	if got := Expand(in, lookupTest); got != in {
		t.Error("text without references has changed")
	}
}

func FuzzExpand(f *testing.F) {
	for _, s := range []string{"$(A)", "$$(A)", "$(A", "$()", "a$", "$($(A))", "$\xff(A)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		unknown := func(string) (string, bool) { return "", false }
		if got, want := Expand(s, unknown), Expand(strings.ReplaceAll(s, "$(", "$ ("), unknown); len(got) > len(s) || len(want) > 2*len(s) {
			t.Errorf("Expand(%q) = %q", s, got)
		}
		// What is escaped comes back as it was.
		if got := Expand(strings.ReplaceAll(s, "$", "$$"), lookupTest); got != s {
			t.Errorf("escaped %q came back as %q", s, got)
		}
		if !strings.Contains(s, "$") && Expand(s, lookupTest) != s {
			t.Errorf("Expand(%q) has changed text without a dollar", s)
		}
	})
}
