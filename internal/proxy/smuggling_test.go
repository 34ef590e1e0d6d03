package proxy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/probity-run/probity/test/ports"
)

// hiddenRequests are what a client sends that tries to hide a second request in the first: with how
// many requests it has sent, strictly read. It is 1 if the first one is good and what follows it is
// none, 2 if what follows is a request that nobody hides.
func hiddenRequests() map[string]struct {
	sent string
	n    int64
} {
	const head, hidden = "POST /first HTTP/1.1\r\nHost: x\r\n", "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
	const chunked = "Transfer-Encoding: chunked\r\n"
	length := func(s string) string { return fmt.Sprintf("Content-Length: %d\r\n", len(s)) }
	return map[string]struct {
		sent string
		n    int64
	}{
		"within a length":           {head + length(hidden) + "\r\n" + hidden, 1},
		"within a chunk":            {head + chunked + fmt.Sprintf("\r\n%x\r\n%s\r\n0\r\n\r\n", len(hidden), hidden), 1},
		"behind a length":           {head + "Content-Length: 2\r\n\r\nhi" + hidden, 2},
		"behind chunks":             {head + chunked + "\r\n0\r\n\r\n" + hidden, 2},
		"behind an upgrade":         {head + "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n" + hidden, 2},
		"CL.TE":                     {head + chunked + length("0\r\n\r\n"+hidden) + "\r\n0\r\n\r\n" + hidden, 1},
		"TE.CL":                     {head + "Content-Length: 4\r\n" + chunked + fmt.Sprintf("\r\n%x\r\n%s\r\n0\r\n\r\n", len(hidden), hidden), 1},
		"TE.TE":                     {head + chunked + "Transfer-Encoding: x\r\n" + length(hidden) + "\r\n" + hidden, 1},
		"TE with a tab":             {head + "Transfer-Encoding:\tchunked\r\n" + length("0\r\n\r\n"+hidden) + "\r\n0\r\n\r\n" + hidden, 1},
		"TE with a vertical tab":    {head + "Transfer-Encoding: \vchunked\r\n" + length("0\r\n\r\n"+hidden) + "\r\n0\r\n\r\n" + hidden, 1},
		"TE with a space":           {head + "Transfer-Encoding : chunked\r\n" + length("0\r\n\r\n"+hidden) + "\r\n0\r\n\r\n" + hidden, 1},
		"TE in a folded line":       {head + "X: y\r\n Transfer-Encoding: chunked\r\n" + length("0\r\n\r\n"+hidden) + "\r\n0\r\n\r\n" + hidden, 1},
		"TE behind a bare CR":       {head + "X: y\rTransfer-Encoding: chunked\r\n" + length("0\r\n\r\n"+hidden) + "\r\n0\r\n\r\n" + hidden, 1},
		"TE in quotes":              {head + "Transfer-Encoding: \"chunked\"\r\n" + length("0\r\n\r\n"+hidden) + "\r\n0\r\n\r\n" + hidden, 1},
		"TE of HTTP/1.0":            {"POST /first HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n" + chunked + length("0\r\n\r\n"+hidden) + "\r\n0\r\n\r\n" + hidden, 1},
		"two lengths":               {head + "Content-Length: 0\r\n" + length(hidden) + "\r\n" + hidden, 1},
		"a list of lengths":         {head + fmt.Sprintf("Content-Length: 0, %d\r\n\r\n", len(hidden)) + hidden, 1},
		"a length with a sign":      {head + fmt.Sprintf("Content-Length: +%d\r\n\r\n", len(hidden)) + hidden, 1},
		"a length in hex":           {head + fmt.Sprintf("Content-Length: 0x%x\r\n\r\n", len(hidden)) + hidden, 1},
		"a length with a space":     {head + fmt.Sprintf("Content-Length: 0 %d\r\n\r\n", len(hidden)) + hidden, 1},
		"a length that is named":    {head + "Connection: Content-Length\r\n" + length(hidden) + "\r\n" + hidden, 1},
		"a coding that is named":    {head + "Connection: Transfer-Encoding\r\n" + chunked + fmt.Sprintf("\r\n%x\r\n%s\r\n0\r\n\r\n", len(hidden), hidden), 1},
		"a body of GET":             {"GET /first HTTP/1.1\r\nHost: x\r\n" + length(hidden) + "\r\n" + hidden, 1},
		"chunk size with LF":        {head + chunked + fmt.Sprintf("\r\n%x\n%s\r\n0\r\n\r\n", len(hidden), hidden), 1},
		"chunk size too large":      {head + chunked + "\r\n10000000000000000\r\n\r\n0\r\n\r\n" + hidden, 1},
		"chunk extension with LF":   {head + chunked + "\r\n2;\nxx\r\n2d\r\n0\r\n\r\n" + hidden + "\r\n0\r\n\r\n", 1},
		"chunk extension with CR":   {head + chunked + "\r\n2;\rxx\r\n2d\r\n0\r\n\r\n" + hidden + "\r\n0\r\n\r\n", 1},
		"chunk longer than it says": {head + chunked + "\r\n2\r\nhixx0\r\n\r\n" + hidden, 1},
		"chunk without an end":      {head + chunked + "\r\n2\r\nhi0\r\n\r\n" + hidden, 1},
		"last chunk with LF":        {head + chunked + "\r\n0\n\n" + hidden, 1},
		"trailer that is a length":  {head + chunked + "\r\n0\r\n" + length(hidden) + "\r\n" + hidden, 1},
		"an absolute form":          {"POST http://y/first HTTP/1.1\r\nHost: x\r\n" + length(hidden) + "\r\n" + hidden, 1},
		"an Expect of nonsense":     {head + "Expect: x\r\n" + length(hidden) + "\r\n" + hidden, 1},
		"CONNECT":                   {"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n" + hidden, 1},
		"half a preface of HTTP/2":  {"PRI * HTTP/2.0\r\n\r\n" + hidden, 1},
	}
}

// countingReplica counts the requests that a front sends it.
type countingReplica struct {
	address      string
	seen, hidden atomic.Int64
}

func (fx *fixture) countingReplica(name string) *countingReplica {
	c := &countingReplica{}
	c.address = fx.replica(name, func(w http.ResponseWriter, r *http.Request) {
		c.seen.Add(1)
		if r.URL.Path == "/hidden" {
			c.hidden.Add(1)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, r.URL.Path)
	}).address
	return c
}

// TestSmuggling: the replica never gets more requests than the client has sent.
func TestSmuggling(t *testing.T) {
	fx := start(t, Options{})
	front := fx.service("web")
	replica := fx.countingReplica("a")
	fx.endpoints("web", at("a", replica.address))
	for name, tt := range hiddenRequests() {
		replica.seen.Store(0)
		replica.hidden.Store(0)
		answers := sendAndEnd(t, front, tt.sent, true)
		if seen, hidden := replica.seen.Load(), replica.hidden.Load(); seen > tt.n || tt.n == 1 && hidden > 0 || answers == 0 {
			t.Errorf("%s: the replica got %d requests, %d of them hidden; the client has sent %d and got %d answers", name, seen, hidden, tt.n, answers)
		}
	}
}

// besideConfigs are those of other proxies: of a folder, an address, and that of a replica.
var besideConfigs = map[string]string{
	"nginx":   "daemon off; worker_processes 1; pid %[1]s/pid; error_log stderr crit;\nevents {}\nhttp { access_log off; upstream u { server %[3]s; keepalive 8; }\nserver { listen %[2]s; location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection \"\"; } } }\n",
	"haproxy": "# %[1]s\ndefaults\n  mode http\n  timeout client 5s\n  timeout server 5s\n  timeout connect 5s\nlisten f\n  bind %[2]s\n  server a %[3]s\n",
}

// TestSmugglingBeside sends the same to nginx and HAProxy, if they are installed. It judges nobody:
// -v shows what came of it.
func TestSmugglingBeside(t *testing.T) {
	fx := start(t, Options{})
	for name, config := range besideConfigs {
		replica := fx.countingReplica(name)
		address := startBeside(t, name, config, replica.address)
		if address == "" {
			t.Logf("%s: not run", name)
			continue
		}
		for what, tt := range hiddenRequests() {
			replica.seen.Store(0)
			answers := sendAndEnd(t, address, tt.sent, false)
			t.Logf("%s: %s, %d sent: %d requests, %d answers", name, what, tt.n, replica.seen.Load(), answers)
		}
	}
}

// sendAndEnd sends bytes and counts the answers. It ends its side if half is true; nginx takes that
// for the end of everything.
func sendAndEnd(t *testing.T, address, sent string, half bool) (answers int) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	wait := 200 * time.Millisecond
	_, _ = io.WriteString(conn, sent) // fails if the front has refused it already
	if half {
		wait = 10 * time.Second
		_ = conn.(*net.TCPConn).CloseWrite()
	}
	if err := conn.SetDeadline(time.Now().Add(wait)); err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(conn) // as far as it comes
	return strings.Count(string(text), "HTTP/1.1 ")
}

// startBeside starts another proxy before a replica, and returns where; "" if it is not installed.
func startBeside(t *testing.T, name, config, replica string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	dir, address := t.TempDir(), fmt.Sprintf("127.0.0.1:%d", ports.Free(t))
	file := filepath.Join(dir, "config")
	if err := os.WriteFile(file, fmt.Appendf(nil, config, dir, address, replica), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, map[string][]string{"nginx": {"-c", file, "-p", dir, "-e", "stderr"}, "haproxy": {"-db", "-q", "-f", file}}[name]...)
	if err := cmd.Start(); err != nil {
		t.Logf("%s does not start: %v", name, err)
		return ""
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // however it ends
	})
	eventually(t, name+" listens", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return address
}
