package system

import (
	"net"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// maxSocketPath is the longest path of a socket that the kernel takes.
const maxSocketPath = 107

// withSocketPath calls use with a path of the control socket that is short enough. It is good for
// this process, until use returns.
func withSocketPath(root *os.Root, use func(path string) error) error {
	path := filepath.Join(root.Name(), controlSocket)
	if len(path) <= maxSocketPath {
		return use(path)
	}
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close() // only used for its name
	return use(filepath.Join("/proc/self/fd", strconv.Itoa(int(dir.Fd())), controlSocket))
}

// peerUID is the user of the process at the other end.
func peerUID(conn *net.UnixConn) (uid int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var peer *unix.Ucred
	var optErr error
	if err := raw.Control(func(fd uintptr) { peer, optErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err != nil {
		return 0, err
	}
	if optErr != nil {
		return 0, optErr
	}
	return int(peer.Uid), nil
}
