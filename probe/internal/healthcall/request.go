package healthcall

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"golang.org/x/net/http2/hpack"
)

const (
	// library is what the kubelet's gRPC library adds to the user agent (R91).
	library = "grpc-go/1.85.0"

	// initialWindow is how many bytes of a message may be sent before the server has asked for
	// more.
	initialWindow = 1<<16 - 1

	messagePrefix = 5 // bytes before a message: compressed or not, and its length
)

// refusal returns the status of a call whose request cannot be sent: its name is no text, or far
// longer than any name.
func refusal(service string) status {
	switch {
	case !utf8.ValidString(service):
		return status{codeInternal, "grpc: error while marshaling: string field contains invalid UTF-8"}
	case len(newMessage(service)) > initialWindow:
		return status{codeResourceExhausted, fmt.Sprintf("grpc: the name of the service has %d bytes, which is too long", len(service))}
	}
	return status{}
}

// newRequest formats the preface and settings of a connection and, unless it is refused, the call.
func newRequest(addr, service, userAgent string, timeout time.Duration, refused bool) []byte {
	request := appendFrame([]byte(preface), frameSettings, 0, 0, nil)
	if refused {
		return request
	}
	request = appendFrame(request, frameHeaders, flagEndHeaders, stream, newHeader(addr, userAgent, timeout))
	message := newMessage(service)
	for len(message) > maxFrame {
		request = appendFrame(request, frameData, 0, stream, message[:maxFrame])
		message = message[maxFrame:]
	}
	return appendFrame(request, frameData, flagEndStream, stream, message)
}

// newHeader returns the header block of a call (R90, R91).
func newHeader(addr, userAgent string, timeout time.Duration) []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range []hpack.HeaderField{
		{Name: ":method", Value: "POST"},
		{Name: ":scheme", Value: "http"},
		{Name: ":path", Value: "/grpc.health.v1.Health/Check"},
		{Name: ":authority", Value: addr},
		{Name: "content-type", Value: contentType},
		{Name: "user-agent", Value: userAgent + " " + library},
		{Name: "te", Value: "trailers"},
		{Name: "grpc-timeout", Value: timeoutValue(timeout)},
	} {
		_ = encoder.WriteField(field) // a bytes.Buffer takes everything
	}
	return block.Bytes()
}

// timeoutValue writes a time-out in the finest unit, of those from microseconds on, in which it has
// the eight digits that there may be.
func timeoutValue(timeout time.Duration) string {
	const most = 1e8 - 1
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Microsecond, "u"}, {time.Millisecond, "m"}, {time.Second, "S"}} {
		if n := max(1, int64(timeout/unit.size)); n <= most {
			return strconv.FormatInt(n, 10) + unit.name
		}
	}
	return strconv.FormatInt(min(int64(timeout/time.Hour), most), 10) + "H"
}

// newMessage returns a HealthCheckRequest with its prefix.
func newMessage(service string) []byte {
	var message []byte
	if service != "" {
		message = append(message, 1<<3|wireBytes) // field 1
		message = binary.AppendUvarint(message, uint64(len(service)))
		message = append(message, service...)
	}
	prefixed := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))
	return append(prefixed, message...)
}
