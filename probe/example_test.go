package probe_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/test/healthserver"
)

// serve starts a web server for an example.
func serve(status int) (port int, closeServer func()) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, "all good")
	}))
	return server.Listener.Addr().(*net.TCPAddr).Port, server.Close
}

func ExampleHTTPGet() {
	port, closeServer := serve(http.StatusOK)
	defer closeServer()

	result := probe.HTTPGet{Port: port, Path: "/readyz", Timeout: 5 * time.Second}.Probe(context.Background())
	fmt.Println(result.Outcome)
	fmt.Println(result.Output)
	// Output:
	// success
	// all good
}

// Whoever probes often shares one client.
func ExampleHTTPClient() {
	port, closeServer := serve(http.StatusServiceUnavailable)
	defer closeServer()

	client := new(probe.HTTPClient)
	defer client.Close()
	for _, path := range []string{"/readyz", "/livez"} {
		result := probe.HTTPGet{Port: port, Path: path, Timeout: 5 * time.Second, Client: client}.Probe(context.Background())
		fmt.Println(path, result)
	}
	// Output:
	// /readyz failed: HTTP probe failed with statuscode: 503
	// /livez failed: HTTP probe failed with statuscode: 503
}

// The text of a result is the rest of the kubelet's event.
func ExampleResult_String() {
	results := []probe.Result{
		{Outcome: probe.Success, Output: "ok"},
		{Outcome: probe.Warning, Output: "Probe terminated redirects, Response body: moved"},
		{Outcome: probe.Failure, Output: "HTTP probe failed with statuscode: 500"},
		{Outcome: probe.Failure, Err: io.ErrUnexpectedEOF},
	}
	for _, result := range results {
		fmt.Println("Liveness probe", result)
	}
	// Output:
	// Liveness probe succeeded
	// Liveness probe warning: Probe terminated redirects, Response body: moved
	// Liveness probe failed: HTTP probe failed with statuscode: 500
	// Liveness probe errored and resulted in failure state: unexpected EOF
}

// A prober error must not be counted: it says nothing about the service.
func ExampleResult() {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("pod web-1 was deleted"))

	result := probe.TCPSocket{Port: 8080}.Probe(ctx)
	if result.Err != nil {
		fmt.Println("not counted:", result.Err)
	}
	fmt.Println(errors.Is(result.Err, probe.ErrStopped))
	// Output:
	// not counted: probe stopped before it had a result: pod web-1 was deleted
	// true
}

func ExampleTCPSocket() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer listener.Close()

	result := probe.TCPSocket{Port: listener.Addr().(*net.TCPAddr).Port}.Probe(context.Background())
	fmt.Println(result)
	// Output: succeeded
}

func ExampleGRPC() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := healthserver.New(func(_ *http.Request, service string) (healthserver.Serving, error) {
		if service == "orders" {
			return healthserver.NotServing, nil
		}
		return healthserver.OK, nil
	})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	port := listener.Addr().(*net.TCPAddr).Port
	for _, service := range []string{"", "orders"} {
		result := probe.GRPC{Port: port, Service: service, Timeout: 5 * time.Second}.Probe(context.Background())
		fmt.Printf("%q %v\n", service, result)
	}
	server.Close()
	<-served
	// Output:
	// "" succeeded
	// "orders" failed: service unhealthy (responded with "NOT_SERVING")
}

func ExampleExec() {
	for _, command := range [][]string{{"true"}, {"sh", "-c", "echo no database; exit 1"}, {"absent"}} {
		result := probe.Exec{Command: command, Timeout: 10 * time.Second}.Probe(context.Background())
		if result.Err != nil {
			fmt.Println("says nothing:", result.Err)
			continue
		}
		fmt.Println(result)
	}
	// Output:
	// succeeded
	// failed: no database
	//
	// says nothing: cannot start "absent": exec: "absent": executable file not found in $PATH
}

func ExampleHeartbeat() {
	dir, err := os.MkdirTemp("", "heartbeat")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "beat")
	check := probe.Heartbeat{File: file, MaxAge: time.Minute}

	fmt.Println(check.Probe(context.Background()).Outcome)
	// what the service does every few seconds
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		log.Fatal(err)
	}
	fmt.Println(check.Probe(context.Background()).Outcome)
	// Output:
	// failure
	// success
}

func ExampleLifecycleHTTP() {
	port, closeServer := serve(http.StatusInternalServerError)
	defer closeServer()

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second) // the grace period
	defer cancel()
	fallback, err := probe.LifecycleHTTP(ctx, probe.HTTPGet{Port: port, Path: "/drain"})
	fmt.Println(fallback, err)
	// Output: false <nil>
}
