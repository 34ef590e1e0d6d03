package proxy

import (
	"flag"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// conversation is what a client and a replica do that know the RFCs, but not what is between them.
// Each step is a word and what it is about: "say" writes text, "hear" waits until a text has come,
// "wait" takes a duration, "end" ends the own side of the connection, "break" resets it, "close"
// closes it, "sign" gives the other peer a sign and "await" waits for one.
type conversation struct {
	name            string
	client, replica []string
	// heard is what the client hears to the end of the connection, and how that ends, with "…" for
	// anything; the fields that a front adds to what the replica gets are left out of that.
	heard string
	// got is what the replica hears, "" if that does not matter
	got string
}

const (
	getRoot  = "say GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	hearHead = "hear \r\n\r\n"
	sayOK    = "say HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	heardOK  = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
)

func conversations() []conversation {
	post := func(length int, more string) string {
		return fmt.Sprintf("say POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n%s\r\n", length, more)
	}
	chunked := "say POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	long := strings.Repeat("0123456789abcdef", 64<<10/16)
	return []conversation{
		{"half-close in mid-body", []string{post(10, "") + "hello", "end"}, []string{hearHead, "hear never"}, "HTTP/1.1 400 Bad Request…", ""},
		{"half-close after two pipelined", []string{getRoot + getRoot[4:], "end"}, []string{hearHead, "wait 50ms", sayOK, hearHead, sayOK}, heardOK + heardOK + " FIN", ""},
		{"a flood of 103", []string{getRoot, "hear ok"}, []string{hearHead, "say " + strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n", 500) + heardOK},
			strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n", 500) + heardOK + " open", ""},
		{"100 that nobody asked for", []string{getRoot, "hear ok"}, []string{hearHead, "say HTTP/1.1 100 Continue\r\n\r\n" + heardOK}, "HTTP/1.1 100 Continue\r\n\r\n" + heardOK + " open", ""},
		{"trailers", []string{getRoot, "hear X: y"}, []string{hearHead, "say HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n"},
			"HTTP/1.1 200 OK\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n open", ""},
		{"trailers for HTTP/1.0", []string{"say GET / HTTP/1.0\r\n\r\n"}, []string{hearHead, "say HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n"},
			"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok FIN", ""},
		{"HEAD answered with a body", []string{"say HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + getRoot[4:], "hear ok"}, []string{hearHead, sayOK, hearHead, sayOK}, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + heardOK + " open", ""},
		{"204 with a body", []string{getRoot + getRoot[4:], "hear \r\n\r\nHTTP", hearHead}, []string{hearHead, "say HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nxx", "hear never"},
			strings.Repeat("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", 2) + " open", ""},
		{"chunk extensions in an answer", []string{getRoot, "hear 0\r\n"}, []string{hearHead, "say HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2 ;x=\"a;b\"\r\nok\r\n0;y\r\n\r\n"},
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n open", ""},
		{"a folded field in an answer", []string{getRoot, "hear ok"}, []string{hearHead, "say HTTP/1.1 200 OK\r\nA: b\r\n\tc\r\nContent-Length: 2\r\n\r\nok"}, "HTTP/1.1 200 OK\r\nA: b…c\r\nContent-Length: 2\r\n\r\nok open", ""},
		{"101 with early bytes", []string{"say GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "hear early", "say hello", "hear bye", "end"},
			[]string{hearHead, "say HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nearly", "hear hello", "say bye"},
			"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nearlybye FIN", "…hello"},
		{"101 with hasty client", []string{"say GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhasty", "hear bye", "end"},
			[]string{hearHead, "wait 50ms", "say HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "hear hasty", "say bye"},
			"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nbye FIN", "…hasty"},
		{"upgrade refused, and the next request", []string{"say GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n" + getRoot[4:], "hear okHTTP", "hear \r\n\r\nok"},
			[]string{hearHead, sayOK, hearHead, sayOK}, heardOK + heardOK + " open", ""},
		{"101 unasked", []string{getRoot}, []string{hearHead, "say HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "hear never"}, "HTTP/1.1 502 Bad Gateway… open", ""},
		{"Expect answered by a refusal", []string{post(5, "Expect: 100-continue\r\n"), "hear no"}, []string{hearHead, "say HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", "hear never"},
			"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno FIN", ""},
		{"Expect, and the body at once", []string{post(5, "Expect: 100-continue\r\n") + "hello", "hear ok"}, []string{"hear hello", sayOK}, heardOK + " open", "…\r\n\r\nhello"},
		{"absolute form", []string{"say GET http://b/c HTTP/1.1\r\nHost: a\r\n\r\n", "hear ok"}, []string{hearHead, sayOK}, heardOK + " open", "GET /c HTTP/1.1\r\n…Host: b\r\n…"},
		{"TE: gzip, chunked", []string{"say POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"}, []string{"hear never"}, "HTTP/1.1 501 Not Implemented…", ""},
		{"an answer in gzip, chunked", []string{getRoot}, []string{hearHead, "say HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"}, "HTTP/1.1 502 Bad Gateway… open", ""},
		{"a replica that closes without a word", []string{getRoot, "hear ok", "await", post(2, "") + "hi", "hear HTTP", "hear ok"}, []string{hearHead, sayOK, "close", "sign"}, heardOK + heardOK + " open", ""},
		{"a head byte by byte", []string{"say G", "wait 20ms", "say ET", "wait 20ms", "say  / HTTP/1.1\r", "wait 20ms", "say \nHost: a\r\n\r", "wait 20ms", "say \n", "hear ok"}, []string{hearHead, sayOK}, heardOK + " open", ""},
		{"a head of 100 KiB", []string{"say GET / HTTP/1.1\r\nHost: a\r\nX: " + long + long[:36<<10] + "\r\n\r\n"}, []string{"hear never"}, "HTTP/1.1 431 Request Header Fields Too Large…", ""},
		{"a head of 60 KiB", []string{"say GET / HTTP/1.1\r\nHost: a\r\nX: " + long[:60<<10] + "\r\n\r\n", "hear ok"}, []string{hearHead, sayOK}, heardOK + " open", ""},
		{"an answer's head of 500 KiB", []string{getRoot, "hear \nok"}, []string{hearHead, "say HTTP/1.1 200 OK\r\nX: " + strings.Repeat(long, 8) + "\r\nContent-Length: 2\r\n\r\nok"}, "HTTP/1.1 200 OK\r\nX: 0123…\r\nContent-Length: 2\r\n\r\nok open", ""},
		{"an early answer, and the body read after it", []string{post(256<<10, "") + long, "hear ok", "say " + strings.Repeat(long, 3)}, []string{hearHead, sayOK, "hear never"},
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok FIN", ""},
		{"413 and a reset", []string{post(1<<20, ""), "say " + strings.Repeat(long, 8), "wait 200ms"}, []string{hearHead, "say HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge", "wait 100ms", "close"},
			"HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge FIN", ""},
		{"a request behind an early 413", []string{post(20, ""), "hear large", "say GET /hidden HTTP/1.1\r\n", "wait 50ms", getRoot}, []string{hearHead, "say HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nlarge", "hear never"},
			"HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge FIN", ""},
		{"a reset in mid-answer", []string{getRoot, "hear half", "say more"}, []string{hearHead, "say HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf", "wait 50ms", "break"}, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf FIN", ""},
		{"until a reset", []string{getRoot, "hear half"}, []string{hearHead, "say HTTP/1.1 200 OK\r\n\r\nhalf", "wait 50ms", "break"}, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf RST", ""},
		{"until the end", []string{getRoot, "hear all"}, []string{hearHead, "say HTTP/1.1 200 OK\r\n\r\nall", "close"}, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall FIN", ""},
		{"until the end, for HTTP/1.0 with more behind", []string{"say POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi", "wait 20ms", "say \r\n", "hear all"}, []string{"hear hi", "wait 100ms", "say HTTP/1.1 200 OK\r\n\r\nall", "close"},
			"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall FIN", ""},
		{"close, and more behind", []string{post(2, "Connection: close\r\n") + "hi", "wait 20ms", "say \r\n"}, []string{"hear hi", "wait 100ms", sayOK}, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok FIN", ""},
		{"chunks for HTTP/1.0", []string{"say GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"}, []string{hearHead, "say HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"}, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok FIN", ""},
		{"an answer of HTTP/1.0", []string{getRoot, "hear ok"}, []string{hearHead, "say HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "close"}, heardOK + " open", ""},
		{"upgrade to h2c", []string{"say GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n", "hear ok"}, []string{hearHead, sayOK}, heardOK + " open", "GET / HTTP/1.1\r\nHost: a\r\n…"},
		{"408 while nobody asks", []string{getRoot, "hear ok", "await", post(2, "") + "hi", "hear HTTP", "hear ok"}, []string{hearHead, sayOK, "wait 50ms", "say HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", "sign", "hear hi", sayOK}, heardOK + heardOK + " open", ""},
		{"chunks byte by byte, with trailers", []string{chunked, "say 2", "wait 10ms", "say \r", "wait 10ms", "say \nh", "wait 10ms", "say i\r\n0\r", "wait 10ms", "say \nX: y\r\n\r\n", "hear ok"}, []string{"hear X: y\r\n\r\n", sayOK}, heardOK + " open", "…2\r\nhi\r\n0\r\nX: y\r\n\r\n"},
		{"an answer with bare LF", []string{getRoot, "hear ok"}, []string{hearHead, "say HTTP/1.1 200\nContent-Length: 2\n\nok"}, "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok open", ""},
		{"a body of GET", []string{"say GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", "hear ok"}, []string{"hear hi", sayOK}, heardOK + " open", "…\r\n\r\nhi"},
		{"bytes of a path", []string{"say GET /a%2Fb/../c;d//?x=[]|^`\"\xff HTTP/1.1\r\nHost: a\r\n\r\n", "hear ok"}, []string{hearHead, sayOK}, heardOK + " open", "GET /a%2Fb/../c;d//?x=[]|^`\"\xff HTTP/1.1\r\n…"},
		{"half an answer, at once", []string{getRoot, "hear half"}, []string{hearHead, "say HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf", "wait 200ms", "close"}, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf FIN", ""},
		{"an endless upload after the answer", []string{chunked + "1\r\na\r\n", "hear ok", "say 1\r\nb\r\n", "wait 50ms", "say 1\r\nc\r\n"}, []string{hearHead, "say HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "close"},
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok FIN", ""},
		{"NUL in an answer", []string{getRoot}, []string{hearHead, "say HTTP/1.1 200 OK\r\nA: \x00\r\nContent-Length: 2\r\n\r\nok"}, "HTTP/1.1 502 Bad Gateway… open", ""},
		{"a lower case version", []string{getRoot}, []string{hearHead, "say http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}, "HTTP/1.1 502 Bad Gateway… open", ""},
		{"205 with a body", []string{getRoot, "hear ok"}, []string{hearHead, "say HTTP/1.1 205 Reset Content\r\nContent-Length: 2\r\n\r\nok"}, "HTTP/1.1 205 Reset Content\r\nContent-Length: 2\r\n\r\nok open", ""},
		{"a reset of the client in mid-upload", []string{post(1<<20, "") + long, "wait 20ms", "break"}, []string{hearHead, "hear never"}, "", ""},
	}
}

// TestConversations has each conversation over the relay.
func TestConversations(t *testing.T) {
	fx := start(t, Options{})
	front := fx.service("web")
	for _, c := range conversations() {
		t.Run(c.name, func(t *testing.T) {
			r := listenPeer(t, c.replica)
			fx.endpoints("web", at("a", r.address))
			heard := c.talk(t, front, r.signs, true)
			if !matches(c.heard, heard) {
				t.Errorf("the client heard %s, want %s", brief(heard), brief(c.heard))
			}
			if c.got == "" {
				return
			}
			if got := r.heard(); !matches(c.got, got) {
				t.Errorf("the replica heard %s, want %s", brief(got), brief(c.got))
			}
		})
	}
}

var beside = flag.Bool("beside", false, "play the conversations over nginx and HAProxy, too")

// TestConversationsBeside has the same over nginx and HAProxy, if they are installed. It judges
// nobody: -beside -v shows what came of it.
func TestConversationsBeside(t *testing.T) {
	if !*beside {
		t.Skip("it only shows something, with -beside -v")
	}
	for name, config := range besideConfigs {
		for _, c := range conversations() {
			t.Run(name+" "+c.name, func(t *testing.T) {
				r := listenPeer(t, c.replica)
				address := startBeside(t, name, config, r.address)
				if address == "" {
					t.Skip(name + " is not installed")
				}
				r.forget() // the proxy was asked whether it listens
				heard := c.talk(t, address, r.signs, false)
				t.Logf("same: %v\n%s\nwant\n%s\nthe replica: %s", matches(c.heard, heard), brief(heard), brief(c.heard), brief(r.heard()))
			})
		}
	}
}

// quiet is after how long without a byte a connection counts as open.
const quiet = 700 * time.Millisecond

// talk plays the client, and returns what it heard and how that ended. If mayEnd is true, it ends
// its side of a connection that is to stay open, which spares the time to see that it does.
func (c *conversation) talk(t *testing.T, front string, signs chan struct{}, mayEnd bool) string {
	conn, err := net.Dial("tcp", front)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	p := &peer{conn: conn.(*net.TCPConn), signs: signs}
	if !p.play(c.client) {
		return ""
	}
	limit, end := quiet, " FIN"
	if strings.HasSuffix(c.heard, " open") && mayEnd {
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Millisecond)) // fails only with the read
		var err error
		for err == nil {
			err = p.read()
		}
		if isTimeout(err) {
			_, end = p.conn.CloseWrite(), " open"
		}
	}
	if mayEnd {
		limit = 10 * time.Second
	}
	for {
		_ = conn.SetReadDeadline(time.Now().Add(limit)) // fails only with the read
		switch err := p.read(); {
		case err == nil:
		case err == io.EOF:
			return p.text.String() + end
		case isTimeout(err):
			return p.text.String() + " open"
		default:
			return p.text.String() + " RST"
		}
	}
}

// peer is one side of a conversation.
type peer struct {
	conn  *net.TCPConn
	signs chan struct{}   // holds the sign that was given and not awaited
	text  strings.Builder // what it has heard
	seen  int             // how much of that it has waited for
	buf   [64 << 10]byte
}

// play plays steps, and reports whether the connection is still there.
func (p *peer) play(steps []string) bool {
	_ = p.conn.SetDeadline(time.Now().Add(10 * time.Second)) // fails only with what follows
	there := true
	for _, step := range steps {
		word, what, _ := strings.Cut(step, " ")
		switch word {
		case "say":
			_, _ = io.WriteString(p.conn, what) // whoever does not take it ends the connection
		case "hear":
			for !strings.Contains(p.text.String()[p.seen:], what) {
				if p.read() != nil {
					return true
				}
			}
			p.seen += strings.Index(p.text.String()[p.seen:], what) + len(what)
		case "wait":
			d, _ := time.ParseDuration(what)
			time.Sleep(d)
		case "end":
			_ = p.conn.CloseWrite()
		case "break":
			reset(p.conn)
			there = false
		case "close":
			_ = p.conn.Close()
			there = false
		case "sign":
			select {
			case p.signs <- struct{}{}:
			default: // over another connection
			}
		case "await":
			select {
			case <-p.signs:
			case <-time.After(10 * time.Second):
			}
		}
	}
	return there
}

func (p *peer) read() error {
	n, err := p.conn.Read(p.buf[:])
	p.text.Write(p.buf[:n])
	if n > 0 {
		return nil
	}
	return err
}

// peerReplica plays the same steps over each connection.
type peerReplica struct {
	address string
	signs   chan struct{}
	mu      sync.Mutex // guards texts
	texts   []string
	running sync.WaitGroup
}

func listenPeer(t *testing.T, steps []string) *peerReplica {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	r := &peerReplica{address: l.Addr().String(), signs: make(chan struct{}, 1)}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			r.running.Go(func() {
				defer conn.Close()
				p := &peer{conn: conn.(*net.TCPConn), signs: r.signs}
				if p.play(steps) {
					for p.read() == nil { // until the front closes it
					}
				}
				r.mu.Lock()
				defer r.mu.Unlock()
				r.texts = append(r.texts, p.text.String())
			})
		}
	}()
	return r
}

// heard is what has come over all connections that have ended, once there are any.
func (r *peerReplica) heard() string {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		r.mu.Lock()
		text := strings.Join(r.texts, "")
		r.mu.Unlock()
		if text != "" {
			return text
		}
	}
	return ""
}

func (r *peerReplica) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.texts = nil
}

// matches compares a text with one that has "…" for anything.
func matches(want, got string) bool {
	parts := strings.Split(want, "…")
	got, ok := strings.CutPrefix(got, parts[0])
	for _, part := range parts[1:] {
		before, rest, found := strings.Cut(got, part)
		if ok = ok && found; part == "" {
			rest = before // it takes all, if it is the last one
		}
		got = rest
	}
	return ok && (got == "" || parts[len(parts)-1] == "" && len(parts) > 1)
}

// brief quotes a text that may be long.
func brief(text string) string {
	if len(text) > 400 {
		text = text[:200] + "…" + text[len(text)-100:] + " (" + strconv.Itoa(len(text)) + " bytes)"
	}
	return strconv.Quote(text)
}
