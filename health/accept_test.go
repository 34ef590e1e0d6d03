package health

import (
	"testing"
)

func TestAccepted(t *testing.T) {
	for header, want := range map[string]format{
		"":           formatText,
		"*/*":        formatText,
		"text/plain": formatText,
		"text/html,application/xml;q=0.9,*/*;q=0.8": formatText,
		"image/png":                                             formatText,
		"application/json":                                      formatJSON,
		"Application/JSON":                                      formatJSON,
		"application/json, text/plain, */*":                     formatJSON,
		"text/html, application/json":                           formatJSON,
		"application/*":                                         formatJSON,
		"application/json;q=0":                                  formatText,
		"application/json;q=0.0, */*":                           formatText,
		"text/plain, application/json;q=0.5":                    formatText,
		"text/*, application/json; Q=0.999":                     formatText,
		"text/plain;q=0.5, application/json":                    formatJSON,
		"*/*;q=0.9, application/json;q=0.5":                     formatText,
		"application/json ; charset=utf-8 ; q=1":                formatJSON,
		"application/json;q=2":                                  formatText,
		"application/json;q=NaN":                                formatText,
		"application/json;q":                                    formatText,
		"application/jsonp":                                     formatText,
		"application/problem+json":                              formatText,
		"application/health+json":                               formatHealthJSON,
		"application/health+json, application/json":             formatHealthJSON,
		"application/json, application/health+json":             formatHealthJSON,
		"application/json, application/health+json;q=0.9":       formatJSON,
		"application/health+json;q=0.1, application/json;q=0.2": formatJSON,
		"application/*, application/health+json;q=0":            formatJSON,
		"application/*, application/json;q=0":                   formatHealthJSON,
		",;,/":                                                  formatText,
	} {
		if got := accepted([]string{header}); got != want {
			t.Errorf("%q: %s, want %s", header, got.mediaType(), want.mediaType())
		}
	}
	if got := accepted([]string{"text/plain;q=0.1", "application/json"}); got != formatJSON {
		t.Errorf("in two headers: %s", got.mediaType())
	}
	header := []string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
	if n := testing.AllocsPerRun(100, func() { accepted(header) }); n != 0 {
		t.Errorf("%v allocations for a browser's header, want 0", n)
	}
}

func FuzzAccepted(f *testing.F) {
	for _, seed := range []string{"*/*", "application/json;q=0.5", "application/health+json, text/plain", ";q=", "/*;q=1,*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		// what is refused by q=0 alone is never sent
		if got := accepted([]string{"application/json;q=0, application/health+json;q=0, " + header}); got == formatJSON && rank([]string{header}, formatJSON).specific == 0 {
			t.Errorf("%q gives JSON that was refused", header)
		}
	})
}
