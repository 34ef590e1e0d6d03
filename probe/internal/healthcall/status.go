package healthcall

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/probity-run/probity/probe/internal/verdict"
)

// code is how a gRPC call ended.
type code uint32

// The codes that this package itself has a use for.
const (
	codeOK                code = 0
	codeCanceled          code = 1
	codeUnknown           code = 2
	codeDeadlineExceeded  code = 4
	codePermissionDenied  code = 7
	codeResourceExhausted code = 8
	codeUnimplemented     code = 12
	codeInternal          code = 13
	codeUnavailable       code = 14
	codeUnauthenticated   code = 16
)

// String returns the name that grpc-go gives to the code.
func (c code) String() string {
	names := [...]string{
		"OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists",
		"PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange",
		"Unimplemented", "Internal", "Unavailable", "DataLoss", "Unauthenticated",
	}
	if int64(c) < int64(len(names)) {
		return names[c]
	}
	return "Code(" + strconv.FormatInt(int64(c), 10) + ")"
}

// status is how a call ended, and why.
type status struct {
	code    code
	message string
}

// verdict returns what a status other than OK means (R94).
func (s status) verdict(timeout time.Duration) verdict.Verdict {
	switch s.code {
	case codeUnimplemented:
		return verdict.Failed("error: this server does not implement the grpc health protocol (grpc.health.v1.Health): " + s.message)
	case codeDeadlineExceeded:
		return overdue(timeout)
	}
	return verdict.Failed(fmt.Sprintf("error: health rpc probe failed: rpc error: code = %s desc = %s", s.code, s.message))
}

// overdue returns the verdict on a call that took too long (R94).
func overdue(timeout time.Duration) verdict.Verdict {
	return verdict.Failed(fmt.Sprintf("timeout: health rpc did not complete within %v", timeout))
}

// servingVerdict returns the verdict on the answer of a health service (R92).
func servingVerdict(serving int32) verdict.Verdict {
	const servingNumber = 1
	if serving == servingNumber {
		return verdict.Verdict{Outcome: verdict.Success}
	}
	names := [...]string{"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"}
	name := strconv.Itoa(int(serving))
	if serving >= 0 && int(serving) < len(names) {
		name = names[serving]
	}
	return verdict.Failed(fmt.Sprintf("service unhealthy (responded with %q)", name))
}

// httpCode returns the code for the status of an answer that is not gRPC's.
func httpCode(status int) code {
	switch status {
	case http.StatusBadRequest:
		return codeInternal
	case http.StatusUnauthorized:
		return codeUnauthenticated
	case http.StatusForbidden:
		return codePermissionDenied
	case http.StatusNotFound:
		return codeUnimplemented
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return codeUnavailable
	}
	return codeUnknown
}

// http2Error is an error code of HTTP/2 (RFC 9113, section 7).
type http2Error uint32

const (
	protocolError    http2Error = 0x1
	flowControlError http2Error = 0x3
	frameSizeError   http2Error = 0x6
	refusedStream    http2Error = 0x7
	compressionError http2Error = 0x9
)

// String returns the name of the error.
func (e http2Error) String() string {
	names := [...]string{
		"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
		"STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
		"CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
	}
	if int64(e) < int64(len(names)) {
		return names[e]
	}
	return fmt.Sprintf("unknown error code 0x%x", uint32(e))
}

// code returns the code of a call that the server ended with this error.
func (e http2Error) code() code {
	const (
		cancel             = 0x8
		enhanceYourCalm    = 0xb
		inadequateSecurity = 0xc
		last               = 0xd
	)
	switch {
	case e == flowControlError, e == enhanceYourCalm:
		return codeResourceExhausted
	case e == refusedStream:
		return codeUnavailable
	case e == cancel:
		return codeCanceled
	case e == inadequateSecurity:
		return codePermissionDenied
	case e > last:
		return codeUnknown
	}
	return codeInternal
}
