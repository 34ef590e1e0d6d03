package proxy

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// foreignReplica is a server with a parser of its own. It prints where it listens and then the path
// of each request that it has read, and answers with it.
type foreignReplica struct {
	programs []string // the first one that is there and passes the check runs it
	check    []string // arguments of a run that succeeds if everything is installed; nil for none
	args     []string
}

// foreignReplicas are the servers, by the names of their parsers.
func foreignReplicas() map[string]foreignReplica {
	return map[string]foreignReplica{
		"llhttp": {programs: []string{"node"}, args: []string{"-e", `
const s = require('http').createServer((q, a) => { q.on('data', () => {}); q.on('end', () => { console.log(q.url); a.end(q.url) }) })
s.on('upgrade', (q, c) => c.destroy())
s.listen(0, '127.0.0.1', () => console.log('127.0.0.1:' + s.address().port))`}},
		"h11": {programs: []string{"python3", "/usr/bin/python3"}, check: []string{"-c", "import h11"}, args: []string{"-u", "-c", `
import h11, socket, threading
def serve(sock):
    with sock:
        c = h11.Connection(h11.SERVER)
        while True:
            e = c.next_event()
            if e is h11.NEED_DATA:
                c.receive_data(sock.recv(65536))
            elif type(e) is h11.Request:
                path = e.target
            elif type(e) is h11.EndOfMessage:
                print(path.decode())
                head = h11.Response(status_code=200, headers=[('Content-Length', str(len(path)))])
                sock.sendall(c.send(head) + c.send(h11.Data(data=path)) + c.send(h11.EndOfMessage()))
                if c.our_state is not h11.DONE:
                    return
                c.start_next_cycle()
            elif e is h11.PAUSED or type(e) is h11.ConnectionClosed:
                return
s = socket.create_server(('127.0.0.1', 0), backlog=100)
print('127.0.0.1:%d' % s.getsockname()[1])
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()`}},
		"http.server": {programs: []string{"python3"}, args: []string{"-u", "-c", `
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
s.serve_forever()`}},
	}
}

// find returns the program that runs the replica, "" if it is not installed.
func (r foreignReplica) find() string {
	for _, name := range r.programs {
		path, err := exec.LookPath(name)
		if err == nil && (r.check == nil || exec.Command(path, r.check...).Run() == nil) {
			return path
		}
	}
	return ""
}

// TestForeignReplicas: what the relay passes on, servers of other languages read as the same
// requests as net/http does.
func TestForeignReplicas(t *testing.T) {
	for name, replica := range foreignReplicas() {
		t.Run(name, func(t *testing.T) {
			path := replica.find()
			if path == "" {
				t.Skip(name + " is not installed")
			}
			address, requests := startForeign(t, path, replica.args)
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
