package main

import (
	"cmp"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/probity-run/probity/test/differential/ledger"
	"github.com/probity-run/probity/test/differential/script"
)

// service is what the flags say; each is a script of instances.
//
//	-name NAME       the container's name. Default "app"
//	-http PORT       serve HTTP. 0 serves none. Default 8080
//	-answers SCRIPT  answers per path, see http.go; a path without one answers 200
//	-tls PORT        serve the same answers by HTTPS
//	-tls-mode MODE   "h2" (the default), "h1" or "client" (wants a certificate)
//	-grpc PORT       serve gRPC's health protocol
//	-health SCRIPT   what that answers, see grpc.go
//	-grpc-tls        serve it by TLS
//	-tcp PORT:MODE   accept connections: "open", "close", "reset"; "deaf" only listens. May be
//	                 repeated
//	-delay D         listen after this time
//	-life D:CODE     exit by itself after D
//	-term CODE:D     what SIGTERM does: exit with CODE after D, serving until then; "ignore" does
//	                 nothing. Default 0:0s
//	-shape           write down what requests look like
type service struct {
	recorder        *recorder
	answers         map[string]string
	http, tls, grpc int
	tlsMode, health string
	grpcTLS, shape  bool
	tcp             []string
	delay           time.Duration
	life, term      string
	ended           chan int // exit codes
}

func serve(args []string) int {
	s, err := newService(args)
	if err == nil {
		err = s.open()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "player:", err)
		return 70
	}
	code := <-s.ended
	s.recorder.mustRecord(ledger.Exit, "", strconv.Itoa(code))
	return code
}

func newService(args []string) (*service, error) {
	s := &service{ended: make(chan int, 2)}
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	name := flags.String("name", "app", "")
	answers := flags.String("answers", "", "")
	delay := flags.String("delay", "0s", "")
	flags.IntVar(&s.http, "http", 8080, "")
	flags.IntVar(&s.tls, "tls", 0, "")
	flags.IntVar(&s.grpc, "grpc", 0, "")
	flags.StringVar(&s.tlsMode, "tls-mode", "h2", "")
	flags.StringVar(&s.health, "health", "SERVING", "")
	flags.BoolVar(&s.grpcTLS, "grpc-tls", false, "")
	flags.BoolVar(&s.shape, "shape", false, "")
	flags.Func("tcp", "", func(text string) error { s.tcp = append(s.tcp, text); return nil })
	flags.StringVar(&s.life, "life", "", "")
	flags.StringVar(&s.term, "term", "0:0s", "")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	// Signals are caught before the ledger says that the program began.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM)
	var err error
	if s.recorder, err = openRecorder(*name, true); err != nil {
		return nil, err
	}
	n := s.recorder.instance
	s.life, s.term, s.health = script.OfInstance(s.life, n), script.OfInstance(s.term, n), script.OfInstance(s.health, n)
	if s.delay, err = time.ParseDuration(script.OfInstance(*delay, n)); err != nil {
		return nil, err
	}
	go s.obey(signals)
	s.answers, err = script.Answers(script.OfInstance(*answers, n))
	return s, err
}

// open starts the clocks and the listeners.
func (s *service) open() error {
	if s.life != "" {
		if err := s.endAfter(s.life); err != nil {
			return err
		}
	}
	time.Sleep(s.delay)
	opened := []struct {
		port  int
		serve func(net.Listener) error
	}{{s.http, s.serveHTTP}, {s.tls, s.serveTLS}, {s.grpc, s.serveGRPC}}
	for _, o := range opened {
		if o.port == 0 {
			continue
		}
		listener, err := listen(o.port)
		if err != nil {
			return err
		}
		go func() { s.fail(o.serve(listener)) }()
	}
	for _, text := range s.tcp {
		if err := s.serveTCP(text); err != nil {
			return err
		}
	}
	return s.recorder.record(ledger.Listen, "", "")
}

// private is the port that stands for a declared one: Probity tells it, in a container it is the
// declared one.
func private(declared int) string {
	port := strconv.Itoa(declared)
	return cmp.Or(os.Getenv("PORT_"+port), port)
}

func listen(declared int) (net.Listener, error) {
	port, host := private(declared), ""
	if port != strconv.Itoa(declared) {
		host = "127.0.0.1" // not the machine's other addresses
	}
	return net.Listen("tcp", net.JoinHostPort(host, port))
}

func (s *service) fail(err error) {
	fmt.Fprintln(os.Stderr, "player:", err)
	os.Exit(70)
}

// endAfter ends the program as "D:CODE" says.
func (s *service) endAfter(text string) error {
	after, code, _ := strings.Cut(text, ":")
	d, err := time.ParseDuration(after)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(code)
	if err != nil {
		return err
	}
	time.AfterFunc(d, func() { s.ended <- n })
	return nil
}

// obey follows the script at the first signal, and then records every 100 ms that the program still
// runs.
func (s *service) obey(signals <-chan os.Signal) {
	<-signals
	s.recorder.mustRecord(ledger.Signal, "SIGTERM", "")
	if s.term != "ignore" {
		code, after, _ := strings.Cut(s.term, ":")
		if err := s.endAfter(after + ":" + code); err != nil {
			s.fail(err)
		}
	}
	for range time.Tick(100 * time.Millisecond) {
		s.recorder.mustRecord(ledger.Alive, "", "")
	}
}
