package process

import (
	"encoding/binary"
	"errors"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// notification is a system call that waits for its answer: struct seccomp_notif of seccomp(2), as
// far as it is used.
type notification struct {
	id   uint64
	pid  int // of the thread
	call int // its number
	args [6]uint64
}

// reply is what becomes of the call: it fails with errno, returns the value if that is 0, or is
// carried out by the kernel.
type reply struct {
	proceed bool
	value   int64
	errno   syscall.Errno
}

// notifySizes are the kernel's sizes of the two structures, which may grow.
type notifySizes struct{ notification, reply, data uint16 }

// The sizes that this package knows.
const (
	notificationSize = 80
	replySize        = 24
)

func readNotifySizes() (notifySizes, error) {
	var n notifySizes
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_NOTIF_SIZES, 0, uintptr(unsafe.Pointer(&n)))
	if errno != 0 {
		return notifySizes{}, errno
	}
	n.notification, n.reply = max(n.notification, notificationSize), max(n.reply, replySize)
	return n, nil
}

var errWatchEnded = errors.New("no process of the tree is left")

// receive waits for the next call.
func (w *watch) receive() (n notification, err error) {
	raw, err := w.listener.SyscallConn()
	if err != nil {
		return notification{}, err
	}
	for {
		var failed error
		if err := raw.Read(func(fd uintptr) bool {
			n, failed = w.receiveNow(fd)
			return failed != unix.EAGAIN
		}); err != nil {
			return notification{}, err
		}
		// The program was killed or interrupted before its call was received.
		if failed != unix.ENOENT && failed != unix.EINTR {
			return n, failed
		}
	}
}

// receiveNow does not wait, which the ioctl alone would do.
func (w *watch) receiveNow(fd uintptr) (notification, error) {
	ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	if _, err := unix.Poll(ready, 0); err != nil {
		return notification{}, err
	}
	if ready[0].Revents&unix.POLLIN == 0 {
		if ready[0].Revents != 0 {
			return notification{}, errWatchEnded
		}
		return notification{}, unix.EAGAIN
	}
	data := make([]byte, w.size.notification)
	if err := ioctl(fd, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&data[0])); err != nil {
		return notification{}, err
	}
	return parseNotification(data), nil
}

// parseNotification reads what the kernel has written: id, pid, flags, and struct seccomp_data,
// which is number, architecture, instruction pointer and arguments.
func parseNotification(data []byte) notification {
	native := binary.NativeEndian
	n := notification{id: native.Uint64(data), pid: int(native.Uint32(data[8:])), call: int(native.Uint32(data[16:]))}
	for i := range n.args {
		n.args[i] = native.Uint64(data[32+8*i:])
	}
	return n
}

// reply answers a call. The error is ENOENT if its program does not wait for that any more.
func (w *watch) reply(id uint64, r reply) error {
	data := make([]byte, w.size.reply)
	native := binary.NativeEndian
	native.PutUint64(data, id)
	native.PutUint64(data[8:], uint64(r.value))
	native.PutUint32(data[16:], uint32(-int32(r.errno)))
	if r.proceed {
		native.PutUint32(data[20:], unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE)
	}
	return w.control(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&data[0]))
}

// valid returns an error if the program of a call does not wait for its answer any more.
func (w *watch) valid(id uint64) error {
	return w.control(unix.SECCOMP_IOCTL_NOTIF_ID_VALID, unsafe.Pointer(&id))
}

func (w *watch) control(request uintptr, data unsafe.Pointer) error {
	raw, err := w.listener.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = ioctl(fd, request, data) }); err != nil {
		return err
	}
	return failed
}

func ioctl(fd, request uintptr, data unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(data)); errno != 0 {
		return errno
	}
	return nil
}
