// Package microservices runs a system of many services, which find each other by the names in its
// manifest: that of a shop, as published by GoogleCloudPlatform/microservices-demo. A stand-in
// takes the place of each program.
package microservices

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
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// What a stand-in is told by the environment, besides PORT and the addresses of its neighbours.
const (
	ledgerVariable = "STANDIN_LEDGER" // the folder for the files of what was reached
	addressSuffix  = "_ADDR"          // ends the names of the variables that name a neighbour
)

// nameHeader tells in an answer which stand-in gave it.
const nameHeader = "Standin-Name"

const (
	callPause   = 500 * time.Millisecond
	callTimeout = 2 * time.Second
	onceTries   = 120
)

// standin is one service: it answers HTTP/1, HTTP/2 without TLS and the gRPC health protocol on one
// port, and calls each address that its environment names, again and again.
type standin struct {
	name    string
	ledger  string // a file with a line per neighbour that was reached
	http1   *http.Client
	http2   *http.Client
	reached map[string]string // neighbour → who answered
}

// Main is the stand-in as a program. It returns the exit code.
func Main(args []string) int {
	flags := flag.NewFlagSet("standin", flag.ContinueOnError)
	port := flags.String("port", os.Getenv("PORT"), "listen there on all addresses; default: PORT, or nowhere")
	once := flags.Bool("once", false, "end as soon as all neighbours were reached")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: standin [-once] [-port N] NAME")
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, newStandin(flags.Arg(0)), *port, *once); err != nil {
		fmt.Fprintln(os.Stderr, "standin:", err)
		return 1
	}
	return 0
}

func newStandin(name string) *standin {
	var h2c http.Protocols
	h2c.SetUnencryptedHTTP2(true)
	return &standin{
		name:    name,
		ledger:  filepath.Join(os.Getenv(ledgerVariable), name),
		http1:   &http.Client{Timeout: callTimeout},
		http2:   &http.Client{Timeout: callTimeout, Transport: &http.Transport{Protocols: &h2c}},
		reached: map[string]string{},
	}
}

func run(ctx context.Context, s *standin, port string, once bool) error {
	if once {
		return s.callUntilReached(ctx)
	}
	var calls sync.WaitGroup
	defer calls.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	calls.Go(func() { s.callForever(ctx) })
	if port == "" {
		<-ctx.Done()
		return nil
	}
	return s.serve(ctx, port)
}

func (s *standin) serve(ctx context.Context, port string) error {
	listener, err := net.Listen("tcp", net.JoinHostPort("", port))
	if err != nil {
		return err
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: s, Protocols: &protocols}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		err := server.Shutdown(context.WithoutCancel(ctx))
		if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	}
}

// servingMessage is a HealthCheckResponse that says SERVING, in the frame of a gRPC message.
const servingMessage = "\x00\x00\x00\x00\x02\x08\x01"

// ServeHTTP answers any request with 200, and a gRPC call as a health check.
func (s *standin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(nameHeader, s.name)
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		fmt.Fprintln(w, s.name)
		return
	}
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status")
	_, _ = io.WriteString(w, servingMessage) // a caller that has gone needs no answer
	w.Header().Set("Grpc-Status", "0")
}

// neighbours are the addresses that the environment names, each as host:port.
func neighbours() (addresses []string) {
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasSuffix(name, addressSuffix) && strings.Contains(value, ":") && !strings.Contains(value, "/") && !isServiceVariable(name) {
			addresses = append(addresses, value)
		}
	}
	slices.Sort(addresses)
	return slices.Compact(addresses)
}

// isServiceVariable reports whether Kubernetes makes a variable of this name for a Service, such as
// STORE_PORT_80_TCP_ADDR.
func isServiceVariable(name string) bool {
	return strings.Contains(name, "_PORT_")
}

func (s *standin) callForever(ctx context.Context) {
	for ctx.Err() == nil {
		s.callAll(ctx)
		wait(ctx, callPause)
	}
}

func (s *standin) callUntilReached(ctx context.Context) error {
	for range onceTries {
		if missing := s.callAll(ctx); len(missing) == 0 || ctx.Err() != nil {
			return ctx.Err()
		}
		wait(ctx, callPause)
	}
	return fmt.Errorf("not reached in %d tries: %v", onceTries, neighbours())
}

// callAll calls each neighbour once, notes who answered if that is new, and returns those that did
// not answer.
func (s *standin) callAll(ctx context.Context) (missing []string) {
	for _, address := range neighbours() {
		who, err := s.call(ctx, address)
		if err != nil {
			who = "nobody: " + err.Error()
			missing = append(missing, address)
		}
		if s.reached[address] == who {
			continue
		}
		s.reached[address] = who
		fmt.Printf("%s: %s\n", address, who)
		if err == nil {
			s.note(address, who)
		}
	}
	return missing
}

// call asks for a neighbour's health by gRPC, or else for its page, and returns its name.
func (s *standin) call(ctx context.Context, address string) (who string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/grpc.health.v1.Health/Check", strings.NewReader("\x00\x00\x00\x00\x00"))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/grpc")
	request.Header.Set("Te", "trailers")
	if who, err = answerer(s.http2, request); err == nil {
		return who, nil
	}
	if request, err = http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil); err != nil {
		return "", err
	}
	return answerer(s.http1, request)
}

func answerer(client *http.Client, request *http.Request) (who string, err error) {
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close() // read to its end
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return "", err
	}
	if who = response.Header.Get(nameHeader); response.StatusCode != http.StatusOK || who == "" {
		return "", fmt.Errorf("%s, not from a stand-in", response.Status)
	}
	return who, nil
}

// note adds a line to the ledger, at once whole.
func (s *standin) note(address, who string) {
	file, err := os.OpenFile(s.ledger, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = fmt.Fprintf(file, "%s %s\n", address, who)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "standin:", err)
	}
}

func wait(ctx context.Context, pause time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
}
