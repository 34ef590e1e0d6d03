package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLastOutput(t *testing.T) {
	const stamp = "2026-01-01T12:00:00Z stdout F "
	for name, test := range map[string]struct{ log, want string }{
		"no output":              {"", ""},
		"one line":               {stamp + "hello\n", "hello"},
		"the last of many":       {stamp + "one\n" + stamp + "two\n", "two"},
		"empty lines at the end": {stamp + "one\n" + stamp + "\n" + stamp + "  \n", "one"},
		"a long log":             {strings.Repeat(stamp+"x\n", 10_000) + stamp + "end\n", "end"},
		"too many empty lines":   {stamp + "one\n" + strings.Repeat(stamp+"\n", maxEntriesBack), ""},
		"half a line at the end": {stamp + "one\n" + stamp + "tw", "one"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, pod := t.TempDir(), examplePodOf()
			pod.UID = "u1"
			folder := filepath.Join(podDir(dir, pod), "app")
			if err := os.MkdirAll(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, "2.log"), []byte(test.log), 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := LastOutput(dir, pod, "app", 2); got != test.want || err != nil {
				t.Errorf("LastOutput = %q, %v, want %q", got, err, test.want)
			}
			if got, err := LastOutput(dir, pod, "app", 1); got != "" || err != nil {
				t.Errorf("an instance without a log: %q, %v", got, err)
			}
		})
	}
}
