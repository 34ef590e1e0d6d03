package probe

import (
	"context"
	"errors"
	"net"
	"net/http/httptest"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/probity-run/probity/probe/internal/probetest"
)

var (
	_ Prober = HTTPGet{}
	_ Prober = TCPSocket{}
	_ Prober = GRPC{}
	_ Prober = Exec{}
	_ Prober = Heartbeat{}
)

func TestResultReadsLikeTheEvent(t *testing.T) {
	tests := map[string]struct {
		result Result
		want   string
	}{
		"success":                 {Result{Outcome: Success, Output: "ok"}, "succeeded"},
		"warning":                 {Result{Outcome: Warning, Output: "moved"}, "warning: moved"},
		"failure":                 {Result{Outcome: Failure, Output: "HTTP probe failed with statuscode: 500"}, "failed: HTTP probe failed with statuscode: 500"},
		"G03 silent failure":      {Result{Outcome: Failure}, "failed: "},
		"unknown without error":   {Result{Output: "?"}, "failed: ?"},
		"D25 error of a failure":  {Result{Outcome: Failure, Err: errors.New("unexpected EOF")}, "errored and resulted in failure state: unexpected EOF"},
		"D36 error of an unknown": {Result{Err: errors.New("no port")}, "errored and resulted in unknown state: no port"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := test.result.String(); got != test.want {
				t.Errorf("String() = %q, want %q", got, test.want)
			}
		})
	}
}

func TestOutcomeWords(t *testing.T) {
	for outcome, want := range map[Outcome]string{Success: "success", Warning: "warning", Failure: "failure", Unknown: "unknown", 7: "outcome 7"} {
		if got := outcome.String(); got != want {
			t.Errorf("String() = %q, want %q", got, want)
		}
	}
}

// TestStoppedBeforeItBegan gives every handler a context that is done already.
func TestStoppedBeforeItBegan(t *testing.T) {
	cause := errors.New("pod deleted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	p := probetest.Serve(t, probetest.Answer("HTTP/1.1 200 OK\r\n\r\n"))
	probers := map[string]Prober{
		"http":      HTTPGet{Port: p.Port, Timeout: ample},
		"tcp":       TCPSocket{Port: p.Port, Timeout: ample},
		"grpc":      GRPC{Port: p.Port, Timeout: ample},
		"exec":      Exec{Command: []string{"true"}, Timeout: ample},
		"heartbeat": Heartbeat{File: "probe_test.go"},
	}
	for name, prober := range probers {
		t.Run(name, func(t *testing.T) {
			checkStopped(t, prober.Probe(ctx), cause)
		})
	}
}

// TestStoppedWhileConnecting ends the attempt from inside its dial.
func TestStoppedWhileConnecting(t *testing.T) {
	cause := errors.New("pod deleted")
	probers := map[string]func(DialFunc) Prober{
		"http": func(dial DialFunc) Prober {
			return HTTPGet{Port: 80, Timeout: ample, Client: &HTTPClient{Dial: dial}}
		},
		"tcp":  func(dial DialFunc) Prober { return TCPSocket{Port: 80, Timeout: ample, Dial: dial} },
		"grpc": func(dial DialFunc) Prober { return GRPC{Port: 80, Timeout: ample, Dial: dial} },
	}
	for name, build := range probers {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			prober := build(func(dialling context.Context, _, _ string) (net.Conn, error) {
				cancel(cause)
				<-dialling.Done()
				return nil, dialling.Err()
			})
			checkStopped(t, prober.Probe(ctx), cause)
		})
	}
}

// TestOwnersDeadlineIsNoFailure: an owner may also run out of time, which is not the service's
// time-out.
func TestOwnersDeadlineIsNoFailure(t *testing.T) {
	p := probetest.Serve(t, func(_ *probetest.Peer, conn net.Conn) { probetest.Hold(conn) })
	ctx, cancel := context.WithTimeout(t.Context(), brief)
	defer cancel()
	checkStopped(t, HTTPGet{Port: p.Port, Timeout: ample}.Probe(ctx), context.DeadlineExceeded)
}

// TestAttemptsLeaveNothingBehind repeats attempts that succeed and that fail, and then counts what
// is left.
func TestAttemptsLeaveNothingBehind(t *testing.T) {
	web := probetest.Serve(t, probetest.Answer("HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\nshort"))
	refused := probetest.RefusedPort(t)
	secure := serveTLS(t, protocol, func(s *httptest.Server) { s.EnableHTTP2 = true })
	shared := new(HTTPClient)
	defer shared.Close()
	probers := map[string]Prober{
		"http shared client":  HTTPGet{Port: web.Port, Client: shared, Timeout: ample},
		"http private client": HTTPGet{Port: web.Port, Timeout: ample},
		"https with HTTP/2":   HTTPGet{Scheme: "HTTPS", Port: secure, Client: shared, Timeout: ample},
		"http refused":        HTTPGet{Port: refused, Client: shared, Timeout: ample},
		"tcp":                 TCPSocket{Port: web.Port, Timeout: ample},
		"grpc to a stranger":  GRPC{Port: web.Port, Timeout: time.Millisecond},
		"exec":                Exec{Command: []string{"echo", "hi"}, Timeout: ample},
		"exec time-out":       Exec{Command: []string{"sleep", "60"}, Timeout: time.Millisecond},
		"exec not startable":  Exec{Command: []string{"./no-such-command"}, Timeout: ample},
	}
	for name, prober := range probers {
		t.Run(name, func(t *testing.T) {
			_ = prober.Probe(t.Context()) // whatever is opened only once
			goroutines, files := runtime.NumGoroutine(), openFiles()
			for range 20 {
				_ = prober.Probe(t.Context())
			}
			err := probetest.WaitFor(func() bool { return runtime.NumGoroutine() <= goroutines && openFiles() <= files })
			if err != nil {
				t.Errorf("goroutines %d, open files %d; before %d, %d", runtime.NumGoroutine(), openFiles(), goroutines, files)
			}
		})
	}
}

// openFiles counts this process's file descriptors, where the system shows them.
func openFiles() int {
	// elsewhere: none, and the test watches goroutines only
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}
