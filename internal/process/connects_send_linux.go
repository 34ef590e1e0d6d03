package process

import (
	"encoding/binary"
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// newDatagram takes over the socket.
func newDatagram(sock *programSocket, data []byte) *Datagram {
	to := socketName(sock.want.Address, sock.family)
	return &Datagram{
		drop: sock.close,
		send: func() {
			defer sock.close()
			_ = unix.Sendto(sock.fd, data, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, to) // it may be lost
		},
	}
}

// answerSend lets a call go on that sends something.
func (w *watch) answerSend(n notification) { _ = w.reply(n.id, w.decideSend(n)) }

// decideSend has the kernel carry out what names no address: it is most of what is sent.
func (w *watch) decideSend(n notification) reply {
	proceed := reply{proceed: true}
	out, err := readOutgoing(n)
	if err != nil || out.name.at == 0 || out.name.length == 0 {
		return proceed
	}
	sock, err := w.fetch(n.pid, int(int32(n.args[0])), out.name)
	if err != nil {
		return proceed
	}
	kept := false
	defer func() {
		if !kept {
			sock.close()
		}
	}()
	switch {
	case w.valid(n.id) != nil || !sock.watched || sock.busy:
		return proceed // the number of the process may have become another's meanwhile
	case sock.want.Network == "tcp" && out.flags&unix.MSG_FASTOPEN != 0:
		return reply{errno: unix.EOPNOTSUPP} // its program connects without, which is seen
	case sock.want.Network == "tcp":
		return proceed
	}
	sock.want.Unconnected = true
	route := w.route(sock.want)
	if route.Keep == nil {
		return proceed
	}
	data, err := out.read(n.pid)
	if err != nil || w.valid(n.id) != nil {
		return proceed
	}
	kept = true
	route.Keep.Keep(newDatagram(sock, data))
	if out.lengthAt == 0 {
		return reply{value: int64(len(data))}
	}
	if err := writeLength(n.pid, out.lengthAt, len(data)); err != nil {
		return reply{errno: unix.EFAULT}
	}
	return reply{value: 1} // of the messages: it calls again for the others
}

// outgoing is what a program is about to send.
type outgoing struct {
	name     socketNameAt
	pieces   []unix.RemoteIovec
	flags    int
	lengthAt uintptr // where sendmmsg(2) puts how much of its first message was sent; 0 of the others
}

// The layouts of struct msghdr, the beginning of struct mmsghdr, on systems of 64 bits.
const (
	messageSize   = 56
	pieceSize     = 16
	maxPieces     = 1024 // the kernel's limit
	maxDatagram   = 64 << 10
	messageLength = messageSize // of struct mmsghdr: what comes next
)

// readOutgoing reads the arguments of a call that sends. Of sendmmsg(2) the first message stands
// for all: that they go to different places happens nowhere that is known.
func readOutgoing(n notification) (out outgoing, err error) {
	if n.call == unix.SYS_SENDTO {
		return outgoing{
			name:   socketNameAt{uintptr(n.args[4]), int(int32(n.args[5]))},
			pieces: []unix.RemoteIovec{{Base: uintptr(n.args[1]), Len: int(min(n.args[2], maxDatagram+1))}},
			flags:  int(int32(n.args[3])),
		}, nil
	}
	at := uintptr(n.args[1])
	out.flags = int(int32(n.args[2]))
	if n.call == unix.SYS_SENDMMSG {
		if n.args[2] == 0 {
			return outgoing{}, nil
		}
		out.flags, out.lengthAt = int(int32(n.args[3])), at+messageLength
	}
	header, err := readMemory(n.pid, unix.RemoteIovec{Base: at, Len: messageSize})
	if err != nil {
		return outgoing{}, err
	}
	native := binary.NativeEndian
	out.name = socketNameAt{uintptr(native.Uint64(header)), int(int32(native.Uint32(header[8:])))}
	if out.name.at == 0 {
		return out, nil
	}
	count := native.Uint64(header[24:])
	if count > maxPieces {
		return outgoing{}, unix.EMSGSIZE
	}
	list, err := readMemory(n.pid, unix.RemoteIovec{Base: uintptr(native.Uint64(header[16:])), Len: int(count) * pieceSize})
	for ; len(list) > 0; list = list[pieceSize:] {
		out.pieces = append(out.pieces, unix.RemoteIovec{Base: uintptr(native.Uint64(list)), Len: int(min(native.Uint64(list[8:]), maxDatagram+1))})
	}
	return out, err
}

var errNoDatagram = errors.New("longer than a datagram can be")

// read copies what is sent.
func (o outgoing) read(pid int) ([]byte, error) {
	length := 0
	for _, piece := range o.pieces {
		if length += piece.Len; length > maxDatagram {
			return nil, errNoDatagram
		}
	}
	return readMemory(pid, o.pieces...)
}

// writeLength tells a program how much of a message was sent.
func writeLength(pid int, at uintptr, length int) error {
	value := uint32(length)
	local := []unix.Iovec{{Base: (*byte)(unsafe.Pointer(&value))}}
	local[0].SetLen(int(unsafe.Sizeof(value)))
	_, err := unix.ProcessVMWritev(pid, local, []unix.RemoteIovec{{Base: at, Len: int(unsafe.Sizeof(value))}}, 0)
	return err
}
