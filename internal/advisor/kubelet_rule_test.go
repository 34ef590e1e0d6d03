package advisor_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/advisor"
)

func TestParseKubeletRules(t *testing.T) {
	rules, err := advisor.ParseKubeletRules("# Rules\n\n<a id=\"r7\"></a>**R7** One, **two** — three. — [a.go], run\n\n1. a list\n\n<a id=\"r12\"></a>**R12** Four. — none\n")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]advisor.KubeletRule{
		"R7":  {Number: "R7", Anchor: "r7", Text: "One, **two** — three.", Source: "[a.go], run"},
		"R12": {Number: "R12", Anchor: "r12", Text: "Four.", Source: "none"},
	}
	if diff := cmp.Diff(want, rules); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestParseKubeletRulesErrors(t *testing.T) {
	const rule = "<a id=\"r7\"></a>**R7** One. — [a.go]\n"
	for name, c := range map[string]struct{ page, want string }{
		"nothing":        {"# Rules\n", "there is no rule"},
		"twice":          {rule + rule, "line 2: R7 is there twice"},
		"another number": {strings.Replace(rule, "r7", "r8", 1), "line 1 is no rule"},
		"no source":      {"\n" + strings.Replace(rule, " — [a.go]", "", 1), "line 2 is no rule"},
		"no text":        {strings.Replace(rule, "One. ", "", 1), "line 1 is no rule"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := advisor.ParseKubeletRules(c.page); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one with %q", err, c.want)
			}
		})
	}
}
