// Package service is a program for tests: a service whose answers, exits and signals follow a
// script given by flags.
package service

import (
	"cmp"
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

	"github.com/probity-run/probity/test/healthserver"
)

// Main plays the script and returns the exit code.
//
//	-port N           listen on this port instead of $PORT; 0 listens on none
//	-answers SCRIPT   answers by path: "/ready=500x3,200 /live=200x2,hang". The last one is
//	                  repeated for ever; the default is 200. An answer is
//	                      a status
//	                      hang         headers never come
//	                      stall        headers come, but no body
//	                      drop         the connection is closed without a byte
//	                      slow:1.5s    200 after that time
//	                      file:/PATH   what that file says now
//	                      aligned:3s   503 until the wall clock reaches the next multiple of that
//	                                   time after the start, then 200: services that start one
//	                                   after another change together
//	-grpc             speak gRPC's health protocol, always SERVING, instead of HTTP
//	-delay D          listen only after this time
//	-life D:CODE      exit by itself after D
//	-term SCRIPT      what to do on SIGTERM:
//	                      default      what the kernel does: the process is killed
//	                      exit:CODE
//	                      ignore
//	                      sleep:D      exit 0 after D, answering until then
//	                      graceful     accept no more, answer what was asked, exit 0
//	                      graceful:D   the same, after that time: a server that stops at once
//	                                   drops the requests that it has not read yet
//	-log FILE         append a line for each request and signal
//	-process-log DIR  write a file named after the process id into DIR, by which a test can judge
//	                  how requests were routed
//	-control          let a POST of a script to /-/answers change the answers of the paths in it
//	-print TEXT       print this at start
//
// What a hostile program does, in this order, before it serves:
//
//	-spawn "KIND[*N] ARGS"  start N services with these arguments (and -port=0 unless they say
//	                  otherwise); may be repeated. KIND is
//	                      child
//	                      group        in a process group of its own
//	                      session      by setsid
//	                      daemon       by double fork and setsid: the parent is gone at once
//	-join             move into the process group of the first spawned process
//	-eat MB           fill that much memory
//	-close            close the standard streams
//	-write KIND:MB    write that many megabytes to standard output, 0 for ever: "lines" of 100
//	                  bytes, one "line", or "binary"
//	-exec ARGS        become another program: the service with these arguments
//	-stop             stop itself by SIGSTOP once it listens
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
	port       int
	grpc       bool
	delay      time.Duration
	life       time.Duration
	code       int
	term       string
	print      string
	log        io.Writer
	processLog processLog
	control    bool
	hostile    hostile
	server     http.Server
	started    time.Time

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
	processLogDir := flags.String("process-log", "", "")
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
	if *processLogDir != "" {
		if s.processLog, err = openProcessLog(*processLogDir); err != nil {
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
	s.processLog.note("start")
	defer s.processLog.note("exit")
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
			s.processLog.note("SIGTERM")
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
				linger, err := time.ParseDuration(cmp.Or(arg, "0s"))
				if err != nil {
					return err
				}
				time.Sleep(linger)
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
		return healthserver.New(healthy).Serve(listener)
	}
	s.server.Handler, s.server.ReadHeaderTimeout = s, time.Minute
	s.processLog.note("listen")
	return s.server.Serve(listener)
}

// healthy is the answer to a health check of the whole server, the only service that there is.
func healthy(_ *http.Request, service string) (healthserver.Serving, error) {
	if service != "" {
		return 0, &healthserver.Status{Code: healthserver.CodeNotFound, Message: "unknown service"}
	}
	return healthserver.OK, nil
}

// ServeHTTP answers as the script of the path says.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.control && r.URL.Path == "/-/answers" {
		s.rewrite(w, r)
		return
	}
	step := s.next(r)
	s.note("%s %s %s", r.Method, r.URL.Path, step)
	// The log says "answered" before any client can have the answer and send its next request; the
	// process log says "end" when the answer was sent, as the process may end right after that.
	defer s.processLog.request(r, step)()
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
		answerStatus(w, http.StatusOK)
	default:
		status, err := strconv.Atoi(step)
		if err != nil {
			status = http.StatusBadRequest
		}
		answerStatus(w, status)
	}
}

// answerStatus answers without a body.
func answerStatus(w http.ResponseWriter, status int) {
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
