package system

import (
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// withSocketPath calls use with the path of the control socket.
func withSocketPath(root *os.Root, use func(path string) error) error {
	return use(filepath.Join(root.Name(), controlSocket))
}

// peerUID is the user of the process at the other end.
func peerUID(conn *net.UnixConn) (uid int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var peer *unix.Xucred
	var optErr error
	if err := raw.Control(func(fd uintptr) { peer, optErr = unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED) }); err != nil {
		return 0, err
	}
	if optErr != nil {
		return 0, optErr
	}
	return int(peer.Uid), nil
}
