package process

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"strconv"
)

var errBadProcNet = errors.New("malformed /proc/net/tcp")

// tcpListen is the state LISTEN, as the kernel numbers it.
const tcpListen = 10

// parseProcNet reads the listening sockets of /proc/net/tcp or tcp6.
func parseProcNet(data []byte) (all []Listener, err error) {
	err = eachInState(data, tcpListen, func(local, _ []byte, inode uint64) error {
		addr, port, err := parseHexAddr(local)
		all = append(all, Listener{Addr: addr, Port: port, Inode: inode})
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// eachInState visits the sockets of /proc/net/tcp or tcp6 that are in a state:
//
//	sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...
func eachInState(data []byte, wanted uint64, visit func(local, remote []byte, inode uint64) error) error {
	header := true
	for line := range bytes.Lines(data) {
		fields := bytes.Fields(line)
		if header || len(fields) == 0 {
			header = false
			continue
		}
		if len(fields) < 10 {
			return errBadProcNet
		}
		state, err := strconv.ParseUint(string(fields[3]), 16, 8)
		if err != nil {
			return errBadProcNet
		}
		if state != wanted {
			continue
		}
		inode, err := strconv.ParseUint(string(fields[9]), 10, 64)
		if err != nil {
			return errBadProcNet
		}
		if err := visit(fields[1], fields[2], inode); err != nil {
			return err
		}
	}
	return nil
}

// parseHexAddr reads "0100007F:1F90": words of 32 bits as this machine holds them in memory, then
// the port.
func parseHexAddr(field []byte) (netip.Addr, int, error) {
	host, service, ok := bytes.Cut(field, []byte{':'})
	raw := make([]byte, hex.DecodedLen(len(host)))
	if _, err := hex.Decode(raw, host); err != nil || !ok || len(raw)%4 != 0 {
		return netip.Addr{}, 0, errBadProcNet
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	addr, ok := netip.AddrFromSlice(raw)
	port, err := strconv.ParseUint(string(service), 16, 16)
	if err != nil || !ok {
		return netip.Addr{}, 0, errBadProcNet
	}
	return addr.Unmap(), int(port), nil
}

func parseHexAddrPort(field []byte) (netip.AddrPort, error) {
	addr, port, err := parseHexAddr(field)
	return netip.AddrPortFrom(addr, uint16(port)), err
}
