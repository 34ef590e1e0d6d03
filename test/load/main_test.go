package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestExitCodes(t *testing.T) {
	good := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer good.Close()
	bad := httptest.NewServer(http.NotFoundHandler())
	defer bad.Close()
	for name, tt := range map[string]struct {
		args []string
		code int
		out  string
	}{
		"good":        {[]string{"-url", good.URL, "-duration", "100ms", "-clients", "2"}, 0, ", 0 failed; p50 "},
		"bad":         {[]string{"-url", bad.URL, "-duration", "100ms", "-clients", "2"}, 1, " status 404); p50 "},
		"no url":      {nil, 2, ""},
		"wrong flag":  {[]string{"-ulr", good.URL}, 2, ""},
		"help wanted": {[]string{"-help"}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs strings.Builder
			if code := run(t.Context(), tt.args, &out, &errs); code != tt.code || !strings.Contains(out.String(), tt.out) {
				t.Errorf("exit code %d, output %q, want %d and %q; errors %q", code, out.String(), tt.code, tt.out, errs.String())
			}
		})
	}
}
