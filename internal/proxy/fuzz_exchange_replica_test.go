package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/h1"
)

// scriptReplica is a replica that answers as the script says of the client that a request is from.
type scriptReplica struct {
	address string
	echo    string // the address of the client whose requests are answered with their paths
	serial  int
	own     net.Conn
	ownIn   *bufio.Reader

	mu     sync.Mutex // guards the rest
	script *script
}

// script is what is answered to the requests of one client, and what these were.
type script struct {
	client  string
	answers [][]byte
	how     uint64

	mu       sync.Mutex // guards the rest
	attempts []*attempt
	refused  error // why net/http takes what came for no request
	running  int
	stuck    bool
	answered *sync.Cond // when running or stuck has changed
}

// attempt is a request that came to the replica, and how it was answered.
type attempt struct {
	request plainRequest
	answer  []byte
	how     uint64
}

func startScriptReplica(f *testing.F) *scriptReplica {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { l.Close() })
	r := &scriptReplica{address: l.Addr().String(), echo: "127.0.0.77"}
	r.begin("", nil, 0)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(conn.(*net.TCPConn))
		}
	}()
	return r
}

// begin begins a script: answers separated by \x1e.
func (r *scriptReplica) begin(client string, answers []byte, how uint64) *script {
	s := &script{client: client, how: how >> howScripts}
	s.answered = sync.NewCond(&s.mu)
	if len(answers) > 0 {
		s.answers = bytes.Split(answers, []byte{'\x1e'})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.script = s
	return s
}

// serve serves a connection of the relay, until it is closed.
func (r *scriptReplica) serve(conn *net.TCPConn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		request, err := http.ReadRequest(in)
		r.mu.Lock()
		s := r.script
		r.mu.Unlock()
		if err != nil {
			if _, ok := errors.AsType[net.Error](err); !ok && err != io.EOF && err != io.ErrUnexpectedEOF {
				s.refuse(err)
			}
			return
		}
		from := request.Header.Get("X-Forwarded-For")
		from = from[strings.LastIndexByte(from, ' ')+1:]
		switch {
		case from == r.echo:
			_, _ = io.Copy(io.Discard, request.Body) // a short one
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(request.URL.Path), request.URL.Path)
		case from != s.client || !s.serve(conn, request):
			return
		}
	}
}

func (s *script) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = err
}

// serve answers a request, and reports whether the connection stays open.
func (s *script) serve(conn *net.TCPConn, request *http.Request) bool {
	defer s.end()
	a := &attempt{request: plainRequest{Request: request}, answer: []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")}
	s.mu.Lock()
	s.running++
	if n := len(s.attempts); n < len(s.answers) {
		a.answer, a.how = s.answers[n], s.how>>(n%14*4)
	}
	s.attempts = append(s.attempts, a)
	s.mu.Unlock()
	readBody := func() {
		body, err := io.ReadAll(request.Body)
		a.request.body, a.request.whole = body, err == nil
	}
	early := a.how&scriptEarly != 0
	if !early {
		if readBody(); !a.request.whole {
			return false
		}
	}
	expected, end := a.expected()
	err := writePieces(conn, a.answer, a.how&scriptCut != 0, end)
	closes := a.how&scriptCloses != 0 || expected == nil || !expected.whole || expected.StatusCode == http.StatusSwitchingProtocols ||
		end == len(a.answer) && expected.ContentLength < 0 && len(expected.TransferEncoding) == 0
	if early && !closes && a.how&scriptReset == 0 {
		readBody()
	}
	if a.how&scriptReset != 0 {
		reset(conn)
	}
	return err == nil && !closes && (!early || a.request.whole)
}

// expected is what net/http reads of the answer, and where that ends.
func (a *attempt) expected() (answer *plainAnswerRead, end int) {
	// a hop takes white space before a colon out, which net/http makes a part of the name (RFC
	// 9112, 5.1)
	plain := spaceBeforeColon.ReplaceAll(a.answer[:h1.HeadEnd(a.answer, 0)], []byte("$1:"))
	r := bytes.NewReader(slices.Concat(plain, a.answer[h1.HeadEnd(a.answer, 0):]))
	in := bufio.NewReader(r)
	answer = readOneAnswer(in, a.request.Request)
	return answer, len(a.answer) - r.Len() - in.Buffered()
}

var spaceBeforeColon = regexp.MustCompile(`(?m)^([!#-'*+\-.^_\x60|~0-9A-Za-z]+)[ \t]+:`)

func (s *script) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	s.answered.Broadcast()
}

// wait waits until the requests that have come are answered, and returns them.
func (s *script) wait(t *testing.T) (attempts []*attempt, refused error) {
	timer := time.AfterFunc(10*time.Second, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stuck = true
		s.answered.Broadcast()
	})
	defer timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.running > 0 && !s.stuck {
		s.answered.Wait()
	}
	if s.running > 0 {
		t.Fatalf("the replica waits for the relay\n%s", stacks())
	}
	return slices.Clone(s.attempts), s.refused
}

// probe sends a request of another client, which gets its own answer.
func (r *scriptReplica) probe(t *testing.T, front string) {
	if r.own == nil {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(r.echo)}}
		conn, err := dialer.Dial("tcp", front)
		if err != nil {
			t.Fatal(err)
		}
		r.own, r.ownIn = conn, bufio.NewReader(conn)
	}
	r.serial++
	path := fmt.Sprintf("/own/%d", r.serial)
	_ = r.own.SetDeadline(time.Now().Add(10 * time.Second)) // fails only with the next call
	fmt.Fprintf(r.own, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", path)
	a := readOneAnswer(r.ownIn, &http.Request{Method: http.MethodPost})
	if a == nil || a.StatusCode != http.StatusOK || string(a.body) != path {
		r.own = nil
		t.Fatalf("%s got %v", path, a)
	}
}
