package engine

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strconv"
	"time"
	"unicode/utf8"

	"golang.org/x/net/http2/hpack"

	"github.com/probity-run/probity/probe"
)

// The parts of HTTP/2 that a call needs (RFC 9113).
const (
	http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	frameHeader  = 9       // bytes
	maxFrame     = 1 << 14 // bytes of payload, if nobody announces more

	frameData         = 0x0
	frameHeaders      = 0x1
	framePriority     = 0x2
	frameReset        = 0x3
	frameSettings     = 0x4
	framePush         = 0x5
	framePing         = 0x6
	frameGoAway       = 0x7
	frameContinuation = 0x9

	flagAck        = 0x1 // SETTINGS, PING
	flagEndStream  = 0x1 // DATA, HEADERS
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20

	// longestGRPC is the longest time-out of the fast path. With more, grpc gives up a connection
	// on which the server is silent, and opens another one.
	longestGRPC = 20 * time.Second
)

// newGRPCTarget formats the whole call: connection preface, settings and request (R90, R91).
func newGRPCTarget(call probe.GRPC) *target {
	addr, ok := literal(call.Host, call.Port)
	timeout := timeoutOr(call.Timeout)
	if !ok || call.Dial != nil || timeout > longestGRPC || len(call.Service) > maxFrame/2 || !utf8.ValidString(call.Service) {
		return nil
	}
	request := appendFrame([]byte(http2Preface), frameSettings, 0, 0, nil)
	request = appendFrame(request, frameHeaders, flagEndHeaders, 1, grpcHeader(addr, timeout))
	request = appendFrame(request, frameData, flagEndStream, 1, grpcMessage(call.Service))
	return &target{addr: addr, timeout: timeout, request: request, grpc: &call}
}

// grpcHeader returns the header block of a call.
func grpcHeader(addr netip.AddrPort, timeout time.Duration) []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range []hpack.HeaderField{
		{Name: ":method", Value: "POST"},
		{Name: ":scheme", Value: "http"},
		{Name: ":path", Value: "/grpc.health.v1.Health/Check"},
		{Name: ":authority", Value: addr.String()},
		{Name: "content-type", Value: "application/grpc"},
		{Name: "user-agent", Value: probe.GRPCUserAgent},
		{Name: "te", Value: "trailers"},
		{Name: "grpc-timeout", Value: strconv.FormatInt(max(1, timeout.Microseconds()), 10) + "u"},
	} {
		_ = encoder.WriteField(field) // a bytes.Buffer takes everything
	}
	return block.Bytes()
}

// grpcMessage returns a HealthCheckRequest behind the five bytes that precede a message.
func grpcMessage(service string) []byte {
	var message []byte
	if service != "" {
		message = append(message, 1<<3|2) // field 1, a string
		message = binary.AppendUvarint(message, uint64(len(service)))
		message = append(message, service...)
	}
	prefixed := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))
	return append(prefixed, message...)
}

// appendFrame appends an HTTP/2 frame.
func appendFrame(to []byte, kind, flags byte, stream uint32, payload []byte) []byte {
	n := len(payload)
	to = append(to, byte(n>>16), byte(n>>8), byte(n), kind, flags)
	to = binary.BigEndian.AppendUint32(to, stream)
	return append(to, payload...)
}
