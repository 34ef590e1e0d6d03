package kubectl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServer starts and stops programs that stand for probity.
func TestServer(t *testing.T) {
	const serve = `echo >"$3/kubeconfig"; while :; do sleep 0.05; done`
	tests := map[string]struct{ script, start, stop string }{
		"it ends well":          {`trap 'exit 0' INT; ` + serve, "", ""},
		"it ends with a code":   {`trap 'exit 3' INT; ` + serve, "", "ended with the exit code 3"},
		"it leaves a process":   {`trap 'exit 0' INT; sleep 3600 & ` + serve, "", "is left: sleep 3600"},
		"it gets no kubeconfig": {`echo "cannot start"; exit 1`, "cannot start", ""},
		"it gets its arguments": {`[ "$*" = "run --state-dir $3 a b" ] || exit 1; trap 'exit 0' INT; ` + serve, "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program, state := filepath.Join(t.TempDir(), "program"), t.TempDir()
			if err := os.WriteFile(program, []byte("#!/bin/sh\n"+test.script+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(state, "kubeconfig"), []byte("of the last run"), 0o600); err != nil {
				t.Fatal(err)
			}
			server, err := Start(program, state, t.TempDir(), os.Environ(), "a", "b")
			if !says(err, test.start) {
				t.Fatalf("start: %v, want %q", err, test.start)
			} else if err != nil {
				return
			}
			if n := len(server.Processes()); n < 1 {
				t.Error("its own process is not found")
			}
			if err := server.Stop(); !says(err, test.stop) {
				t.Errorf("stop: %v, want %q", err, test.stop)
			}
			if !within(timeout, func() bool { return len(server.Processes()) == 0 }) {
				t.Errorf("%v are left", server.Processes())
			}
		})
	}
}

// says reports whether an error says something, and there is none if it is to say nothing.
func says(err error, what string) bool {
	if err == nil || what == "" {
		return err == nil && what == ""
	}
	return strings.Contains(err.Error(), what)
}
