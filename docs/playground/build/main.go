// Command build writes the playground to a folder, as any static host takes it and as a browser
// opens it from there:
//
//	go run ./docs/playground/build FOLDER
//
// The page takes the stylesheet and the form's script from the dashboard. The program is compiled
// without inlining, which makes it a seventh smaller on the wire. It is there twice: compressed,
// for hosts, and as a script, since a page that is a file may load nothing else.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: build FOLDER")
		os.Exit(2)
	}
	if err := build(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "cannot build the playground:", err)
		os.Exit(1)
	}
}

// build writes all files of the page to a folder.
func build(folder string) error {
	root, err := output("go", "list", "-m", "-f", "{{.Dir}}", "github.com/probity-run/probity")
	if err != nil {
		return err
	}
	s := site{root: strings.TrimSpace(string(root)), folder: folder}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return errors.Join(s.copy(), s.styles(), s.script(), s.program())
}

// site is the page while it is written: from the repository in root.
type site struct{ root, folder string }

func (s site) page(name string) string { return filepath.Join(s.root, "docs", "playground", name) }

func (s site) dashboard(name string) string {
	return filepath.Join(s.root, "internal", "dashboard", "static", name)
}

func (s site) write(name string, data []byte) error {
	return os.WriteFile(filepath.Join(s.folder, name), data, 0o644)
}

// copy copies what stays as it is.
func (s site) copy() error {
	for _, from := range []string{s.page("index.html"), s.dashboard("icon.svg")} {
		data, err := os.ReadFile(from)
		if err == nil {
			err = s.write(filepath.Base(from), data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// styles are those of the dashboard, then those that only this page has.
func (s site) styles() error {
	common, err := os.ReadFile(s.dashboard("app.css"))
	if err != nil {
		return err
	}
	own, err := os.ReadFile(s.page("playground.css"))
	if err != nil {
		return err
	}
	minified := api.Transform(string(common)+string(own), api.TransformOptions{Loader: api.LoaderCSS, MinifyWhitespace: true})
	if err := said(minified.Errors); err != nil {
		return err
	}
	return s.write("playground.css", minified.Code)
}

// script is all scripts in one: a page that is a file may not import modules. The worker's is a
// text in it, with what Go needs in a browser before it.
func (s site) script() error {
	goroot, err := output("go", "env", "GOROOT")
	if err != nil {
		return err
	}
	support, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(goroot)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return err
	}
	worker, err := os.ReadFile(s.page("worker.js"))
	if err != nil {
		return err
	}
	example, err := os.ReadFile(s.page("example.yaml"))
	if err != nil {
		return err
	}
	bundled := api.Build(api.BuildOptions{
		EntryPoints: []string{s.page("playground.js")}, Bundle: true, Format: api.FormatIIFE, MinifyWhitespace: true, Charset: api.CharsetUTF8,
		Define: map[string]string{"WORKER": literal(string(support) + string(worker)), "EXAMPLE": literal(string(example))},
	})
	if err := said(bundled.Errors); err != nil {
		return err
	}
	return s.write("playground.js", bundled.OutputFiles[0].Contents)
}

// literal is a text as JSON, which is JavaScript too.
func literal(text string) string {
	data, _ := json.Marshal(text) // a string always has a JSON form
	return string(data)
}

// program compiles the program and writes it in both forms.
func (s site) program() error {
	dir, err := os.MkdirTemp("", "probity-playground-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "probity.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-gcflags=all=-l", "-ldflags=-s -w", "-o", name, "./cmd/playground")
	cmd.Dir, cmd.Env, cmd.Stderr = s.root, append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS="), os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("cannot compile cmd/playground: %w", err)
	}
	program, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(program)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return err
	}
	script := "globalThis.probityProgram=" + strconv.Quote(base64.StdEncoding.EncodeToString(packed.Bytes())) + ";\n"
	return errors.Join(s.write("probity.wasm.gz", packed.Bytes()), s.write("probity.wasm.js", []byte(script)))
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

// output is what a command prints.
func output(name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return out, nil
}
