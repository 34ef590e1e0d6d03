package proxy

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// foreignReplicas are servers with parsers of their own. Each prints where it listens and then the
// path of each request that it has read, and answers with it.
func foreignReplicas() map[string][]string {
	return map[string][]string{
		// llhttp
		"node": {"-e", `
const s = require('http').createServer((q, a) => { q.on('data', () => {}); q.on('end', () => { console.log(q.url); a.end(q.url) }) })
s.on('upgrade', (q, c) => c.destroy())
s.listen(0, '127.0.0.1', () => console.log('127.0.0.1:' + s.address().port))`},
		"python3": {"-u", "-c", `
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class H(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def answer(self):
        if self.headers.get('Transfer-Encoding'):
            while (n := int(self.rfile.readline(), 16)):
                self.rfile.read(n + 2)
            while self.rfile.readline().strip():
                pass
        self.rfile.read(int(self.headers.get('Content-Length', 0)))
        print(self.path)
        body = self.path.encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_POST = do_OPTIONS = do_HEAD = answer
    def log_message(self, *_): pass
s = ThreadingHTTPServer(('127.0.0.1', 0), H)
print('127.0.0.1:%d' % s.server_port)
s.serve_forever()`},
	}
}

// TestForeignReplicas: what the relay passes on, servers of other languages read as the same
// requests as net/http does.
func TestForeignReplicas(t *testing.T) {
	for name, args := range foreignReplicas() {
		t.Run(name, func(t *testing.T) {
			path, err := exec.LookPath(name)
			if err != nil {
				t.Skip(name + " is not installed")
			}
			address, requests := startForeign(t, path, args)
			fx := start(t, Options{})
			front := fx.service("web")
			fx.endpoints("web", at("a", address))
			good := client(t)
			for what, tt := range hiddenRequests() {
				sendAndEnd(t, front, tt.sent, true)
				// what comes behind it in the same connection to the replica shows whether they
				// agree
				path := "/own/" + strings.ReplaceAll(what, " ", "-")
				if code, body := do(good, http.MethodPost, "http://"+front+path, "body"); code != http.StatusOK || body != path {
					t.Errorf("%s: the next client got %d %q", what, code, body)
					continue
				}
				seen, hidden := int64(0), false
				for line := range requests {
					if line == path {
						break
					}
					seen++
					hidden = hidden || strings.Contains(line, "hidden")
				}
				if seen > tt.n || tt.n == 1 && hidden {
					t.Errorf("%s: %s read %d requests, hidden: %v, the client has sent %d", what, name, seen, hidden, tt.n)
				}
			}
		})
	}
}

// startForeign starts a replica, and returns where it listens and what it prints after that.
func startForeign(t *testing.T, path string, args []string) (address string, requests <-chan string) {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, ended := make(chan string, 1000), make(chan struct{})
	go func() {
		defer close(ended)
		defer close(lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			lines <- in.Text()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = cmd.Wait() // it was killed
	})
	address, ok := <-lines
	if !ok {
		t.Fatal(path, " ended at once")
	}
	return address, lines
}
