package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/probity-run/probity/probe/internal/probetest"
)

// TestLifecycleHTTP goes through what an HTTP hook may meet (R143, I10, I11).
func TestLifecycleHTTP(t *testing.T) {
	tests := map[string]struct {
		hook         func(t *testing.T) HTTPGet
		wantFallback bool
		wantErr      string // part of the error; empty: no error
	}{
		"any status will do": {hook: func(t *testing.T) HTTPGet {
			return HTTPGet{Port: probetest.Serve(t, probetest.Answer("HTTP/1.1 500 no\r\n\r\n")).Port}
		}},
		"a body may be broken": {hook: func(t *testing.T) HTTPGet {
			return HTTPGet{Port: probetest.Serve(t, probetest.Answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")).Port}
		}},
		"time-out of a probe does not apply": {hook: func(t *testing.T) HTTPGet {
			return HTTPGet{Port: probetest.Serve(t, probetest.Answer(okResponse)).Port, Timeout: 1}
		}},
		"redirect to another host": {hook: func(t *testing.T) HTTPGet {
			return HTTPGet{Port: probetest.Serve(t, probetest.Answer("HTTP/1.1 302 x\r\nLocation: http://localhost/\r\n\r\n")).Port}
		}},
		"endless redirects": {
			hook: func(t *testing.T) HTTPGet {
				return HTTPGet{Port: probetest.Serve(t, probetest.Answer("HTTP/1.1 302 x\r\nLocation: /\r\n\r\n")).Port}
			},
			wantErr: "stopped after 10 redirects",
		},
		"refused": {
			hook:    func(t *testing.T) HTTPGet { return HTTPGet{Port: probetest.RefusedPort(t)} },
			wantErr: "connection refused",
		},
		"closed without a byte": {
			hook:    func(t *testing.T) HTTPGet { return HTTPGet{Port: probetest.Serve(t, probetest.Answer("")).Port} },
			wantErr: "EOF",
		},
		"no port": {
			hook:    func(*testing.T) HTTPGet { return HTTPGet{} },
			wantErr: "invalid port number: 0",
		},
		"https": {hook: func(t *testing.T) HTTPGet { return HTTPGet{Scheme: "HTTPS", Port: serveTLS(t, protocol, nil)} }},
		"https answered in plain http": {
			hook:         func(t *testing.T) HTTPGet { return HTTPGet{Scheme: "HTTPS", Port: serveHTTP(t, protocol)} },
			wantFallback: true,
		},
		"https answered in plain http only once": {
			hook: func(t *testing.T) HTTPGet {
				return HTTPGet{Scheme: "HTTPS", Port: probetest.Serve(t, func(p *probetest.Peer, conn net.Conn) {
					if head := make([]byte, 3); readFull(conn, head) && string(head) != "GET" {
						fmt.Fprint(conn, "HTTP/1.1 400 no\r\n\r\n")
						probetest.Hold(conn)
					}
				}).Port}
			},
			wantErr: "server gave HTTP response to HTTPS client; again without TLS: ",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			fallback, err := LifecycleHTTP(t.Context(), test.hook(t))
			if fallback != test.wantFallback {
				t.Errorf("fallback = %v, want %v", fallback, test.wantFallback)
			}
			if text := fmt.Sprint(err); (err != nil) != (test.wantErr != "") || !strings.Contains(text, test.wantErr) && err != nil {
				t.Errorf("error = %q, want it to contain %q", text, test.wantErr)
			}
		})
	}
}

func readFull(conn net.Conn, buf []byte) bool {
	for n := 0; n < len(buf); {
		m, err := conn.Read(buf[n:])
		if err != nil {
			return false
		}
		n += m
	}
	return true
}

// TestLifecycleRequest compares a hook's request to the byte.
func TestLifecycleRequest(t *testing.T) {
	p := probetest.Serve(t, probetest.Answer(okResponse))
	if _, err := LifecycleHTTP(t.Context(), HTTPGet{Port: p.Port, Path: "/stop"}); err != nil {
		t.Fatal(err)
	}
	want := "GET /stop HTTP/1.1\r\nHost: " + address("", p.Port) + "\r\nUser-Agent: kube-lifecycle/1.36\r\nAccept: */*\r\nConnection: close\r\n\r\n"
	if got := p.LastHead(); got != want {
		t.Errorf("request = %q\nwant      %q", got, want)
	}
}

// TestLifecycleFallbackKeepsSecrets: what was meant for TLS is not repeated in the clear.
func TestLifecycleFallbackKeepsSecrets(t *testing.T) {
	tests := map[string]HTTPGet{
		"header":         {Headers: []Header{{"Authorization", "Bearer secret"}, {"X-A", "1"}}},
		"user in a path": {Path: "https://user:secret@other/", Headers: []Header{{"X-A", "1"}}},
	}
	for name, hook := range tests {
		t.Run(name, func(t *testing.T) {
			seen := make(chan http.Header, 1)
			hook.Scheme = "HTTPS"
			hook.Port = serveHTTP(t, func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header })
			if fallback, err := LifecycleHTTP(t.Context(), hook); !fallback || err != nil {
				t.Fatalf("LifecycleHTTP = %v, %v, want a fallback", fallback, err)
			}
			if header := <-seen; header.Get("Authorization") != "" || header.Get("X-A") != "1" {
				t.Errorf("header = %v, want X-A and no Authorization", header)
			}
		})
	}
}

// TestLifecycleWaitsForTheBody: a handler that holds its body open keeps the hook waiting, until
// the owner has enough.
func TestLifecycleWaitsForTheBody(t *testing.T) {
	for name, test := range map[string]struct {
		response string
		wantErr  error
	}{
		"headers came":     {"HTTP/1.1 200 OK\r\n\r\nworking", nil},
		"headers not come": {"", context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := probetest.Serve(t, probetest.AnswerAndHold(test.response))
			ctx, cancel := context.WithTimeout(t.Context(), staged)
			defer cancel()
			_, err := LifecycleHTTP(ctx, HTTPGet{Port: p.Port})
			if !errors.Is(err, test.wantErr) {
				t.Errorf("error = %v, want %v", err, test.wantErr)
			}
			if ctx.Err() == nil {
				t.Error("the hook did not wait for the body")
			}
		})
	}
}
