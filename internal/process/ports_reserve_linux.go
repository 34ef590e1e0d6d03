package process

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// reserve keeps a port from being handed out by another Probity on this machine, until release is
// called or this process ends.
func reserve(port int) (release func(), ok bool, err error) {
	return Claim(fmt.Sprintf("port/%d", port))
}

// Claim takes a name that no two processes of this network namespace have at a time, until release
// is called or this process ends; ok is false if another one has it. It is a name in the abstract
// socket namespace, which, like ports and addresses, belongs to the network namespace and is gone
// with its holder.
func Claim(name string) (release func(), ok bool, err error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, false, err
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: "@probity.run/" + name}); err != nil {
		unix.Close(fd)
		if errors.Is(err, unix.EADDRINUSE) {
			return nil, false, nil
		}
		return nil, false, err
	}
	return func() { unix.Close(fd) }, true, nil
}
