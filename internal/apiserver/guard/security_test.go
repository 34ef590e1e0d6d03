package guard

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/apiserver/credentials"
)

// api is an API with real sockets and real credentials, as an attacker finds it.
type api struct {
	guard   *Guard
	address string // with the port
	port    string
	token   string
	trust   *x509.CertPool
	handled atomic.Int64 // requests that were let in
	sockets *counted
}

// serve serves what is behind the guard until the test ends.
func serve(t *testing.T, limits Limits, next http.HandlerFunc) *api {
	t.Helper()
	folder, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	creds, err := credentials.Open(credentials.Options{Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(listener.Addr().String())
	entry := creds.Entry(at)
	a := &api{address: at.String(), port: strconv.Itoa(int(at.Port())), token: entry.Token, trust: x509.NewCertPool(), sockets: &counted{Listener: listener}}
	a.trust.AppendCertsFromPEM(entry.Authority)
	a.guard = New(Options{Port: at.Port(), IsToken: creds.IsToken, Limits: limits})
	server := a.guard.Server(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.handled.Add(1)
		next(w, r)
	}))
	server.TLSConfig = creds.TLSConfig()
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.ServeTLS(a.guard.Listener(a.sockets), "", ""); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		if err := errors.Join(server.Close(), folder.Close()); err != nil {
			t.Error(err)
		}
		serving.Wait()
	})
	return a
}

// counted is a listener that knows how many of its connections are open.
type counted struct {
	net.Listener
	accepted, open, most atomic.Int64
}

func (c *counted) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c.accepted.Add(1)
	c.most.Store(max(c.most.Load(), c.open.Add(1)))
	return &countedConn{Conn: conn, all: c}, nil
}

type countedConn struct {
	net.Conn
	all  *counted
	once sync.Once
}

func (c *countedConn) Close() error {
	c.once.Do(func() { c.all.open.Add(-1) })
	return c.Conn.Close()
}

// dial connects with TLS.
func (a *api) dial(t *testing.T, protocol string) *tls.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", a.address, &tls.Config{RootCAs: a.trust, NextProtos: []string{protocol}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() }) // has an error if the server has gone
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// say writes a request as it is given, with PORT and TOKEN replaced, and returns what comes back.
func (a *api) say(t *testing.T, request string) (answer *http.Response, body string) {
	t.Helper()
	conn := a.dial(t, "http/1.1")
	request = strings.NewReplacer("\n", "\r\n", "PORT", a.port, "TOKEN", a.token).Replace(request)
	go io.WriteString(conn, request) // the server may not want all of it
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Errorf("the body of the answer: %v", err)
	}
	checkHeader(t, answer.Header)
	return answer, string(text)
}

// checkHeader: no answer lets a page in, or sends anybody elsewhere.
func checkHeader(t *testing.T, header http.Header) {
	t.Helper()
	for name := range header {
		if strings.HasPrefix(name, "Access-Control-") || name == "Location" || name == "Set-Cookie" {
			t.Errorf("the answer has a header %s: %s", name, header.Get(name))
		}
	}
}

// TestRequests: what an attacker may try, byte by byte.
func TestRequests(t *testing.T) {
	a := serve(t, Limits{}, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "let in") })
	const (
		token = "Authorization: Bearer TOKEN\n"
		host  = "Host: localhost:PORT\n"
	)
	for name, test := range map[string]struct {
		request string
		status  int
		says    string // the message of the Status, or all of it
	}{
		"the token":            {"GET /api HTTP/1.1\n" + host + token, 200, "let in"},
		"no token":             {"GET /api HTTP/1.1\n" + host, 401, "Unauthorized"},
		"a wrong token":        {"GET /api HTTP/1.1\n" + host + "Authorization: Bearer xTOKEN\n", 401, "Unauthorized"},
		"health":               {"GET /readyz?verbose HTTP/1.1\n" + host, 200, "let in"},
		"no host":              {"GET /api HTTP/1.0\n" + token, 403, "the Host header has to be"},
		"a host that rebinds":  {"GET /api HTTP/1.1\nHost: evil.example:PORT\n" + token, 403, "the Host header has to be"},
		"another port":         {"GET /healthz HTTP/1.1\nHost: localhost:1\n", 403, "the Host header has to be"},
		"a host in the target": {"GET https://evil.example/api HTTP/1.1\n" + host + token, 403, "the Host header has to be"},
		"a page":               {"GET /api HTTP/1.1\n" + host + "Origin: https://evil.example\n", 403, "other origins"},
		"a page that guesses":  {"POST /api HTTP/1.1\n" + host + "Origin: null\nAuthorization: Bearer x\nContent-Length: 2\n\n{}", 403, "other origins"},
		"a page of a desktop":  {"GET /api HTTP/1.1\n" + host + "Origin: app://lens\n" + token, 200, "let in"},
		"a preflight": {"OPTIONS /api HTTP/1.1\n" + host + "Origin: https://localhost:PORT\nAccess-Control-Request-Method: GET\n" +
			"Access-Control-Request-Headers: authorization\nAccess-Control-Request-Private-Network: true\n", 403, "answers no OPTIONS"},
		"OPTIONS of all":          {"OPTIONS * HTTP/1.1\n" + host + token, 403, "answers no OPTIONS"},
		"out of the folder":       {"GET /api/v1/../../etc/passwd HTTP/1.1\n" + host + token, 404, "404 page not found\n"},
		"the same, encoded":       {"GET /api/v1/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\n" + host + token, 404, "404 page not found\n"},
		"with slashes, too":       {"GET /api/v1/..%2f..%2fetc%2fpasswd HTTP/1.1\n" + host + token, 404, "404 page not found\n"},
		"two slashes":             {"GET /api//v1 HTTP/1.1\n" + host + token, 404, "404 page not found\n"},
		"another host in a path":  {"GET //evil.example/api HTTP/1.1\n" + host + token, 404, "404 page not found\n"},
		"written to a path":       {"PUT /api/../healthz HTTP/1.1\n" + host + token + "Content-Length: 2\n\n{}", 404, "404 page not found\n"},
		"a tunnel":                {"CONNECT localhost:PORT HTTP/1.1\n" + host + token, 404, "404 page not found\n"},
		"health, to get further":  {"GET /livez/../api HTTP/1.1\n" + host, 401, "Unauthorized"},
		"a head that is too long": {"GET /api HTTP/1.1\n" + host + token + "X: " + strings.Repeat("x", 70<<10) + "\n", 431, "431 Request Header Fields Too Large"},
		"a body of 100 MB":        {"POST /api HTTP/1.1\n" + host + token + "Content-Length: 100000000\n\n" + strings.Repeat("x", 100_000), 413, "Request entity too large: limit is 3145728"},
		"the same without token":  {"POST /api HTTP/1.1\n" + host + "Content-Length: 100000000\n\n" + strings.Repeat("x", 100_000), 401, "Unauthorized"},
	} {
		t.Run(name, func(t *testing.T) {
			before := a.handled.Load()
			answer, body := a.say(t, test.request+"\n")
			if answer.StatusCode != test.status || !strings.Contains(body, test.says) {
				t.Errorf("status %d, %s, want %d and %q", answer.StatusCode, body, test.status, test.says)
			}
			if got, want := a.handled.Load()-before, int64(0); (got != want) != (test.status == 200) {
				t.Errorf("%d requests came through", got)
			}
			if test.status == 401 || test.status == 403 || test.status == 413 {
				var status metav1.Status
				if err := json.Unmarshal([]byte(body), &status); err != nil || status.Kind != "Status" || int(status.Code) != test.status {
					t.Errorf("the answer %s is no Status: %v", body, err)
				}
			}
		})
	}
}

// TestPlainHTTP: who forgets TLS is told so, and nothing of the request is looked at.
func TestPlainHTTP(t *testing.T) {
	a := serve(t, Limits{}, nothing)
	conn, err := net.Dial("tcp", a.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() // it is read to its end
	if _, err := fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", a.address, a.token); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(conn)
	if !strings.Contains(string(said), "Client sent an HTTP request to an HTTPS server") {
		t.Errorf("the server said %q, %v", said, err)
	}
	if n := a.handled.Load(); n > 0 {
		t.Errorf("%d requests came through", n)
	}
}

// TestUnproven: each kind of connection that shows no token is closed.
func TestUnproven(t *testing.T) {
	a := serve(t, Limits{ProofTimeout: 200 * time.Millisecond}, nothing)
	for name, speak := range map[string]func(conn net.Conn) (net.Conn, error){
		"TCP":    func(conn net.Conn) (net.Conn, error) { return conn, nil },
		"HTTP/1": func(conn net.Conn) (net.Conn, error) { return a.shakeHands(conn, "http/1.1") },
		"HTTP/2": func(conn net.Conn) (net.Conn, error) {
			secure, err := a.shakeHands(conn, "h2")
			if err == nil {
				_, err = io.WriteString(secure, preface)
			}
			return secure, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := net.Dial("tcp", a.address)
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close() // it is read to its end
			if err := raw.SetDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			conn, err := speak(raw)
			if err == nil { // else it was closed before a busy machine came so far
				_, err = io.Copy(io.Discard, conn)
			}
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("it is open after a minute")
			}
			if wrong, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
				t.Error(wrong)
			}
		})
	}
}

// shakeHands begins TLS over a connection.
func (a *api) shakeHands(conn net.Conn, protocol string) (*tls.Conn, error) {
	host, _, err := net.SplitHostPort(a.address)
	if err != nil {
		return nil, err
	}
	secure := tls.Client(conn, &tls.Config{RootCAs: a.trust, ServerName: host, NextProtos: []string{protocol}})
	return secure, secure.Handshake()
}

// client returns one that has the token's trust, with HTTP/2.
func (a *api) client(t *testing.T) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: a.trust}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// post sends a body with the token and returns the status and what the answer says.
func (a *api) post(t *testing.T, client *http.Client, body io.Reader, length int64) (status int, says string) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), "POST", "https://"+a.address+"/api", body)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = length
	r.Header.Set("Authorization", "Bearer "+a.token)
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close() // read to its end
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.ProtoMajor != 2 {
		t.Errorf("%s: %v", answer.Proto, err)
	}
	checkHeader(t, answer.Header)
	return answer.StatusCode, string(text)
}

// zeros is a body that counts what is taken of it.
type zeros struct{ left, taken int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.left)
	z.left -= n
	z.taken += n
	clear(p[:n])
	return int(n), nil
}

// TestLargeBody: of a body of 100 MB little more than the limit is taken, whether it says how long
// it is or not, and the next request finds everything as it was.
func TestLargeBody(t *testing.T) {
	a := serve(t, Limits{}, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if refusal := BodyError(err); refusal != nil {
			writeStatus(w, r, refusal)
			return
		}
		fmt.Fprint(w, len(body))
	})
	client := a.client(t)
	const size, limit = 100 << 20, 3 << 20
	for name, length := range map[string]int64{"with its length": size, "without": -1} {
		t.Run(name, func(t *testing.T) {
			body := &zeros{left: size}
			status, says := a.post(t, client, struct{ io.Reader }{body}, length)
			if status != 413 || !strings.Contains(says, `"reason":"RequestEntityTooLarge"`) {
				t.Errorf("status %d, %s", status, says)
			}
			client.CloseIdleConnections()
			if body.taken > limit+1<<20 {
				t.Errorf("%d bytes were taken", body.taken)
			}
		})
	}
	if status, says := a.post(t, client, bytes.NewReader(make([]byte, limit)), limit); status != 200 || says != fmt.Sprint(limit) {
		t.Errorf("a body of 3 MiB: status %d, %s", status, says)
	}
}

// TestStalledBody: a client that stops in the middle of a body is told so, and cut off.
func TestStalledBody(t *testing.T) {
	a := serve(t, Limits{BodyTimeout: 100 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		if refusal := BodyError(err); refusal != nil {
			writeStatus(w, r, refusal)
		}
	})
	conn := a.dial(t, "http/1.1")
	if _, err := fmt.Fprintf(conn, "POST /api HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Length: 10\r\n\r\n12345", a.address, a.token); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(conn)
	if errors.Is(err, os.ErrDeadlineExceeded) || !strings.HasPrefix(string(said), "HTTP/1.1 504 ") || !strings.Contains(string(said), "did not arrive in time") {
		t.Errorf("the server said %q, %v", said, err)
	}
}
