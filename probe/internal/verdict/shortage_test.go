package verdict

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
)

func TestIsShortage(t *testing.T) {
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
			if got := IsShortage(test.err); got != test.want {
				t.Errorf("IsShortage(%v) = %v, want %v", test.err, got, test.want)
			}
		})
	}
}
