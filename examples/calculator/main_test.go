package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// program is a calculator that runs within the test; its standard error is what the test waits for.
type program struct {
	t      *testing.T
	cancel context.CancelFunc // SIGTERM
	result chan error

	mu     sync.Mutex // guards what follows
	output strings.Builder
	more   chan struct{} // closed when there is more output
}

// start runs a calculator with a small weights file that is loaded at once, on a free port of
// loopback.
func start(t *testing.T, data string, env map[string]string, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	p := &program{t: t, cancel: cancel, result: make(chan error, 1), more: make(chan struct{})}
	args = append([]string{"-data", data, "-host", "127.0.0.1", "-port", "0", "-weights-size", "64KiB", "-load-rate", "0", "-log-level", "debug"}, args...)
	go func() { p.result <- run(ctx, args, func(name string) string { return env[name] }, p) }()
	t.Cleanup(func() { p.stop() })
	return p
}

// Write takes what the program logs.
func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.more)
	p.more = make(chan struct{})
	return p.output.Write(b)
}

func (p *program) log() (string, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String(), p.more
}

// await waits until the program has logged text, and returns the log.
func (p *program) await(text string) string {
	p.t.Helper()
	for late := time.After(20 * time.Second); ; {
		log, more := p.log()
		if strings.Contains(log, text) {
			return log
		}
		select {
		case <-more:
		case err := <-p.result:
			p.result <- err
			p.t.Fatalf("the program ended (%v) before it logged %q:\n%s", err, text, log)
		case <-late:
			p.t.Fatalf("%q is not logged:\n%s", text, log)
		}
	}
}

// address is where the daemon listens, once it does.
func (p *program) address() string {
	p.t.Helper()
	return regexp.MustCompile(`address=(\S+)\n`).FindStringSubmatch(p.await("HTTP daemon answers"))[1]
}

// stop does what SIGTERM does and returns the program's result.
func (p *program) stop() error {
	p.t.Helper()
	p.cancel()
	select {
	case err := <-p.result:
		p.result <- err
		return err
	case <-time.After(20 * time.Second):
		log, _ := p.log()
		p.t.Errorf("the program does not end:\n%s", log)
		return context.DeadlineExceeded
	}
}

// request returns status and body of one request.
func (p *program) request(method, path, body string) (int, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, "http://"+p.address()+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// expect requires a status, and a part of the body.
func (p *program) expect(method, path, body string, status int, part string) {
	p.t.Helper()
	if err := p.compare(method, path, body, status, part); err != nil {
		p.t.Error(err)
	}
}

// succeeds waits for an answer that needs the database, which may take longer than its time-out on
// a machine that is very busy.
func (p *program) succeeds(method, path, body string, status int, part string) {
	p.t.Helper()
	eventually(p.t, func() error { return p.compare(method, path, body, status, part) })
}

func (p *program) compare(method, path, body string, status int, part string) error {
	p.t.Helper()
	if got, answer := p.request(method, path, body); got != status || !strings.Contains(answer, part) {
		return fmt.Errorf("%s %s answers %d %q, want %d and %q", method, path, got, answer, status, part)
	}
	return nil
}

// eventually tries until there is no error.
func eventually(t *testing.T, try func() error) {
	t.Helper()
	for late := time.After(20 * time.Second); ; {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-late:
			t.Fatal(err)
		}
	}
}

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestStartOrder(t *testing.T) {
	p := start(t, t.TempDir(), nil)
	log := p.await("Database connected")
	at := -1
	for _, step := range []string{"Process created", "Weights loaded", "HTTP daemon answers", "Database connected"} {
		next := strings.Index(log, step)
		if next <= at {
			t.Errorf("%q is at %d of the log, want it after %d:\n%s", step, next, at, log)
		}
		at = next
	}
	for _, path := range []string{"/startupz", "/readyz", "/livez", "/startup", "/ready", "/health", "/healthz"} {
		p.succeeds("GET", path, "", http.StatusOK, "ok")
		if log := p.await("GET " + path + " 200 OK"); !strings.Contains(log, `level=DEBUG msg="GET `+path) {
			t.Errorf("the request of a probe is not logged at debug:\n%s", log)
		}
	}
	if err := p.stop(); err != nil {
		t.Errorf("stopped with %v, want nil", err)
	}
}

func TestSettingsAreRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		args []string
		env  map[string]string
		want string
	}{
		"argument":       {args: []string{"serve"}, want: `cannot understand "serve"`},
		"flag":           {args: []string{"-prot", "1"}, want: "-prot"},
		"port":           {env: map[string]string{"PORT": "http"}, want: `cannot listen on port "http"`},
		"DRAIN":          {env: map[string]string{"DRAIN": "2"}, want: `cannot use DRAIN: time: missing unit in duration "2"`},
		"port range":     {args: []string{"-port", "65536"}, want: `cannot listen on port "65536"`},
		"weights size":   {args: []string{"-weights-size", "4097"}, want: "cannot use -weights-size 4097"},
		"unit":           {args: []string{"-weights-size", "1MB"}, want: "write a whole number"},
		"drain":          {args: []string{"-drain", "-1s"}, want: "cannot use a negative time"},
		"database":       {env: map[string]string{"DATABASE_URL": "mysql://x:secret@y/z"}, want: "cannot use DATABASE_URL"},
		"lock":           {args: []string{"-lock-database", "1s", "-data", "/nowhere"}, want: "cannot lock /nowhere/calculator.db"},
		"data is a file": {args: []string{"-data", file}, want: "cannot make the data folder"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), test.args, func(name string) string { return test.env[name] }, io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("error = %v, want one with %q and no password", err, test.want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	var help strings.Builder
	err := run(t.Context(), []string{"-h"}, func(string) string { return "" }, &help)
	if err != nil || !strings.Contains(help.String(), "-weights-size size") || !strings.Contains(help.String(), "DATABASE_URL") {
		t.Errorf("error = %v, help = %s", err, help.String())
	}
}
