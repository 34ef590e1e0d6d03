package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
)

func TestShortage(t *testing.T) {
	dialled := func(call string, errno syscall.Errno) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError(call, errno)}
	}
	tests := map[string]struct {
		err  error
		want bool
	}{
		"no error":                 {nil, false},
		"files of the process":     {dialled("socket", syscall.EMFILE), true},
		"files of the system":      {dialled("socket", syscall.ENFILE), true},
		"buffers":                  {dialled("connect", syscall.ENOBUFS), true},
		"memory":                   {dialled("connect", syscall.ENOMEM), true},
		"local ports":              {dialled("connect", syscall.EADDRNOTAVAIL), true},
		"processes":                {&os.PathError{Op: "fork/exec", Path: "/bin/true", Err: syscall.EAGAIN}, true},
		"wrapped":                  {fmt.Errorf("get: %w", dialled("socket", syscall.EMFILE)), true},
		"files during lookup":      {&net.DNSError{Err: "dial udp 127.0.0.1:53: socket: too many open files"}, true},
		"no such host":             {&net.DNSError{Err: "no such host", IsNotFound: true}, false},
		"refused":                  {dialled("connect", syscall.ECONNREFUSED), false},
		"reset":                    {dialled("read", syscall.ECONNRESET), false},
		"unreachable":              {dialled("connect", syscall.EHOSTUNREACH), false},
		"time-out":                 {os.ErrDeadlineExceeded, false},
		"time-out of the context":  {context.DeadlineExceeded, false},
		"command missing":          {&os.PathError{Op: "fork/exec", Err: syscall.ENOENT}, false},
		"command not executable":   {&os.PathError{Op: "fork/exec", Err: syscall.EACCES}, false},
		"text of a shortage alone": {errors.New("too many open files"), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := isShortage(test.err); got != test.want {
				t.Errorf("isShortage(%v) = %v, want %v", test.err, got, test.want)
			}
		})
	}
}

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
