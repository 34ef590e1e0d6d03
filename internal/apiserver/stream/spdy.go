package stream

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/moby/spdystream/spdy"
)

// spdyVersion is what clients call the protocol whose frames package spdy reads and writes.
const spdyVersion = "SPDY/3.1"

// protocolHeader is where client and server agree on what the streams of a connection are for.
const protocolHeader = "X-Stream-Protocol-Version"

// Limits of what a client may have this side keep of the heads of frames.
const (
	maxSPDYControl = 64 << 10
	maxSPDYHeaders = 100
	maxSPDYData    = 32 << 10 // bytes of a frame that is sent
	spdyHead       = 8        // bytes before those
)

var (
	errSPDY  = errors.New("the client violates the SPDY protocol")
	errReset = errors.New("the client has given up the stream")
)

// spdyConn is the server's side of a SPDY connection. One goroutine serves, any number write.
// Clients do not count windows (spdystream has none), so this side has none either.
type spdyConn struct {
	frames *spdy.Framer

	writing sync.Mutex // one frame at a time
	out     *bufio.Writer

	mu      sync.Mutex // guards what follows, and those fields of streams that say so
	streams map[spdy.StreamId]*spdyStream
	last    spdy.StreamId // of the client
}

// spdyStream is one that the client has opened. What it sends is read from it; an error says that
// nothing more will come.
type spdyStream struct {
	*io.PipeReader
	header http.Header
	conn   *spdyConn
	id     spdy.StreamId
	in     *io.PipeWriter

	mu         sync.Mutex // guards what follows
	received   bool       // all that the client sends
	sent       bool       // all that this side sends
	wasDropped bool       // by either side: nothing more can be sent
}

// upgradeSPDY upgrades a request to a SPDY connection that speaks one of some protocols.
func upgradeSPDY(w http.ResponseWriter, r *http.Request, spoken ...string) (upgradedConn, error) {
	if !hasToken(r.Header, "Upgrade", spdyVersion) {
		return upgradedConn{}, &ProtocolError{"the connection can be upgraded to WebSocket or to " + spdyVersion}
	}
	protocol, err := choose(tokens(r.Header, protocolHeader), spoken)
	if err != nil {
		return upgradedConn{}, err
	}
	return upgrade(w, http.Header{"Upgrade": {spdyVersion}, protocolHeader: {protocol}})
}

// newSPDY makes a connection over one that has a buffer for reading.
func newSPDY(over io.ReadWriter) (*spdyConn, error) {
	c := &spdyConn{out: bufio.NewWriterSize(over, maxSPDYData+spdyHead), streams: map[spdy.StreamId]*spdyStream{}}
	var err error
	c.frames, err = spdy.NewFramerWithOptions(c.out, over,
		spdy.WithMaxControlFramePayloadSize(maxSPDYControl), spdy.WithMaxHeaderFieldSize(maxSPDYControl), spdy.WithMaxHeaderCount(maxSPDYHeaders))
	return c, err
}

// serve reads what the client sends until it is gone, and then ends all streams. accept gets each
// new one; it must not wait for anything that comes.
func (c *spdyConn) serve(accept func(*spdyStream)) error {
	defer c.endAll()
	for {
		frame, err := c.frames.ReadFrame()
		if err != nil {
			return err
		}
		switch f := frame.(type) {
		case *spdy.SynStreamFrame:
			err = c.opened(f, accept)
		case *spdy.DataFrame:
			c.stream(f.StreamId).take(f.Data, f.Flags&spdy.DataFlagFin != 0)
		case *spdy.RstStreamFrame:
			c.stream(f.StreamId).drop(errReset)
		case *spdy.PingFrame:
			if f.Id%2 == 1 { // else it is the answer to one of ours
				err = c.write(f)
			}
		}
		if err != nil {
			return err
		}
	}
}

func (c *spdyConn) opened(f *spdy.SynStreamFrame, accept func(*spdyStream)) error {
	r, w := io.Pipe()
	s := &spdyStream{PipeReader: r, header: f.Headers, conn: c, id: f.StreamId, in: w}
	c.mu.Lock()
	inOrder := f.StreamId%2 == 1 && f.StreamId > c.last
	if inOrder {
		c.last = f.StreamId
		c.streams[f.StreamId] = s
	}
	c.mu.Unlock()
	if !inOrder {
		return errSPDY
	}
	if err := c.write(&spdy.SynReplyFrame{StreamId: f.StreamId, Headers: http.Header{}}); err != nil {
		return err
	}
	s.take(nil, f.CFHeader.Flags&spdy.ControlFlagFin != 0)
	accept(s)
	return nil
}

// stream is one that is open, else nil.
func (c *spdyConn) stream(id spdy.StreamId) *spdyStream {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.streams[id]
}

func (c *spdyConn) forget(s *spdyStream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.streams, s.id)
}

func (c *spdyConn) endAll() {
	c.mu.Lock()
	open := c.streams
	c.streams = map[spdy.StreamId]*spdyStream{}
	c.mu.Unlock()
	for _, s := range open {
		s.drop(io.ErrUnexpectedEOF)
	}
}

func (c *spdyConn) write(frame spdy.Frame) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.frames.WriteFrame(frame); err != nil {
		return err
	}
	return c.out.Flush()
}

// beat tells the client that this side is there.
func (c *spdyConn) beat() error { return c.write(&spdy.PingFrame{Id: 2}) }

// take passes on what the client has sent, and waits until it is read.
func (s *spdyStream) take(data []byte, last bool) {
	if s == nil {
		return // it was given up, and the client does not know yet
	}
	if len(data) > 0 {
		_, _ = s.in.Write(data) // who does not read any more does not want it
	}
	if last {
		s.in.Close()
		s.end(func() { s.received = true })
	}
}

// drop gives the stream up.
func (s *spdyStream) drop(why error) {
	if s == nil {
		return
	}
	s.in.CloseWithError(why)
	s.end(func() { s.wasDropped = true })
}

// end notes that one side of the stream has ended, and forgets it if both have.
func (s *spdyStream) end(note func()) {
	s.mu.Lock()
	note()
	over := s.wasDropped || s.received && s.sent
	s.mu.Unlock()
	if over {
		s.conn.forget(s)
	}
}

// Write implements [io.Writer].
func (s *spdyStream) Write(p []byte) (n int, err error) {
	for n < len(p) {
		if err := s.open(); err != nil {
			return n, err
		}
		piece := p[n:min(len(p), n+maxSPDYData)]
		if err := s.conn.write(&spdy.DataFrame{StreamId: s.id, Data: piece}); err != nil {
			return n, err
		}
		n += len(piece)
	}
	return n, nil
}

// open returns an error if nothing can be sent any more.
func (s *spdyStream) open() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.wasDropped:
		return errReset
	case s.sent:
		return io.ErrClosedPipe
	}
	return nil
}

// CloseWrite says that nothing more is sent.
func (s *spdyStream) CloseWrite() error {
	if err := s.open(); err != nil {
		return err
	}
	err := s.conn.write(&spdy.DataFrame{StreamId: s.id, Flags: spdy.DataFlagFin})
	s.end(func() { s.sent = true })
	return err
}

// Reset gives the stream up in both directions.
func (s *spdyStream) Reset() error {
	if s.open() == nil {
		_ = s.conn.write(&spdy.RstStreamFrame{StreamId: s.id, Status: spdy.Cancel}) // if not, it is gone
	}
	s.drop(io.ErrClosedPipe)
	return nil
}
