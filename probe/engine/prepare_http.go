package engine

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/probity-run/probity/probe"
)

// newHTTPTarget returns the target of an HTTP attempt. The request is not formatted here: net/http
// writes it in a trial, to a connection that records it and then ends. The error of the trial shows
// how all of net/http's errors begin.
func newHTTPTarget(get probe.HTTPGet) *target {
	addr, ok := literal(get.Host, get.Port)
	if !ok || (get.Scheme != "" && !strings.EqualFold(get.Scheme, "http")) || (get.Client != nil && get.Client.Dial != nil) {
		return nil
	}
	recorder := &recorder{written: make(chan struct{})}
	trial := get
	trial.Timeout = time.Minute
	trial.Client = &probe.HTTPClient{Dial: recorder.dial}
	result := trial.Probe(context.Background())
	prefix, ended := strings.CutSuffix(result.Output, io.EOF.Error())
	if !ended || recorder.address != addr.String() {
		return nil // net/http refuses the request, or sends it elsewhere
	}
	return &target{
		addr:    addr,
		timeout: timeoutOr(get.Timeout),
		request: bytes.Clone(recorder.request.Bytes()),
		prefix:  prefix,
		http:    &get,
	}
}

// recorder is a connection without a peer: it records a request, and then ends.
type recorder struct {
	net.Conn // nil: the transport calls nothing else
	address  string

	once    sync.Once
	written chan struct{} // closed when the request is complete, or the connection closed
	request bytes.Buffer
}

func (r *recorder) dial(_ context.Context, _, address string) (net.Conn, error) {
	r.address = address
	return r, nil
}

func (r *recorder) Write(p []byte) (int, error) {
	r.request.Write(p)
	if bytes.HasSuffix(r.request.Bytes(), []byte("\r\n\r\n")) {
		r.once.Do(func() { close(r.written) })
	}
	return len(p), nil
}

func (r *recorder) Read([]byte) (int, error) {
	<-r.written
	return 0, io.EOF
}

func (r *recorder) Close() error {
	r.once.Do(func() { close(r.written) })
	return nil
}

func (r *recorder) LocalAddr() net.Addr         { return &net.TCPAddr{} }
func (r *recorder) RemoteAddr() net.Addr        { return &net.TCPAddr{} }
func (r *recorder) SetDeadline(time.Time) error { return r.Close() }
