package verdict

import (
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"
)

// IsShortage reports whether err says that this machine lacks a resource which a new connection or
// process needs. That is not the service's fault.
func IsShortage(err error) bool {
	shortages := []syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, // file descriptors of this process, of the system
		syscall.ENOBUFS, syscall.ENOMEM, // memory, kernel buffers
		syscall.EADDRNOTAVAIL, // local ports
		syscall.EAGAIN,        // processes (fork), routes and ports (connect)
	}
	if lookup, ok := errors.AsType[*net.DNSError](err); ok {
		// The resolver keeps only the text of what stopped it.
		return slices.ContainsFunc(shortages, func(errno syscall.Errno) bool {
			return strings.Contains(lookup.Err, errno.Error())
		})
	}
	return slices.ContainsFunc(shortages, func(errno syscall.Errno) bool { return errors.Is(err, errno) })
}
