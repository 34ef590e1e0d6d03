package advisor

import (
	"strings"
	"testing"
)

func TestLostWords(t *testing.T) {
	for name, c := range map[string]struct {
		command []string
		lost    string
	}{
		"curl in words":               {[]string{"sh", "-c", "curl", "-f", "http://localhost/"}, "-f http://localhost/"},
		"cat in words":                {[]string{"/bin/sh", "-c", "cat", "/tmp/healthy"}, "/tmp/healthy"},
		"options in clusters":         {[]string{"bash", "-ec", "test", "-f", "/tmp/x"}, "-f /tmp/x"},
		"half a line":                 {[]string{"sh", "-c", "curl -f", "http://localhost/"}, "http://localhost/"},
		"operators behind a line":     {[]string{"sh", "-c", "curl -f http://localhost/", "||", "exit", "1"}, "|| exit 1"},
		"a line":                      {[]string{"sh", "-c", "curl -f http://localhost/"}, ""},
		"a name for the script":       {[]string{"sh", "-c", "pg_isready || exit 1", "probe"}, ""},
		"a shell's name":              {[]string{"sh", "-c", "pg_isready", "sh"}, ""},
		"two dashes":                  {[]string{"sh", "-c", "pg_isready", "--"}, ""},
		"parameters that are used":    {[]string{"sh", "-c", `exec "$0" "$@"`, "curl", "-f", "x"}, ""},
		"one parameter":               {[]string{"sh", "-c", "curl -f http://localhost/${1:-h}", "sh", "ready"}, ""},
		"a count of parameters":       {[]string{"sh", "-c", "test $# -gt 0", "a", "b"}, ""},
		"an option behind -c":         {[]string{"/bin/sh", "-c", "-e", "exec pg_isready -U app"}, ""},
		"words behind that option":    {[]string{"sh", "-c", "-e", "cat", "/tmp/healthy"}, "/tmp/healthy"},
		"an option with a value":      {[]string{"bash", "-euo", "pipefail", "-c", "cat", "/tmp/healthy"}, "/tmp/healthy"},
		"-c with others behind it":    {[]string{"bash", "-cx", "cat", "/tmp/healthy"}, "/tmp/healthy"},
		"a long option":               {[]string{"bash", "--login", "-c", "cat", "/tmp/healthy"}, "/tmp/healthy"},
		"two dashes before it":        {[]string{"sh", "-c", "--", "pg_isready -U app"}, ""},
		"an option switched off":      {[]string{"sh", "+e", "-c", "pg_isready -U app"}, ""},
		"a file behind an option":     {[]string{"bash", "--rcfile", "-c", "probe.sh", "x"}, ""},
		"a script file":               {[]string{"sh", "/probe.sh", "-c", "x", "y"}, ""},
		"another program's option -c": {[]string{"psql", "-c", "select", "1"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if lost, _ := LostWords(c.command); strings.Join(lost, " ") != c.lost {
				t.Errorf("%q loses %q, want %q", c.command, lost, c.lost)
			}
		})
	}
}
