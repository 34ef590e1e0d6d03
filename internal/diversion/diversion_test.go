package diversion

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
)

// fixture has diversions, and a Pod that is a listener.
type fixture struct {
	t    *testing.T
	all  Diversions
	pod  *net.TCPListener
	port netip.AddrPort
}

// start makes one for a test, which fails if a goroutine is left.
func start(t *testing.T) *fixture {
	t.Helper()
	before := runtime.NumGoroutine()
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	fx := &fixture{t: t, pod: l, port: l.Addr().(*net.TCPAddr).AddrPort()}
	t.Cleanup(func() {
		_ = l.Close() // it may be
		fx.all.Close()
		for deadline := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
			if time.Now().After(deadline) {
				stacks := make([]byte, 1<<20)
				t.Fatalf("%d goroutines before, %d after\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
			}
		}
	})
	return fx
}

func (fx *fixture) begin(value string) {
	fx.t.Helper()
	fault, err := manifest.ParseFault(value)
	if err == nil {
		err = fx.all.Begin("a", fault, slog.New(slog.DiscardHandler))
	}
	if err != nil {
		fx.t.Fatal(err)
	}
}

// serve lets the Pod answer each connection in a goroutine of the test.
func (fx *fixture) serve(answer func(*net.TCPConn)) {
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := fx.pod.AcceptTCP()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				answer(conn)
			})
		}
	})
	fx.t.Cleanup(func() {
		_ = fx.pod.Close() // it may be
		fx.all.Close()
		serving.Wait()
	})
}

// dial connects as a request does.
func (fx *fixture) dial() *net.TCPConn {
	fx.t.Helper()
	conn, err := net.Dial("tcp", fx.all.Request("a", fx.port.String()))
	if err != nil {
		fx.t.Fatal(err)
	}
	fx.t.Cleanup(func() { _ = conn.Close() }) // it may be
	return conn.(*net.TCPConn)
}

// echo repeats what it hears, to the end.
func echo(conn *net.TCPConn) { _, _ = io.Copy(conn, conn) }

func TestNothingIsDiverted(t *testing.T) {
	var d Diversions
	address := netip.MustParseAddrPort("127.0.0.1:80")
	if got := d.Request("a", "127.0.0.1:80"); got != "127.0.0.1:80" {
		t.Error(got)
	}
	if got := d.Probe("a", lifecycle.Readiness, &corev1.Probe{}, address); got != address {
		t.Error(got)
	}
	allocated := testing.AllocsPerRun(100, func() {
		d.Request("a", "127.0.0.1:80")
		d.Probe("a", lifecycle.Readiness, nil, address)
	})
	if allocated != 0 {
		t.Errorf("%v allocations without a fault", allocated)
	}
	d.End("a")
	d.Close()
	d.Close()
}

// TestWhoIsDiverted: which probes meet which fault.
func TestWhoIsDiverted(t *testing.T) {
	http := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{}}}
	https := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Scheme: corev1.URISchemeHTTPS}}}
	tcp := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{}}}
	grpc := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{GRPC: &corev1.GRPCAction{}}}
	for name, c := range map[string]struct {
		fault string
		kind  lifecycle.ProbeType
		probe *corev1.Probe
		want  string // who is met
	}{
		"slow, HTTP":              {"slow=1ms", lifecycle.Liveness, http, "the Pod, late"},
		"slow, gRPC":              {"slow=1ms", lifecycle.Readiness, grpc, "the Pod, late"},
		"slow, TCP":               {"slow=1ms", lifecycle.Readiness, tcp, "the Pod"},
		"refuse, HTTP":            {"refuse", lifecycle.Startup, http, "nobody"},
		"refuse, TCP":             {"refuse", lifecycle.Liveness, tcp, "nobody"},
		"unready, HTTP":           {"unready", lifecycle.Readiness, http, "503"},
		"unready, HTTPS":          {"unready", lifecycle.Readiness, https, "nobody"},
		"unready, TCP":            {"unready", lifecycle.Readiness, tcp, "nobody"},
		"unready, gRPC":           {"unready", lifecycle.Readiness, grpc, "nobody"},
		"unready, liveness, HTTP": {"unready", lifecycle.Liveness, http, "the Pod"},
		"unready, startup, TCP":   {"unready", lifecycle.Startup, tcp, "the Pod"},
	} {
		t.Run(name, func(t *testing.T) {
			fx := start(t)
			fx.serve(func(conn *net.TCPConn) {
				_, _ = http1(conn, "200 OK")
			})
			fx.begin(c.fault)
			at := fx.all.Probe("a", c.kind, c.probe, fx.port)
			if got := met(t, at); got != c.want && !(at != fx.port && got+", late" == c.want) {
				t.Errorf("%v meets %s, want %s", at, got, c.want)
			}
			if c.want == "the Pod" && at != fx.port || c.want != "the Pod" && at == fx.port {
				t.Errorf("it is sent to %v, the Pod is at %v", at, fx.port)
			}
			if other := fx.all.Probe("b", c.kind, c.probe, fx.port); other != fx.port {
				t.Errorf("another Pod is diverted to %v", other)
			}
		})
	}
}

// http1 reads a request and answers it.
func http1(conn *net.TCPConn, status string) (int, error) {
	if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
		return 0, err
	}
	return fmt.Fprintf(conn, "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status)
}

// met is who answers at an address.
func met(t *testing.T, at netip.AddrPort) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + at.String())
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "nobody"
	}
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return "the Pod"
	}
	return fmt.Sprint(response.StatusCode)
}

// TestSlow: all of a long answer comes, and not before the delay is over.
func TestSlow(t *testing.T) {
	fx := start(t)
	const delay = 200 * time.Millisecond
	fx.serve(echo)
	fx.begin("slow=200ms")
	conn := fx.dial()
	asked := time.Now()
	var asking sync.WaitGroup
	defer asking.Wait()
	asking.Go(func() {
		_, err := conn.Write(make([]byte, 5<<20)) // more than is kept
		if err = errors.Join(err, conn.CloseWrite()); err != nil {
			t.Error(err)
		}
	})
	if n, err := io.Copy(io.Discard, conn); n != 5<<20 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if took := time.Since(asked); took < delay {
		t.Errorf("all was there after %v", took)
	}
}

// TestSlowEnds: what is delayed comes when the fault ends, and the connection goes on without it.
func TestSlowEnds(t *testing.T) {
	fx := start(t)
	fx.serve(echo)
	fx.begin("slow=10m")
	conn := fx.dial()
	say := func(text string) {
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
	}
	hear := func(want string) {
		t.Helper()
		if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
			t.Fatalf("%q, %v, want %q", got, err, want)
		}
	}
	say("one")
	fx.begin("slow=9m") // another value is another fault
	hear("one")
	say("two")
	hear("two")
	if got := fx.all.Request("a", fx.port.String()); got == conn.RemoteAddr().String() || got == fx.port.String() {
		t.Errorf("the next one goes to %s", got)
	}
	fx.all.End("a")
	if got := fx.all.Request("a", fx.port.String()); got != fx.port.String() {
		t.Errorf("without a fault it goes to %s", got)
	}
}

// TestSentJustBefore: who was sent to a relay right before the fault ended reaches the Pod all the
// same.
func TestSentJustBefore(t *testing.T) {
	fx := start(t)
	fx.serve(echo)
	fx.begin("slow=10m")
	sent := fx.all.Request("a", fx.port.String())
	ended := time.Now()
	fx.all.End("a")
	for time.Since(ended) < linger/20 {
		if err := asked(sent); err != nil && time.Since(ended) < linger {
			t.Fatal(err)
		}
	}
}

// asked connects, says something and waits for its echo.
func asked(address string) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	if _, err = io.WriteString(conn, "one"); err == nil {
		_, err = io.ReadFull(conn, make([]byte, 3))
	}
	return errors.Join(err, conn.Close())
}

// TestPodIsGone: a client of a Pod that does not listen, or that resets, is reset.
func TestPodIsGone(t *testing.T) {
	fx := start(t)
	fx.begin("slow=1ms")
	conn := fx.dial()
	pod, err := fx.pod.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	if err := pod.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(pod.Close(), fx.pod.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a Pod that resets: %v", err)
	}
	if _, err := fx.dial().Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a Pod that does not listen: %v", err)
	}
}

// TestClientIsGone: the Pod sees it at once, although an answer is under way.
func TestClientIsGone(t *testing.T) {
	fx := start(t)
	fx.begin("slow=10m")
	conn := fx.dial()
	pod, err := fx.pod.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	defer pod.Close()
	if _, err := io.WriteString(pod, "an answer"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(conn.SetLinger(0), conn.Close()); err != nil {
		t.Fatal(err)
	}
	if err := pod.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := pod.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the Pod hears %v", err)
	}
}

// TestCloseInTheMiddle leaves nothing, which start checks, whatever is under way.
func TestCloseInTheMiddle(t *testing.T) {
	for _, value := range []string{"slow=10m", "refuse", "unready"} {
		t.Run(value, func(t *testing.T) {
			fx := start(t)
			fx.serve(echo)
			fx.begin("slow=9m")
			conn := fx.dial()
			if _, err := io.WriteString(conn, "one"); err != nil {
				t.Fatal(err)
			}
			fx.begin(value)
			fx.all.Close()
			_, _ = io.ReadAll(conn) // until the end, or a reset
			if err := fx.all.Begin("a", manifest.Fault{Kind: manifest.FaultRefuse}, nil); err == nil {
				t.Error("a fault begins after the end")
			}
			if got := fx.all.Request("a", fx.port.String()); got != fx.port.String() {
				t.Errorf("it goes to %s", got)
			}
		})
	}
}

// TestChangedQuickly: whoever connects meanwhile gets an answer of the Pod or is refused.
func TestChangedQuickly(t *testing.T) {
	fx := start(t)
	fx.serve(echo)
	var asking sync.WaitGroup
	asking.Go(func() {
		for range 200 {
			begun := time.Now()
			err := asked(fx.all.Request("a", fx.port.String()))
			if err != nil && !errors.Is(err, syscall.ECONNREFUSED) && time.Since(begun) < linger {
				t.Error(err)
			}
		}
	})
	for range 50 {
		for _, value := range []string{"slow=1ms", "refuse", "slow=2ms", "unready"} {
			fx.begin(value)
		}
		fx.all.End("a")
	}
	asking.Wait()
	if fault, since := fx.all.Of("a"); fault != (manifest.Fault{}) || !since.IsZero() || len(fx.all.Pods()) != 0 {
		t.Errorf("%v is left", fault)
	}
}
