package probe

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/probity-run/probity/probe/internal/probetest"
)

// The body of a failed answer is in the detail, and nowhere else.
func TestDetailOfHTTP(t *testing.T) {
	long := strings.Repeat("x", 20<<10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/secret":
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "password: hunter2")
		case "/long":
			_, _ = io.WriteString(w, long)
		case "/redirect":
			http.Redirect(w, r, "/long", http.StatusFound)
		}
	}))
	defer server.Close()
	addr := server.Listener.Addr().(*net.TCPAddr)
	for path, want := range map[string]Detail{
		"/secret":   {Status: 503, Body: "password: hunter2", BodySize: 17},
		"/long":     {Status: 200, Body: long[:DetailLimit], BodySize: 10 << 10},
		"/redirect": {Status: 200, Body: long[:DetailLimit], BodySize: 10 << 10},
		"/":         {Status: 200},
	} {
		t.Run(path, func(t *testing.T) {
			got := HTTPGet{Port: addr.Port, Path: path, Timeout: ample}.Probe(t.Context())
			want.Remote = addr.String()
			if diff := cmp.Diff(want, got.Detail, cmpopts.IgnoreFields(Detail{}, "Connect", "FirstByte", "Total")); diff != "" {
				t.Errorf("detail (-want +got):\n%s", diff)
			}
			if d := got.Detail; d.Connect <= 0 || d.FirstByte <= d.Connect || d.Total < d.FirstByte || d.Total > ample {
				t.Errorf("connected after %v, first byte after %v, result after %v", d.Connect, d.FirstByte, d.Total)
			}
			if strings.Contains(got.Output+got.String(), "hunter2") {
				t.Errorf("the text %q has the body of a failure", got)
			}
		})
	}
}

func TestDetailOfAnExec(t *testing.T) {
	for script, want := range map[string]Detail{
		"echo out; echo err >&2; exit 3": {ExitCode: 3, Body: "out\nerr\n", BodySize: 8},
		"exit 0":                         {},
		"kill -9 $$":                     {ExitCode: 137},
	} {
		got := Exec{Command: []string{"/bin/sh", "-c", script}, Timeout: ample}.Probe(t.Context()).Detail
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Detail{}, "Total")); diff != "" || got.Total <= 0 {
			t.Errorf("%s: detail took %v (-want +got):\n%s", script, got.Total, diff)
		}
	}
	if got := (Exec{Command: []string{"/bin/sleep", "60"}, Timeout: brief}).Probe(t.Context()).Detail; !got.TimedOut || got.Total < brief {
		t.Errorf("detail = %+v, want a time-out", got)
	}
}

// Whoever does not answer in time has timed out; whoever refuses has not.
func TestDetailOfATimeout(t *testing.T) {
	refused := probetest.RefusedPort(t)
	silent := probetest.Serve(t, func(_ *probetest.Peer, conn net.Conn) { probetest.Hold(conn) }).Port
	get := func(port int) func(time.Duration) Prober {
		return func(timeout time.Duration) Prober { return HTTPGet{Port: port, Timeout: timeout} }
	}
	connect := func(port int) func(time.Duration) Prober {
		return func(timeout time.Duration) Prober { return TCPSocket{Port: port, Timeout: timeout} }
	}
	call := func(port int) func(time.Duration) Prober {
		return func(timeout time.Duration) Prober { return GRPC{Port: port, Timeout: timeout} }
	}
	for name, test := range map[string]struct {
		prober    func(timeout time.Duration) Prober
		timeout   time.Duration
		timedOut  bool
		connected bool
	}{
		"http refused": {get(refused), ample, false, false},
		"http silent":  {get(silent), brief, true, true},
		"tcp refused":  {connect(refused), ample, false, false},
		"tcp silent":   {connect(silent), ample, false, true},
		"grpc refused": {call(refused), brief, true, false}, // it tries on until then (R93)
		"grpc silent":  {call(silent), brief, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			var got Detail
			right := false
			probetest.WithLonger(test.timeout, func(timeout time.Duration) bool {
				got = test.prober(timeout).Probe(t.Context()).Detail
				right = got.TimedOut == test.timedOut && got.Connect > 0 == test.connected && (got.Remote != "") == test.connected && got.FirstByte == 0 && got.Total > 0
				return right
			})
			if !right {
				t.Errorf("detail = %+v, want timed out: %v, connected: %v", got, test.timedOut, test.connected)
			}
		})
	}
}

// A TCP attempt whose connection is not established in time has timed out.
func TestDetailOfAHangingDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := TCPSocket{Port: 80, Timeout: 3 * time.Second, Dial: dialHanging}.Probe(t.Context()).Detail
		if want := (Detail{TimedOut: true, Total: 3 * time.Second}); got != want {
			t.Errorf("detail = %+v, want %+v", got, want)
		}
	})
}
