package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"testing"
	"time"
)

// largeBody is random, so that nothing can be confused.
func largeBody(size int) []byte {
	source := rand.NewChaCha8([32]byte{})
	body := make([]byte, size)
	_, _ = source.Read(body) // never fails
	return body
}

// TestLargeAnswers passes bodies on that are larger than any buffer, in all framings, to clients
// that are quick and slow, twice over each connection.
func TestLargeAnswers(t *testing.T) {
	body := largeBody(3<<20 + 7)
	for name, write := range map[string]func(w io.Writer) error{
		"length": func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			return err
		},
		"large chunks": func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x;x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", 1<<20, body[:1<<20], len(body)-1<<20, body[1<<20:])
			return err
		},
		"until it closes": func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%s", body)
			if err == nil {
				err = w.(*net.TCPConn).CloseWrite()
			}
			return err
		},
	} {
		for _, slow := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, slow: %v", name, slow), func(t *testing.T) {
				fx := start(t, Options{})
				address := fx.service("web")
				fx.endpoints("web", at("a", scripted(t, func(conn *net.TCPConn, in *bufio.Reader) {
					for {
						if _, _, err := readRequest(in); err != nil || write(conn) != nil {
							return
						}
					}
				})))
				const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
				conn, answers := raw(t, address, request)
				for n := range 2 {
					res, err := http.ReadResponse(answers, nil)
					if err != nil {
						t.Fatal(err)
					}
					var from io.Reader = res.Body
					if slow {
						from = slowReader{res.Body}
					}
					if got, err := io.ReadAll(from); err != nil || !bytes.Equal(got, body) {
						t.Fatalf("answer %d: %d bytes, %v, want %d", n, len(got), err, len(body))
					}
					if res.Close {
						break
					}
					if _, err := io.WriteString(conn, request); err != nil {
						t.Fatal(err)
					}
				}
			})
		}
	}
}

// slowReader takes a break after each piece.
type slowReader struct{ io.Reader }

// Read implements [io.Reader].
func (r slowReader) Read(p []byte) (int, error) {
	time.Sleep(time.Millisecond)
	return r.Reader.Read(p)
}

// TestLargeAnswerThatBreaks: what is lost of a large answer is the replica's failure, or the
// client's, whoever broke it off.
func TestLargeAnswerThatBreaks(t *testing.T) {
	for name, tt := range map[string]struct {
		clientLeaves bool
		lost, gone   uint64
	}{"by the replica": {false, 1, 0}, "by the client": {true, 0, 1}} {
		t.Run(name, func(t *testing.T) {
			fx := start(t, Options{})
			address := fx.service("web")
			body := make([]byte, 1<<20)
			fx.endpoints("web", at("a", scripted(t, func(conn *net.TCPConn, in *bufio.Reader) {
				if _, _, err := readRequest(in); err != nil {
					return
				}
				_, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", 100*len(body))
				for n := 0; err == nil && (tt.clientLeaves || n < 3); n++ {
					_, err = conn.Write(body)
				}
			})))
			conn, answers := raw(t, address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			res, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatal(err)
			}
			if tt.clientLeaves {
				if _, err := io.CopyN(io.Discard, res.Body, 2<<20); err != nil {
					t.Fatal(err)
				}
				if err := conn.Close(); err != nil {
					t.Fatal(err)
				}
			} else if n, err := io.Copy(io.Discard, res.Body); err != io.ErrUnexpectedEOF || n != int64(3*len(body)) {
				t.Errorf("%d bytes, %v", n, err)
			}
			eventually(t, "it is counted", func() bool { s := fx.state(); return s.Lost == tt.lost && s.Gone == tt.gone && s.InFlight == 0 })
		})
	}
}
