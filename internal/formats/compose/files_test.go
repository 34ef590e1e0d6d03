package compose_test

import (
	"io/fs"
	"path"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/formats/compose"
)

// TestFiles: which files are read together, by Docker Compose's rules. What a file says is its own
// name, as the image of its service, so the image of the conversion is the file that was read last.
func TestFiles(t *testing.T) {
	const usual, other, over, prod = "d/compose.yaml", "d/docker-compose.yml", "d/compose.override.yaml", "d/compose.prod.yaml"
	all := []string{usual, over, prod}
	notRead := "not read: of this folder Docker Compose reads compose.yaml and compose.override.yaml, to which service web belongs; name the files to read others"
	for name, c := range map[string]struct {
		there    []string
		named    []string
		together bool
		setting  string // COMPOSE_FILE
		dotEnv   string // of the folder
		file     string // which is converted
		want     string // the image
		says     string
	}{
		"a folder":                      {there: all, named: []string{"d"}, file: usual, want: over},
		"its override":                  {there: all, named: []string{"d"}, file: over, says: "read on top of compose.yaml"},
		"another file of the folder":    {there: all, named: []string{"d"}, file: prod, says: notRead},
		"another project of the folder": {there: []string{usual, "d/tools.yaml"}, named: []string{"d"}, file: "d/tools.yaml", want: "d/tools.yaml"},
		"a file that needs another":     {there: []string{usual, "d/proxy.yaml"}, named: []string{"d"}, file: "d/proxy.yaml", says: "not read: of this folder Docker Compose reads compose.yaml, to which service web belongs; name the files to read others"},
		"a folder without the usual":    {there: []string{prod}, named: []string{"d"}, file: prod, want: prod},
		"two usual names":               {there: []string{usual, other}, named: []string{"d"}, file: other, says: "not read: of this folder Docker Compose reads compose.yaml, to which service web belongs; name the files to read others"},
		"nobody was named":              {there: all, file: usual, want: over},
		"a file": {there: all, named: []string{"./" + usual}, file: usual, want: usual,
			says: "compose.override.yaml is not read: a file that is named stands alone, as after docker compose -f; name the folder, or the files together"},
		"a file that has no override": {there: []string{usual, prod}, named: []string{usual}, file: usual, want: usual},
		"two files":                   {there: all, named: []string{usual, prod}, together: true, file: usual, want: prod},
		"a path that is not clean":    {there: all, named: []string{"./" + usual, "./" + prod}, together: true, file: "./" + usual, want: prod},
		"the second one":              {there: all, named: []string{usual, prod}, together: true, file: prod, says: "read on top of compose.yaml"},
		"two files, the other way":    {there: all, named: []string{prod, usual}, together: true, file: usual, says: "read on top of compose.prod.yaml"},
		"two files, each judged":      {there: all, named: []string{usual, over, prod}, file: prod, want: prod},
		"two projects":                {there: []string{usual, "d/tools.yaml"}, named: []string{usual, "d/tools.yaml"}, together: true, file: "d/tools.yaml", want: "d/tools.yaml"},
		"two folders":                 {there: []string{usual, "e/compose.yaml"}, named: []string{usual, "e/compose.yaml"}, together: true, file: "e/compose.yaml", want: "e/compose.yaml"},
		"of the environment":          {there: all, named: []string{"d"}, setting: "compose.yaml:compose.prod.yaml", file: usual, want: prod},
		"then no override":            {there: all, named: []string{"d"}, setting: "compose.yaml:compose.prod.yaml", file: over, says: "not read: of this folder Docker Compose reads compose.yaml and compose.prod.yaml, to which service web belongs; name the files to read others"},
		"of the folder":               {there: all, named: []string{"d"}, dotEnv: "COMPOSE_FILE=compose.prod.yaml", file: prod, want: prod},
		"of another folder":           {there: all, named: []string{"d"}, setting: "elsewhere.yaml", file: usual, want: over},
		"named in spite of it":        {there: all, named: []string{prod}, setting: "compose.yaml:compose.prod.yaml", file: prod, want: prod},
		"standard input":              {there: all, named: []string{"-"}, file: "<stdin>", want: "<stdin>"},
	} {
		t.Run(name, func(t *testing.T) {
			text := func(path string) string {
				service, more := "web", ""
				switch path {
				case "d/tools.yaml":
					service = "tools"
				case "d/proxy.yaml":
					service, more = "proxy", ", depends_on: [web]"
				}
				return "services: {" + service + ": {image: " + `"` + path + `"` + more + "}}"
			}
			read := func(path string) ([]byte, error) {
				switch {
				case path == "d/.env" && c.dotEnv != "":
					return []byte(c.dotEnv), nil
				case slices.Contains(c.there, path):
					return []byte(text(path)), nil
				}
				return nil, fs.ErrNotExist
			}
			lookup := func(name string) (string, bool) { return c.setting, name == "COMPOSE_FILE" && c.setting != "" }
			format := compose.Format{Options: compose.Options{Lookup: lookup, ReadFile: read, Named: c.named, Together: c.together}}
			var root yaml.Node
			if err := yaml.Unmarshal([]byte(text(path.Clean(c.file))), &root); err != nil {
				t.Fatal(err)
			}
			image, says := outcome(t, format, c.file, root.Content[0])
			if image != c.want || says != c.says {
				t.Errorf("the last file that is read is %q, want %q; said is\n%s, want\n%s", image, c.want, says, c.says)
			}
		})
	}
}

// outcome is the image of the one service that a file became, and what is said of files.
func outcome(t *testing.T, format compose.Format, file string, root *yaml.Node) (image, says string) {
	t.Helper()
	done := format.Convert(file, root)
	if len(done.Errors) > 0 {
		t.Fatal(done.Errors)
	}
	if done.Into != nil {
		return "", done.Into.Message
	}
	var deployment struct {
		Spec struct {
			Template struct {
				Spec struct{ Containers []struct{ Image string } }
			}
		}
	}
	if err := done.Objects[0].Root.Decode(&deployment); err != nil {
		t.Fatal(err)
	}
	for _, n := range done.NotApplied {
		says += n.Message
	}
	return deployment.Spec.Template.Spec.Containers[0].Image, says
}
