package compose

import (
	"time"

	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
)

func d2(d types.Duration) time.Duration { return time.Duration(d) }

func lookup(name string) (string, bool) {
	value, ok := map[string]string{"A": "a", "B": "b c", "EMPTY": "", "_x1": "under"}[name]
	return value, ok
}

func substitute(text string) (string, error) { return template.Substitute(text, lookup) }

// texts are made of pieces that mean something to Compose.
func texts() map[string]bool {
	all := map[string]bool{}
	for _, name := range []string{"A", "EMPTY", "UNSET", "_x1"} {
		for _, operator := range []string{"", ":-", "-", ":+", "+", ":?", "?"} {
			for _, word := range []string{"", "word", "$B", "${B}", "${UNSET:-deep}", "$$", "a:b", "a b", "a-b", "?"} {
				if operator == "" {
					word = ""
				}
				all["x ${"+name+operator+word+"} y"] = true
				all["${"+name+operator+word+"}${A}"] = true
			}
		}
		all["$"+name] = true
		all["a$"+name+"-b"] = true
	}
	for _, text := range []string{"", "plain", "$", "$$", "$$$", "$$A", "$$$A", "5$", "$1", "${", "${}", "${A", "${1}", "${A:}", "${A!x}", "a${A}b${EMPTY}c", "{A}", "}$A{", "${A}}", "$ {A}"} {
		all[text] = true
	}
	return all
}
