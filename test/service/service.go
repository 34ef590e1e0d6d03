// Package service is a program for tests: a service whose answers, exits and signals follow a
// script given by flags.
package service

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// Main plays the script and returns the exit code.
//
//	-port N          listen on this port instead of $PORT; 0 listens on none
//	-answers SCRIPT  answers per path: "/ready=500x3,200 /live=200x2,hang"; the last one lasts for ever. 200 is the default.
//	                 An answer is a status, "hang" (headers never come), "stall" (headers, then no body), "drop" (closes without
//	                 a byte), "slow:1.5s" (200 after that time), "file:/PATH" (what that file says now), or "beat:3s" (503 until
//	                 the clock of the day has passed a multiple of that time since the start, 200 from then on: services that
//	                 start one after another agree)
//	-grpc            speak gRPC's health protocol, always SERVING, instead of HTTP
//	-delay D         listen only after this time
//	-life D:CODE     exit by itself after D
//	-term SCRIPT     on SIGTERM: "default", "exit:CODE", "ignore", "sleep:D" (exit 0 after D, answering until then), or
//	                 "graceful" (accept no more, answer what was asked, exit 0)
//	-log FILE        append a line per request and signal
//	-ledger DIR      keep a file named after the process id in DIR that tells what a router has to answer for
//	-control         let a POST of a script to /-/answers change the answers of the paths in it
//	-print TEXT      print this at start
//
// What a hostile program does, in this order, before it serves:
//
//	-spawn "KIND[*N] ARGS"  start N services with these arguments (and -port=0 unless they say otherwise); may be repeated.
//	                 KIND is "child", "group" (a process group of its own), "session" (setsid), or "daemon" (double fork and
//	                 setsid: the parent is gone at once)
//	-join            move into the process group of the first spawned process
//	-eat MB          fill that much memory
//	-close           close the standard streams
//	-write KIND:MB   write that many megabytes to standard output, 0 for ever: "lines" of 100 bytes, one "line", or "binary"
//	-exec ARGS       become another program: the service with these arguments
//	-stop            stop itself by SIGSTOP once it listens
func Main(args []string) int {
	s := &service{counts: map[string]int{}, started: time.Now()}
	if err := s.parse(args); err != nil {
		fmt.Fprintln(os.Stderr, "service:", err)
		return 64
	}
	if err := s.run(); err != nil {
		fmt.Fprintln(os.Stderr, "service:", err)
		return 70
	}
	return s.code
}

type service struct {
	port    int
	grpc    bool
	delay   time.Duration
	life    time.Duration
	code    int
	term    string
	print   string
	log     io.Writer
	ledger  ledger
	control bool
	hostile hostile
	server  http.Server
	started time.Time

	mu      sync.Mutex // guards counts, answers and writes to log
	counts  map[string]int
	answers map[string][]answer
}

func (s *service) parse(args []string) error {
	flags := flag.NewFlagSet("service", flag.ContinueOnError)
	port, _ := strconv.Atoi(os.Getenv("PORT")) // no PORT means no listener
	flags.IntVar(&s.port, "port", port, "")
	flags.BoolVar(&s.grpc, "grpc", false, "")
	flags.DurationVar(&s.delay, "delay", 0, "")
	flags.StringVar(&s.term, "term", "default", "")
	flags.StringVar(&s.print, "print", "", "")
	life := flags.String("life", "", "")
	answers := flags.String("answers", "", "")
	log := flags.String("log", "", "")
	ledger := flags.String("ledger", "", "")
	flags.BoolVar(&s.control, "control", false, "")
	s.hostile.flags(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *life != "" {
		d, code, _ := strings.Cut(*life, ":")
		var err error
		if s.life, err = time.ParseDuration(d); err != nil {
			return err
		}
		if s.code, err = strconv.Atoi(code); err != nil {
			return err
		}
	}
	s.log = io.Discard
	if *log != "" {
		f, err := os.OpenFile(*log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		s.log = f
	}
	var err error
	if *ledger != "" {
		if s.ledger, err = openLedger(*ledger); err != nil {
			return err
		}
	}
	s.answers, err = parseAnswers(*answers)
	return err
}

func (s *service) run() error {
	signals := make(chan os.Signal, 8)
	if s.term != "default" {
		signal.Notify(signals, syscall.SIGTERM)
	}
	s.note("start %d", os.Getpid())
	s.ledger.note("start")
	defer s.ledger.note("exit")
	if s.print != "" {
		fmt.Println(s.print)
	}
	if err := s.hostile.act(s.note); err != nil {
		return err
	}
	var ends <-chan time.Time
	if s.life > 0 {
		ends = time.After(s.life)
	}
	serving := make(chan error, 1)
	if s.port != 0 {
		go func() { serving <- s.serve() }()
	}
	for {
		select {
		case err := <-serving:
			return err
		case <-ends:
			return nil
		case <-signals:
			s.note("SIGTERM")
			s.ledger.note("SIGTERM")
			switch what, arg, _ := strings.Cut(s.term, ":"); what {
			case "exit":
				s.code, _ = strconv.Atoi(arg)
				return nil
			case "sleep":
				d, err := time.ParseDuration(arg)
				if err != nil {
					return err
				}
				ends = time.After(d)
			case "graceful":
				return s.server.Shutdown(context.Background())
			}
		}
	}
}

func (s *service) serve() error {
	time.Sleep(s.delay)
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", s.port))
	if err != nil {
		return err
	}
	if s.hostile.stop {
		if err := syscall.Kill(os.Getpid(), syscall.SIGSTOP); err != nil {
			return err
		}
	}
	if s.grpc {
		server := grpc.NewServer()
		grpc_health_v1.RegisterHealthServer(server, health.NewServer())
		return server.Serve(listener)
	}
	s.server.Handler, s.server.ReadHeaderTimeout = s, time.Minute
	s.ledger.note("listen")
	return s.server.Serve(listener)
}

// ServeHTTP answers as the script of the path says.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.control && r.URL.Path == "/-/answers" {
		s.rewrite(w, r)
		return
	}
	step := s.next(r)
	s.note("%s %s %s", r.Method, r.URL.Path, step)
	// The log says "answered" before anybody can have the answer and ask again, the ledger when it
	// was sent: the process may end right after that.
	defer s.ledger.request(r, step)()
	// fails only if the client has gone
	defer func() { _ = http.NewResponseController(w).Flush() }()
	defer s.note("answered %s", r.URL.Path)
	what, arg, _ := strings.Cut(step, ":")
	switch what {
	case "hang":
		<-r.Context().Done()
	case "stall":
		w.WriteHeader(http.StatusOK)
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
		<-r.Context().Done()
	case "drop":
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			conn.Close()
		}
	case "slow":
		d, err := time.ParseDuration(arg)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		time.Sleep(d)
		give(w, http.StatusOK)
	default:
		status, err := strconv.Atoi(step)
		if err != nil {
			status = http.StatusBadRequest
		}
		give(w, status)
	}
}

// give answers without a body.
func give(w http.ResponseWriter, status int) {
	if status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified {
		w.Header().Set("Content-Length", "0")
	}
	w.WriteHeader(status)
}

// note appends a line to the log: milliseconds since the epoch, process id, what happened.
func (s *service) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := fmt.Sprintf("%d %d %s\n", time.Now().UnixMilli(), os.Getpid(), fmt.Sprintf(format, args...))
	if _, err := io.WriteString(s.log, line); err != nil && !errors.Is(err, os.ErrClosed) {
		fmt.Fprintln(os.Stderr, "service:", err)
	}
}
