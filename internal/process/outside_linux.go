package process

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
)

// tcpEstablished is that state, as the kernel numbers it.
const tcpEstablished = 1

// ringLink is what a descriptor of an io_uring links to in /proc.
const ringLink = "anon_inode:[io_uring]"

// LookOutside finds what leads out of some processes. A process that has ended has nothing. The
// error is a shortage of this process, or that sockets cannot be listed.
func LookOutside(pids []int) (Outside, error) {
	var found Outside
	held := map[uint64]bool{}
	for _, pid := range pids {
		links, err := descriptorLinks(pid)
		switch {
		case short(err):
			return Outside{}, err
		case errors.Is(err, fs.ErrPermission):
			found.Hidden = append(found.Hidden, pid)
		}
		if slices.Contains(links, ringLink) {
			found.Rings = append(found.Rings, pid)
		}
		for _, link := range links {
			if inode, ok := parseSocketLink(link); ok {
				held[inode] = true
			}
		}
	}
	// The sockets later than who holds them: one that is closed in between is not listed.
	for _, name := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		data, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a kernel without IPv6
		}
		if err != nil {
			return Outside{}, err
		}
		all, err := parseConnections(data)
		if err != nil {
			return Outside{}, err
		}
		found.Connections = append(found.Connections, slices.DeleteFunc(all, func(c Connection) bool { return !held[c.Inode] })...)
	}
	return found, nil
}

// descriptorLinks is what the descriptors of a process link to.
func descriptorLinks(pid int) (links []string, err error) {
	folder := procPath(pid, "fd")
	fds, err := readNumbers(folder)
	for _, fd := range fds {
		if link, err := os.Readlink(folder + "/" + strconv.Itoa(fd)); err == nil { // else it was closed
			links = append(links, link)
		}
	}
	return links, err
}

// parseConnections reads the established connections of /proc/net/tcp or tcp6.
func parseConnections(data []byte) (all []Connection, err error) {
	err = eachInState(data, tcpEstablished, func(local, remote []byte, inode uint64) error {
		from, err := parseHexAddrPort(local)
		if err != nil {
			return err
		}
		to, err := parseHexAddrPort(remote)
		all = append(all, Connection{Local: from, Remote: to, Inode: inode})
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}
