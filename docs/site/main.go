// Command site writes the documentation and the playground to a folder, as any static host takes
// them and as a browser opens them from there:
//
//	go run ./docs/site FOLDER
//
// The pages have the paths that their sources have in the repository, so links between them hold;
// README.md becomes index.html. A link to a file that is no page leads to the repository. Each page
// has a search that needs no server: the index is a script, which a page that is a file may load.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: site FOLDER")
		os.Exit(2)
	}
	if err := build(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "cannot build the site:", err)
		os.Exit(1)
	}
}

// build writes the whole site to a folder.
func build(folder string) error {
	root, err := goOutput("list", "-m", "-f", "{{.Dir}}", "github.com/probity-run/probity")
	if err != nil {
		return err
	}
	s := site{root: strings.TrimSpace(string(root)), folder: folder}
	return errors.Join(s.documentation(), playground{s}.build())
}

// site is the site while it is written: from the repository in root to folder.
type site struct{ root, folder string }

// dashboard is the path of a file that pages have in common with the dashboard.
func (s site) dashboard(name string) string {
	return filepath.Join(s.root, "internal", "dashboard", "static", name)
}

// write writes a file of the site; its name has slashes.
func (s site) write(name string, data []byte) error {
	path := filepath.Join(s.folder, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// copy copies a file as it is.
func (s site) copy(from, name string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return s.write(name, data)
}

// styles writes the stylesheet of the dashboard with what is only had here after it.
func (s site) styles(own, name string) error {
	common, err := os.ReadFile(s.dashboard("app.css"))
	if err != nil {
		return err
	}
	more, err := os.ReadFile(own)
	if err != nil {
		return err
	}
	minified := api.Transform(string(common)+string(more), api.TransformOptions{Loader: api.LoaderCSS, MinifyWhitespace: true})
	if err := said(minified.Errors); err != nil {
		return err
	}
	return s.write(name, minified.Code)
}

// bundle writes a script and what it imports as one, since a page that is a file may not import
// modules. Constants are texts for names that the script does not define.
func (s site) bundle(from, name string, constants map[string]string) error {
	define := map[string]string{}
	for constant, text := range constants {
		define[constant] = literal(text)
	}
	bundled := api.Build(api.BuildOptions{
		EntryPoints: []string{from}, Bundle: true, Format: api.FormatIIFE, MinifyWhitespace: true, Charset: api.CharsetUTF8, Define: define,
	})
	if err := said(bundled.Errors); err != nil {
		return err
	}
	return s.write(name, bundled.OutputFiles[0].Contents)
}

// said is the error of what esbuild complains about.
func said(messages []api.Message) error {
	var errs []error
	for _, m := range messages {
		where := ""
		if m.Location != nil {
			where = fmt.Sprintf("%s:%d: ", m.Location.File, m.Location.Line)
		}
		errs = append(errs, errors.New(where+m.Text))
	}
	return errors.Join(errs...)
}

// goOutput is what the go command prints.
func goOutput(args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return out, nil
}
