package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/probity-run/probity/test/differential/ledger"
)

// An answer to a request is
//
//	N            this status, with a body that names it; 103 comes before a 200
//	N@LOCATION   … with this Location, in which HOST and PORT stand for those of the
//	             request's own connection and TLSPORT for 8443
//	slow:D       200 after D
//	hang         headers never come
//	stall:N      the headers of status N, and then no body
//	short        a body that ends too soon
//	chunk        a chunked body that is broken
//	big:N        200 with N bytes of body
//	bighead      headers of more than 10 MiB
//	drop, reset  no byte, and FIN or RST
//	garbage      something that is not HTTP
type answerer struct {
	s *service
}

// ServeHTTP implements [http.Handler].
func (a answerer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	script, ok := a.s.answers[r.URL.Path]
	if !ok {
		script = "200"
	}
	step := a.s.recorder.nextStep(ledger.Request, r.URL.Path, script)
	if a.s.shape {
		a.s.recorder.mustRecord(ledger.Shape, r.URL.Path, shapeOf(r))
	}
	if err := answer(w, r, step); err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
	}
}

func answer(w http.ResponseWriter, r *http.Request, step string) error {
	what, arg, _ := strings.Cut(step, ":")
	switch what {
	case "hang":
		<-r.Context().Done()
	case "slow":
		d, err := time.ParseDuration(arg)
		if err != nil {
			return err
		}
		time.Sleep(d)
	case "stall":
		status, err := strconv.Atoi(arg)
		if err != nil {
			return err
		}
		w.WriteHeader(status)
		if err := http.NewResponseController(w).Flush(); err != nil {
			return err
		}
		<-r.Context().Done()
	case "big":
		n, err := strconv.Atoi(arg)
		if err != nil {
			return err
		}
		_, _ = w.Write(bytes.Repeat([]byte("x"), n)) // the reader may have enough
	case "short", "chunk", "bighead", "drop", "reset", "garbage":
		return answerRaw(w, what)
	default:
		return answerStatus(w, r, step)
	}
	return nil
}

// answerStatus answers N or N@LOCATION.
func answerStatus(w http.ResponseWriter, r *http.Request, step string) error {
	number, location, redirects := strings.Cut(step, "@")
	status, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	if redirects {
		host, port, err := net.SplitHostPort(r.Context().Value(http.LocalAddrContextKey).(net.Addr).String())
		if err != nil {
			return err
		}
		w.Header().Set("Location", strings.NewReplacer("HOST", host, "TLSPORT", private(8443), "PORT", port).Replace(location))
	}
	w.WriteHeader(status)
	if status == http.StatusEarlyHints {
		w.WriteHeader(http.StatusOK)
	}
	if status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified {
		fmt.Fprintf(w, "answer %s", number)
	}
	return nil
}

// answerRaw takes the connection over.
func answerRaw(w http.ResponseWriter, what string) error {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	defer conn.Close()
	out := bufio.NewWriter(conn)
	switch what {
	case "short":
		fmt.Fprint(out, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
	case "chunk":
		fmt.Fprint(out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a number\r\n")
	case "garbage":
		fmt.Fprint(out, "good morning\r\n\r\n")
	case "bighead":
		fmt.Fprint(out, "HTTP/1.1 200 OK\r\n")
		line := "X-Big: " + strings.Repeat("x", 1<<16) + "\r\n"
		for range 200 {
			fmt.Fprint(out, line)
		}
		fmt.Fprint(out, "\r\n")
	case "reset":
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	}
	_ = out.Flush() // the reader may have enough
	return nil
}

// shapeOf is all that a probe's request says.
func shapeOf(r *http.Request) string {
	words := []string{r.Method, r.RequestURI, r.Proto, "Host=" + r.Host}
	if r.TLS != nil {
		words = append(words, "SNI="+r.TLS.ServerName)
	}
	if r.Close {
		words = append(words, "Close")
	}
	var headers []string
	for name, values := range r.Header {
		headers = append(headers, fmt.Sprintf("%s=%s", name, strings.Join(values, "+")))
	}
	slices.Sort(headers)
	return strings.Join(append(words, headers...), " ")
}

func (s *service) serveHTTP(listener net.Listener) error {
	return s.server().Serve(listener)
}

func (s *service) server() *http.Server {
	return &http.Server{Handler: answerer{s}, ReadHeaderTimeout: time.Minute}
}
