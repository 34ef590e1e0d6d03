package process

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Listeners lists the TCP sockets that listen on port in this network namespace, those of other
// users too; port 0 means every port.
func Listeners(port int) ([]Listener, error) {
	var s Sockets
	defer s.Close()
	return s.Listeners(port)
}

// Listeners does the same as the function of that name, at less cost.
func (s *Sockets) Listeners(port int) ([]Listener, error) {
	all, err := s.listeners(port)
	if err == nil {
		return all, nil
	}
	// Sandboxes refuse netlink, and some kernels lack the module.
	all = nil
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		some, err := procListeners(family, port)
		if err != nil {
			return nil, fmt.Errorf("cannot list the listening sockets: %w", err)
		}
		all = append(all, some...)
	}
	return all, nil
}

func procListeners(family uint8, port int) ([]Listener, error) {
	file := "/proc/self/net/tcp"
	if family == unix.AF_INET6 {
		file = "/proc/self/net/tcp6"
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && family == unix.AF_INET6 {
		return nil, nil // a kernel without IPv6
	}
	if err != nil {
		return nil, err
	}
	all, err := parseProcNet(data)
	return slices.DeleteFunc(all, func(l Listener) bool { return port != 0 && l.Port != port }), err
}

// reached returns the listeners, among those of one port, of which the kernel chooses one for a
// connection to the loopback address to: those bound to exactly this address, else those bound to
// any. There can be several by SO_REUSEPORT.
func reached(all []Listener, to netip.Addr) []Listener {
	ranks := []func(Listener) bool{
		func(l Listener) bool { return l.Addr == to },
		func(l Listener) bool { return l.Addr.IsUnspecified() && l.Addr.Is4() == to.Is4() },
		func(l Listener) bool { return l.Addr == netip.IPv6Unspecified() && to.Is4() && !l.OnlyIPv6 },
	}
	for _, matches := range ranks {
		var some []Listener
		for _, l := range all {
			if matches(l) {
				some = append(some, l)
			}
		}
		if len(some) > 0 {
			return some
		}
	}
	return nil
}

// eachSocket calls visit with the inode of every socket that pid holds.
func eachSocket(pid int, visit func(inode uint64)) error {
	folder := procPath(pid, "fd")
	fds, err := readNumbers(folder)
	if err != nil {
		return err
	}
	for _, fd := range fds {
		target, err := os.Readlink(folder + "/" + strconv.Itoa(fd))
		if err != nil {
			continue // closed meanwhile
		}
		if inode, ok := parseSocketLink(target); ok {
			visit(inode)
		}
	}
	return nil
}

// parseSocketLink reads "socket:[123]".
func parseSocketLink(target string) (uint64, bool) {
	number, ok := strings.CutPrefix(target, "socket:[")
	if !ok {
		return 0, false
	}
	inode, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 64)
	return inode, err == nil
}

// Tree lists p and all its descendants, or nothing when p has ended. It is exact but for processes
// that are forked at this moment. The error is a shortage of this process.
func Tree(p Process) ([]int, error) {
	select {
	case <-p.Done():
		return nil, nil
	default:
		return descendants(p.PID())
	}
}

// Held lists the listening sockets that some processes hold.
func (s *Sockets) Held(pids []int) ([]Listener, error) {
	all, err := s.Listeners(0)
	if err != nil {
		return nil, err
	}
	held := map[uint64]bool{}
	for _, pid := range pids {
		// A process that has ended holds nothing, one of another user may not be read.
		if err := eachSocket(pid, func(inode uint64) { held[inode] = true }); short(err) {
			return nil, err
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(l Listener) bool { return !held[l.Inode] }), nil
}
