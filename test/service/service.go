// Package service is a program for tests: a service whose answers, exits and signals follow a script given by flags.
package service

import (
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
//	                 An answer is a status, "hang" (headers never come), "stall" (headers, then no body), "drop" (closes without a byte)
//	                 "slow:1.5s" (200 after that time), or "file:/PATH" (what that file says now)
//	-grpc            speak gRPC's health protocol, always SERVING, instead of HTTP
//	-delay D         listen only after this time
//	-life D:CODE     exit by itself after D
//	-term SCRIPT     on SIGTERM: "default", "exit:CODE", "ignore" or "sleep:D" (exit 0 after D, answering until then)
//	-log FILE        append a line per request and signal
//	-print TEXT      print this at start
//
// What a hostile program does, in this order, before it serves:
//
//	-spawn "KIND[*N] ARGS"  start N services with these arguments (and -port=0 unless they say otherwise); may be repeated. KIND is "child",
//	                 "group" (a process group of its own), "session" (setsid), or "daemon" (double fork and setsid: the parent is gone at once)
//	-join            move into the process group of the first spawned process
//	-eat MB          fill that much memory
//	-close           close the standard streams
//	-write KIND:MB   write that many megabytes to standard output, 0 for ever: "lines" of 100 bytes, one "line", or "binary"
//	-exec ARGS       become another program: the service with these arguments
//	-stop            stop itself by SIGSTOP once it listens
func Main(args []string) int {
	s := &service{counts: map[string]int{}}
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
	hostile hostile
	answers map[string][]answer

	mu     sync.Mutex // guards counts and writes to log
	counts map[string]int
}

// answer is one step of a script.
type answer struct {
	what  string
	times int // 0 means for ever
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
	s.answers, err = parseAnswers(*answers)
	return err
}

func parseAnswers(text string) (map[string][]answer, error) {
	scripts := map[string][]answer{}
	for script := range strings.FieldsSeq(text) {
		path, steps, ok := strings.Cut(script, "=")
		if !ok {
			return nil, fmt.Errorf("cannot read answers %q", script)
		}
		for step := range strings.SplitSeq(steps, ",") {
			what, times, ok := strings.Cut(step, "x")
			if strings.HasPrefix(step, "file:") {
				what, ok = step, false
			}
			a := answer{what: what}
			if ok {
				n, err := strconv.Atoi(times)
				if err != nil {
					return nil, fmt.Errorf("cannot read answer %q: %w", step, err)
				}
				a.times = n
			}
			scripts[path] = append(scripts[path], a)
		}
	}
	return scripts, nil
}

func (s *service) run() error {
	signals := make(chan os.Signal, 8)
	if s.term != "default" {
		signal.Notify(signals, syscall.SIGTERM)
	}
	s.note("start %d", os.Getpid())
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
	server := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	return server.Serve(listener)
}

// ServeHTTP answers as the script of the path says.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	step := s.next(r)
	s.note("%s %s %s", r.Method, r.URL.Path, step)
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
	default:
		status, err := strconv.Atoi(step)
		if err != nil {
			status = http.StatusBadRequest
		}
		w.WriteHeader(status)
	}
}

// next takes the next step of a path's script.
func (s *service) next(r *http.Request) string {
	step := s.scripted(r)
	path, ok := strings.CutPrefix(step, "file:")
	if !ok {
		return step
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(data))
}

func (s *service) scripted(r *http.Request) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.counts[r.URL.Path]
	s.counts[r.URL.Path]++
	for _, a := range s.answers[r.URL.Path] {
		if a.times == 0 || n < a.times {
			return a.what
		}
		n -= a.times
	}
	if steps := s.answers[r.URL.Path]; len(steps) > 0 {
		return steps[len(steps)-1].what
	}
	return "200"
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
