package probe

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
)

// TestOwnShortageIsNoFailure lets every handler run out of something.
func TestOwnShortageIsNoFailure(t *testing.T) {
	noSocket := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", syscall.EMFILE)}
	}
	probers := map[string]Prober{
		"http": HTTPGet{Port: 80, Timeout: ample, Client: &HTTPClient{Dial: noSocket}},
		"tcp":  TCPSocket{Port: 80, Timeout: ample, Dial: noSocket},
		"grpc": GRPC{Port: 80, Timeout: ample, Dial: noSocket},
		"exec": Exec{Command: []string{"true"}, Starter: startFunc(func(Command) (Running, error) {
			return nil, &os.PathError{Op: "fork/exec", Path: "true", Err: syscall.EMFILE}
		})},
	}
	for name, prober := range probers {
		t.Run(name, func(t *testing.T) {
			got := prober.Probe(t.Context())
			if got.Outcome != Unknown || !errors.Is(got.Err, ErrShortage) || !errors.Is(got.Err, syscall.EMFILE) {
				t.Errorf("result = %v with error %v, want unknown with ErrShortage and EMFILE", got.Outcome, got.Err)
			}
		})
	}
}

// startFunc is a Starter.
type startFunc func(Command) (Running, error)

func (f startFunc) Start(command Command) (Running, error) { return f(command) }
