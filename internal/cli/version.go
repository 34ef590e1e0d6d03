package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

const versionHelp = `Print which build this is: the version of the module, the commit that it was built from, that commit's date, and the
version of Go. The go command writes them into the program. A build outside of a git checkout, such as go install with a version, knows
its version and no commit; -o json leaves out what is unknown.`

func newVersion(streams Streams) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print version, commit, date and Go version of this build",
		Long:  versionHelp,
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text, err := thisBuild().render(output)
			if err != nil {
				return badInput(err)
			}
			_, err = fmt.Fprint(streams.Out, text)
			return err
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

// build is what a program knows about how it was built. Empty fields are unknown.
type build struct {
	Version   string `json:"version,omitempty"`
	Commit    string `json:"commit,omitempty"`
	Date      string `json:"date,omitempty"`     // of the commit, RFC 3339
	Modified  bool   `json:"modified,omitempty"` // the checkout had changes that were not committed
	GoVersion string `json:"goVersion"`
	Platform  string `json:"platform"`
}

// thisBuild is how this program was built.
func thisBuild() build {
	info, _ := debug.ReadBuildInfo()
	return newBuild(info)
}

// newBuild reads what the go command has written into the program; nil means nothing.
func newBuild(info *debug.BuildInfo) build {
	b := build{GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info == nil {
		return b
	}
	b.Version = info.Main.Version
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Commit = setting.Value
		case "vcs.time":
			b.Date = setting.Value
		case "vcs.modified":
			b.Modified = setting.Value == "true"
		}
	}
	return b
}

func (b build) render(output string) (string, error) {
	switch output {
	case "text":
		return b.text(), nil
	case "json":
		data, err := json.MarshalIndent(b, "", "  ")
		return string(data) + "\n", err
	}
	return "", fmt.Errorf("cannot print %q: --output takes text or json", output)
}

func (b build) text() string {
	const unknown = "unknown"
	commit := cmp.Or(b.Commit, unknown)
	if b.Modified {
		commit += " (modified)"
	}
	var out strings.Builder
	for _, line := range [][2]string{
		{"probity", cmp.Or(b.Version, unknown)},
		{"commit", commit},
		{"date", cmp.Or(b.Date, unknown)},
		{"go", b.GoVersion + " " + b.Platform},
	} {
		fmt.Fprintf(&out, "%-8s %s\n", line[0], line[1])
	}
	return out.String()
}
