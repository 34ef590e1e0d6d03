package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/probity-run/probity/internal/gobuild"
)

// playground is the page of docs/playground while it is written. It takes the stylesheet and the
// form's script from the dashboard. Its program is compiled without inlining, which makes it a
// seventh smaller on the wire. It is there twice: compressed, for hosts, and as a script, since a
// page that is a file may load nothing else.
type playground struct{ site }

func (p playground) page(name string) string {
	return filepath.Join(p.root, "docs", "playground", name)
}

func (p playground) build() error {
	return errors.Join(
		p.copy(p.page("index.html"), "playground/index.html"), p.copy(p.dashboard("icon.svg"), "playground/icon.svg"),
		p.styles(p.page("playground.css"), "playground/playground.css"), p.script(), p.program(), p.licenses())
}

// script is all scripts in one. The worker's is a text in it, with what Go needs in a browser
// before it.
func (p playground) script() error {
	goroot, err := goOutput("env", "GOROOT")
	if err != nil {
		return err
	}
	support, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(goroot)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return err
	}
	worker, err := os.ReadFile(p.page("worker.js"))
	if err != nil {
		return err
	}
	example, err := os.ReadFile(p.page("example.yaml"))
	if err != nil {
		return err
	}
	constants := map[string]string{"WORKER": string(support) + string(worker), "EXAMPLE": string(example)}
	for name, question := range map[string]url.Values{"FIELDS": {"ask": {"start"}}, "FOUND": {"ask": {"check"}, "text": {string(example)}}} {
		if constants[name], err = p.answer(question); err != nil {
			return err
		}
	}
	return p.bundle(p.page("playground.js"), "playground/playground.js", constants)
}

// answer is what the program says to a question. Who opens the page sees the answers about its
// example at once, and not seconds later, when the program itself is there.
func (p playground) answer(question url.Values) (string, error) {
	env, err := gobuild.Environment()
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "run", "./cmd/playground")
	cmd.Dir, cmd.Env, cmd.Stderr, cmd.Stdin = p.root, env, os.Stderr, strings.NewReader(question.Encode())
	page, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("cannot ask cmd/playground: %w", err)
	}
	return string(page), nil
}

// literal is a text as JSON, which is JavaScript too.
func literal(text string) string {
	data, _ := json.Marshal(text) // a string always has a JSON form
	return string(data)
}

// program compiles the program and writes it in both forms.
func (p playground) program() error {
	dir, err := os.MkdirTemp("", "probity-playground-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	env, err := gobuild.Environment()
	if err != nil {
		return err
	}
	name := filepath.Join(dir, "probity.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-gcflags=all=-l", "-ldflags=-s -w", "-o", name, "./cmd/playground")
	cmd.Dir, cmd.Env, cmd.Stderr = p.root, append(env, "GOOS=js", "GOARCH=wasm"), os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("cannot compile cmd/playground: %w", err)
	}
	program, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	packed, err := gzipped(program)
	if err != nil {
		return err
	}
	script := "globalThis.probityProgram=" + strconv.Quote(base64.StdEncoding.EncodeToString(packed)) + ";\n"
	return errors.Join(p.write("playground/probity.wasm.gz", packed), p.write("playground/probity.wasm.js", []byte(script)))
}

func gzipped(data []byte) ([]byte, error) {
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	err = z.Close()
	return packed.Bytes(), err
}
