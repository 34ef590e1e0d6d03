package process

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// reserve keeps a port from being handed out by another Probity on this machine, until release is
// called or this process ends. What is shared is a name in the abstract socket namespace, which,
// like the ports, belongs to the network namespace and is gone with its holder.
func reserve(port int) (release func(), ok bool, err error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, false, err
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: fmt.Sprintf("@probity.run/port/%d", port)}); err != nil {
		unix.Close(fd)
		if errors.Is(err, unix.EADDRINUSE) {
			return nil, false, nil
		}
		return nil, false, err
	}
	return func() { unix.Close(fd) }, true, nil
}
