package cli

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBuild(t *testing.T) {
	goLine := "go       " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + "\n"
	goFields := `  "goVersion": "` + runtime.Version() + "\",\n" + `  "platform": "` + runtime.GOOS + "/" + runtime.GOARCH + "\"\n}\n"
	commit := []debug.BuildSetting{
		{Key: "vcs", Value: "git"},
		{Key: "vcs.revision", Value: "f8c703a0"},
		{Key: "vcs.time", Value: "2026-11-29T00:43:13Z"},
		{Key: "vcs.modified", Value: "false"},
	}
	modified := append(commit[:3:3], debug.BuildSetting{Key: "vcs.modified", Value: "true"})
	tests := map[string]struct {
		info       *debug.BuildInfo
		text, json string
	}{
		"a checkout": {
			&debug.BuildInfo{Main: debug.Module{Version: "v0.1.0"}, Settings: commit},
			"probity  v0.1.0\ncommit   f8c703a0\ndate     2026-11-29T00:43:13Z\n",
			"{\n  \"version\": \"v0.1.0\",\n  \"commit\": \"f8c703a0\",\n  \"date\": \"2026-11-29T00:43:13Z\",\n",
		},
		"a changed checkout": {
			&debug.BuildInfo{Main: debug.Module{Version: "v0.1.0+dirty"}, Settings: modified},
			"probity  v0.1.0+dirty\ncommit   f8c703a0 (modified)\ndate     2026-11-29T00:43:13Z\n",
			"{\n  \"version\": \"v0.1.0+dirty\",\n  \"commit\": \"f8c703a0\",\n  \"date\": \"2026-11-29T00:43:13Z\",\n  \"modified\": true,\n",
		},
		"a module": {
			&debug.BuildInfo{Main: debug.Module{Version: "v0.1.0"}},
			"probity  v0.1.0\ncommit   unknown\ndate     unknown\n",
			"{\n  \"version\": \"v0.1.0\",\n",
		},
		"nothing": {nil, "probity  unknown\ncommit   unknown\ndate     unknown\n", "{\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for output, want := range map[string]string{"text": test.text + goLine, "json": test.json + goFields} {
				got, err := newBuild(test.info).render(output)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", output, diff)
				}
			}
		})
	}
}
