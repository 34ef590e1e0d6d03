package tunnel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/apiserver/stream"
	"github.com/probity-run/probity/internal/kube"
)

// serve makes a client of a server with a handler.
func serve(t *testing.T, handle http.HandlerFunc) *kube.Client {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	client := kube.New(server.Client(), server.URL)
	t.Cleanup(client.Close)
	return client
}

func web() kube.Ref { return kube.Ref{Kind: kube.Pods, Namespace: "default", Name: "web"} }

// exited is how a server tells an exit code.
func exited(code string) *metav1.Status {
	return &metav1.Status{Status: metav1.StatusFailure, Reason: reasonExitCode, Message: "command terminated with exit code " + code, Details: &metav1.StatusDetails{
		Causes: []metav1.StatusCause{{Type: causeExitCode, Message: code}},
	}}
}

// TestExec: what the command reads and prints, and how it ends, with the server's side of a run.
func TestExec(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 64<<10)
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		if got, want := r.URL.Path, "/api/v1/namespaces/default/pods/web/exec"; got != want {
			t.Errorf("the path is %s, want %s", got, want)
		}
		s, err := stream.Open(w, r, stream.Wants{Stdin: query.Get("stdin") == "true", Stdout: true, Stderr: true})
		if err != nil {
			t.Error(err)
			return
		}
		switch query.Get("command") {
		case "cat":
			n, err := io.Copy(s.Stdout, s.Stdin)
			fmt.Fprintf(s.Stderr, "%d bytes, %v", n, err)
			s.End(&metav1.Status{Status: metav1.StatusSuccess})
		case "fail":
			s.End(exited("7"))
		case "broken":
			s.End(&metav1.Status{Status: metav1.StatusFailure, Message: "no room"})
		}
	})
	for name, test := range map[string]struct {
		stdin          io.Reader
		code           int
		stdout, stderr string
		err            string
	}{
		"cat":    {stdin: strings.NewReader(large), stdout: large, stderr: fmt.Sprint(len(large), " bytes, <nil>")},
		"fail":   {code: 7},
		"broken": {err: "no room"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code, err := Exec(t.Context(), client, web(), Command{Argv: []string{name}, Stdin: test.stdin, Stdout: &stdout, Stderr: &stderr})
			if code != test.code || stdout.String() != test.stdout || stderr.String() != test.stderr {
				t.Errorf("code %d, %d bytes of output, errors %q", code, stdout.Len(), &stderr)
			}
			if test.err == "" && err != nil || test.err != "" && (err == nil || err.Error() != test.err) {
				t.Errorf("error %v, want %q", err, test.err)
			}
		})
	}
}

// TestExecTerminal: the command is told the size of its terminal, and again when it changes.
func TestExecTerminal(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		s, err := stream.Open(w, r, stream.Wants{Stdout: true, Terminal: r.URL.Query().Get("tty") == "true"})
		if err != nil {
			t.Error(err)
			return
		}
		for range 2 {
			size := <-s.Sizes
			fmt.Fprintf(s.Stdout, "%dx%d ", size.Width, size.Height)
		}
		s.End(&metav1.Status{Status: metav1.StatusSuccess})
	})
	sizes := make(chan Size)
	var out notifier
	out.first = make(chan struct{})
	go func() {
		sizes <- Size{80, 24}
		<-out.first // the server keeps the latest size alone
		sizes <- Size{100, 30}
	}()
	code, err := Exec(t.Context(), client, web(), Command{Argv: []string{"sh"}, Terminal: true, Sizes: sizes, Stdout: &out, Stderr: io.Discard})
	if got, want := out.String(), "80x24 100x30 "; code != 0 || err != nil || got != want {
		t.Errorf("code %d, %v, output %q, want %q", code, err, got, want)
	}
}

// notifier tells when something is written first.
type notifier struct {
	bytes.Buffer
	first chan struct{}
}

func (n *notifier) Write(p []byte) (int, error) {
	if n.Len() == 0 {
		defer close(n.first)
	}
	return n.Buffer.Write(p)
}

// TestExecEnds: a server that refuses, and a user who gives up.
func TestExecEnds(t *testing.T) {
	began := make(chan struct{}, 1)
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("command") {
		case "refused":
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"kind":"Status","status":"Failure","message":"it does not run"}`)
		default:
			s, err := stream.Open(w, r, stream.Wants{Stdout: true})
			if err != nil {
				t.Error(err)
				return
			}
			began <- struct{}{}
			<-s.Context().Done() // the client is gone
			s.End(&metav1.Status{})
		}
	})
	run := func(ctx context.Context, name string) error {
		_, err := Exec(ctx, client, web(), Command{Argv: []string{name}, Stdout: io.Discard, Stderr: io.Discard})
		return err
	}
	if err := run(t.Context(), "refused"); err == nil || err.Error() != "it does not run" {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-began
		cancel()
	}()
	if err := run(ctx, "sleep"); err == nil {
		t.Error("a command that was given up has succeeded")
	}
}

// listen answers connections with a function until the test ends.
func listen(t *testing.T, answer func(net.Conn)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				answer(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

// TestForward: bytes in both directions, ends of one direction alone, and why there is none.
func TestForward(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 64<<10)
	echo := listen(t, func(conn net.Conn) {
		text, _ := io.ReadAll(conn) // it answers when all was said
		_, _ = conn.Write(append([]byte("got: "), text...))
	})
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		err := stream.Forward(w, r, func(ctx context.Context, port int32) (net.Conn, error) {
			if port != 8080 {
				return nil, fmt.Errorf("nobody listens on %d", port)
			}
			return (&net.Dialer{}).DialContext(ctx, "tcp", echo)
		})
		if err != nil && !errors.Is(err, net.ErrClosed) {
			t.Log(err)
		}
	})
	for name, test := range map[string]struct {
		port   int32
		answer string
		err    string
	}{
		"a port":                      {8080, "got: " + large, ""},
		"a port where nobody listens": {9999, "", "nobody listens on 9999"},
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := socketPair(t)
			ended := make(chan error, 1)
			go func() { ended <- Forward(t.Context(), client, web(), test.port, theirs) }()
			if _, err := io.WriteString(ours, large); err != nil && test.err == "" {
				t.Fatal(err)
			}
			_ = ours.CloseWrite()
			got, err := io.ReadAll(ours)
			if test.err == "" && (string(got) != test.answer || err != nil) {
				t.Errorf("%d bytes, %v, want %d", len(got), err, len(test.answer))
			}
			if err := <-ended; test.err == "" && err != nil || test.err != "" && (err == nil || err.Error() != test.err) {
				t.Errorf("error %v, want %q", err, test.err)
			}
		})
	}
}

// socketPair is a connection over loopback.
func socketPair(t *testing.T) (ours *net.TCPConn, theirs net.Conn) {
	t.Helper()
	taken := make(chan net.Conn)
	address := listen(t, func(conn net.Conn) {
		taken <- conn
		<-t.Context().Done()
	})
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn), <-taken
}

// TestForwardEnds: a context that is done ends a connection that says nothing.
func TestForwardEnds(t *testing.T) {
	taken := make(chan struct{}, 1)
	silent := listen(t, func(conn net.Conn) {
		taken <- struct{}{}
		_, _ = io.Copy(io.Discard, conn)
	})
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_ = stream.Forward(w, r, func(ctx context.Context, _ int32) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", silent)
		})
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, theirs := socketPair(t)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = Forward(ctx, client, web(), 8080, theirs)
	}()
	<-taken
	cancel()
	<-ended
}
