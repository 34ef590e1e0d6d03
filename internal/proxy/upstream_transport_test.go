package proxy

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"
)

// TestDialInstance: a connection that was made while the process ended may be one to the Pod's next
// process, which is not ready yet; nobody gets it.
func TestDialInstance(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for name, ends := range map[string]func(before, during func()){
		"before":    func(before, _ func()) { before() },
		"meanwhile": func(_, during func()) { during() },
		"never":     func(_, _ func()) {},
	} {
		inst := newInstance(&pod{}, func(*instance, int, int) {})
		end := func() { inst.end("was killed") }
		var dialer net.Dialer
		ends(end, func() { dialer.Control = func(string, string, syscall.RawConn) error { end(); return nil } })
		conn, err := dialInstance(t.Context(), &dialer, inst, l.Addr().String())
		if wantErr := name != "never"; wantErr != (err != nil) || wantErr && (!errors.Is(err, errProcessEnded) || !isDialError(err)) {
			t.Errorf("%s: error %v", name, err)
		}
		if conn != nil {
			_ = conn.Close()
		}
	}
}

// TestLateTimeout: when this process gets no processor time for as long as a dial may take, that is
// not the endpoint's fault.
func TestLateTimeout(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dials := 0
	dialer := net.Dialer{Timeout: 20 * time.Millisecond}
	dialer.Control = func(string, string, syscall.RawConn) error {
		if dials++; dials == 1 {
			time.Sleep(5 * dialer.Timeout)    // the fault: nothing runs
			dialer.Timeout = 10 * time.Second // for the next one
		}
		return nil
	}
	conn, err := dialInstance(t.Context(), &dialer, nil, l.Addr().String())
	if err != nil || dials != 2 {
		t.Fatalf("%v after %d dials, want a connection after 2", err, dials)
	}
	_ = conn.Close()
}
