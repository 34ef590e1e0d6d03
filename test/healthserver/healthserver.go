// Package healthserver is gRPC's health service for tests, on net/http alone. The module test/grpc
// holds it against grpc-go.
package healthserver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Serving is the state of a service, a ServingStatus of the protocol.
type Serving int32

// The states that the protocol knows.
const (
	Unknown Serving = iota
	OK
	NotServing
	ServiceUnknown
)

// Status is the error of a check that answers with a status of gRPC.
type Status struct {
	Code    int
	Message string
}

// Error implements error.
func (s *Status) Error() string { return fmt.Sprintf("status %d: %s", s.Code, s.Message) }

// The codes of gRPC that tests ask for.
const (
	CodeUnknown          = 2
	CodeDeadlineExceeded = 4
	CodeNotFound         = 5
	CodePermissionDenied = 7
	CodeUnimplemented    = 12
	CodeInternal         = 13
	CodeUnavailable      = 14
)

// Check answers one health check of a service. The request's context ends when the client has gone
// or its time is over. An error that is no [Status] is sent as grpc-go does.
type Check func(r *http.Request, service string) (Serving, error)

// Always returns a Check that always says the same.
func Always(serving Serving, err error) Check {
	return func(*http.Request, string) (Serving, error) { return serving, err }
}

// New returns a server that speaks HTTP/2, without TLS or, in ServeTLS, with it. A nil check leaves
// the health service out.
func New(check Check) *http.Server {
	server := &http.Server{Handler: handler{check}, Protocols: new(http.Protocols)}
	server.Protocols.SetUnencryptedHTTP2(true)
	server.Protocols.SetHTTP2(true)
	return server
}

type handler struct{ check Check }

// ServeHTTP answers a call of gRPC.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/grpc")
	serving, err := h.answer(r)
	header := w.Header()
	if err == nil {
		message := binary.AppendUvarint([]byte{1 << 3}, uint64(serving))
		_, _ = w.Write(append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)) // the client may have gone
		header.Set(http.TrailerPrefix+"Grpc-Status", "0")
		return
	}
	s := statusOf(err)
	// Without a body they are the trailers.
	header.Set("Grpc-Status", strconv.Itoa(s.Code))
	header.Set("Grpc-Message", strings.ReplaceAll(url.PathEscape(s.Message), "%20", " "))
}

func (h handler) answer(r *http.Request) (Serving, error) {
	service, method, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case h.check == nil || service != "grpc.health.v1.Health":
		return 0, &Status{CodeUnimplemented, "unknown service " + service}
	case method != "Check":
		return 0, &Status{CodeUnimplemented, fmt.Sprintf("unknown method %s for service %s", method, service)}
	}
	name, err := readRequest(r.Body)
	if err != nil {
		return 0, err
	}
	ctx := r.Context()
	if timeout := timeoutOf(r); timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		ctx = limited
	}
	return h.check(r.WithContext(ctx), name)
}

// readRequest reads a HealthCheckRequest and returns the service that it asks for.
func readRequest(body io.Reader) (service string, err error) {
	data, err := io.ReadAll(body)
	if err != nil {
		return "", err
	}
	const prefix = 5
	if len(data) < prefix || int(binary.BigEndian.Uint32(data[1:])) != len(data)-prefix {
		return "", &Status{CodeInternal, "malformed message"}
	}
	message := data[prefix:]
	if len(message) == 0 {
		return "", nil
	}
	length, n := binary.Uvarint(message[1:])
	if message[0] != 1<<3|2 || n <= 0 || 1+n+int(length) != len(message) {
		return "", &Status{CodeInternal, "malformed HealthCheckRequest"}
	}
	return string(message[1+n:]), nil
}

// timeoutOf reads the time that a call has; 0 means that it is not limited.
func timeoutOf(r *http.Request) time.Duration {
	text := r.Header.Get("Grpc-Timeout")
	if text == "" {
		return 0
	}
	units := map[byte]time.Duration{
		'H': time.Hour, 'M': time.Minute, 'S': time.Second, 'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond,
	}
	n, err := strconv.ParseInt(text[:len(text)-1], 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(n) * units[text[len(text)-1]]
}

// statusOf returns the status that grpc-go sends for an error.
func statusOf(err error) *Status {
	if s, ok := errors.AsType[*Status](err); ok {
		return s
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Status{CodeDeadlineExceeded, err.Error()}
	}
	return &Status{CodeUnknown, err.Error()}
}
