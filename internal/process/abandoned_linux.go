package process

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// The request of sock_diag(7) about one socket.
const (
	diagByFamily      = 20                 // SOCK_DIAG_BY_FAMILY
	diagRequestSizeV2 = netlinkHeader + 56 // struct inet_diag_req_v2
	diagInode         = 68                 // offset in struct inet_diag_msg
)

// Abandoned reports whether no process holds the TCP socket of this machine that is connected from
// local to remote: it was closed, or its process has ended. Its peer cannot tell that from a socket
// that only sends no more, unless it sends something itself. Both addresses are of one family.
func Abandoned(local, remote netip.AddrPort) (bool, error) {
	fd, err := openDiag()
	if err != nil {
		return false, err
	}
	defer unix.Close(fd)
	request := abandonedRequest(local, remote)
	if _, err := rawCall(unix.SYS_WRITE, fd, request[:]); err != nil {
		return false, err
	}
	var buf [1 << 10]byte
	n, err := rawCall(unix.SYS_READ, fd, buf[:])
	if err != nil {
		return false, err
	}
	return parseAbandoned(buf[:n])
}

func abandonedRequest(local, remote netip.AddrPort) (b [diagRequestSizeV2]byte) {
	native := binary.NativeEndian
	native.PutUint32(b[0:], diagRequestSizeV2)
	native.PutUint16(b[4:], diagByFamily)
	native.PutUint16(b[6:], unix.NLM_F_REQUEST)
	b[16], b[17] = unix.AF_INET, unix.IPPROTO_TCP
	if local.Addr().Is6() {
		b[16] = unix.AF_INET6
	}
	native.PutUint32(b[20:], 1<<32-1) // in any state
	binary.BigEndian.PutUint16(b[24:], local.Port())
	binary.BigEndian.PutUint16(b[26:], remote.Port())
	copy(b[28:44], local.Addr().AsSlice())
	copy(b[44:60], remote.Addr().AsSlice())
	native.PutUint64(b[64:], 1<<64-1) // whatever its cookie is
	return b
}

// parseAbandoned reads the answer: the socket, whose inode is 0 if nobody holds it, or an error if
// it is gone.
func parseAbandoned(data []byte) (bool, error) {
	native := binary.NativeEndian
	if len(data) < netlinkHeader {
		return false, errBadDiag
	}
	body := data[netlinkHeader:]
	switch native.Uint16(data[4:]) {
	case unix.NLMSG_ERROR:
		err := diagError(body)
		if errors.Is(err, syscall.ENOENT) {
			return true, nil
		}
		return false, err
	case diagByFamily:
		if len(body) < diagAnswerSize {
			return false, errBadDiag
		}
		return native.Uint32(body[diagInode:]) == 0, nil
	}
	return false, errBadDiag
}
