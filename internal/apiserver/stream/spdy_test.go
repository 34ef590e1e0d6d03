package stream

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/moby/spdystream/spdy"
)

// spdyPeer is a client that sends frame by frame.
type spdyPeer struct {
	t      *testing.T
	frames *spdy.Framer
	over   net.Conn
	ended  chan error // of serve
}

// inSPDYBubble runs a test with a connection, of which nothing is left at its end.
func inSPDYBubble(t *testing.T, accept func(*spdyStream), test func(p *spdyPeer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		c, err := newSPDY(theirs)
		if err != nil {
			t.Fatal(err)
		}
		frames, err := spdy.NewFramer(ours, ours)
		if err != nil {
			t.Fatal(err)
		}
		p := &spdyPeer{t, frames, ours, make(chan error, 1)}
		go func() {
			err := c.serve(accept)
			theirs.Close()
			p.ended <- err
		}()
		test(p)
		ours.Close()
	})
}

// send is for any goroutine.
func (p *spdyPeer) send(frames ...spdy.Frame) {
	p.t.Helper()
	for _, f := range frames {
		if err := p.frames.WriteFrame(f); err != nil {
			p.t.Error(err)
			return
		}
	}
}

// receive is the next frame.
func (p *spdyPeer) receive() spdy.Frame {
	p.t.Helper()
	f, err := p.frames.ReadFrame()
	if err != nil {
		p.t.Fatal(err)
	}
	return f
}

func syn(id spdy.StreamId) *spdy.SynStreamFrame {
	return &spdy.SynStreamFrame{StreamId: id, Headers: http.Header{"Streamtype": {"data"}}}
}

// TestSPDYStream: a stream is answered, carries bytes in both directions, and is forgotten when
// both have ended.
func TestSPDYStream(t *testing.T) {
	accepted := make(chan *spdyStream, 1)
	inSPDYBubble(t, func(s *spdyStream) { accepted <- s }, func(p *spdyPeer) {
		p.send(syn(1))
		if reply, ok := p.receive().(*spdy.SynReplyFrame); !ok || reply.StreamId != 1 {
			t.Errorf("answer %+v", reply)
		}
		s := <-accepted
		go p.send(&spdy.DataFrame{StreamId: 1, Data: []byte("hello")}, &spdy.DataFrame{StreamId: 1, Flags: spdy.DataFlagFin, Data: []byte(" there")}, &spdy.DataFrame{StreamId: 1, Data: []byte("late")})
		if text, err := io.ReadAll(s); err != nil || string(text) != "hello there" {
			t.Errorf("received %q, %v", text, err)
		}
		sent := bytes.Repeat([]byte("x"), maxSPDYData+1)
		go func() {
			if n, err := s.Write(sent); n != len(sent) || err != nil {
				t.Errorf("Write = %d, %v", n, err)
			}
			if err := s.CloseWrite(); err != nil {
				t.Error(err)
			}
		}()
		var got []byte
		for last := false; !last; {
			f := p.receive().(*spdy.DataFrame)
			got, last = append(got, f.Data...), f.Flags&spdy.DataFlagFin != 0
		}
		if !bytes.Equal(got, sent) {
			t.Errorf("%d bytes arrived of %d", len(got), len(sent))
		}
		synctest.Wait()
		if s.conn.stream(1) != nil {
			t.Error("the stream is kept")
		}
		if _, err := s.Write([]byte("late")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("Write after the end = %v", err)
		}
	})
}

// TestSPDYReset: a stream that a side gives up has ended for both, and holds up no other one.
func TestSPDYReset(t *testing.T) {
	for name, reset := range map[string]func(p *spdyPeer, s *spdyStream){
		"by the client": func(p *spdyPeer, _ *spdyStream) { p.send(&spdy.RstStreamFrame{StreamId: 1, Status: spdy.Cancel}) },
		"by this side": func(p *spdyPeer, s *spdyStream) {
			go p.send(&spdy.DataFrame{StreamId: 1, Data: []byte("nobody reads it")})
			synctest.Wait()
			go s.Reset()
			if f, ok := p.receive().(*spdy.RstStreamFrame); !ok || f.StreamId != 1 {
				t.Errorf("received %+v", f)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			accepted := make(chan *spdyStream, 1)
			inSPDYBubble(t, func(s *spdyStream) { accepted <- s }, func(p *spdyPeer) {
				p.send(syn(1))
				p.receive()
				s := <-accepted
				reset(p, s)
				synctest.Wait()
				if _, err := s.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
					t.Errorf("Read = %v, want an error", err)
				}
				if _, err := s.Write([]byte("late")); !errors.Is(err, errReset) {
					t.Errorf("Write = %v, want %v", err, errReset)
				}
				p.send(&spdy.DataFrame{StreamId: 1, Data: []byte("late")}, &spdy.PingFrame{Id: 1})
				if f, ok := p.receive().(*spdy.PingFrame); !ok || f.Id != 1 {
					t.Errorf("answer to a ping: %+v", f)
				}
			})
		})
	}
}

// TestSPDYEnds: who violates the protocol is cut off, and streams of a client that is gone end with
// an error.
func TestSPDYEnds(t *testing.T) {
	for name, test := range map[string]struct {
		id   spdy.StreamId
		want error
	}{"a number again": {1, errSPDY}, "a number of this side": {2, errSPDY}, "gone": {0, io.EOF}} {
		t.Run(name, func(t *testing.T) {
			accepted := make(chan *spdyStream, 1)
			inSPDYBubble(t, func(s *spdyStream) { accepted <- s }, func(p *spdyPeer) {
				p.send(syn(1))
				p.receive()
				if test.id != 0 {
					p.send(syn(test.id))
				} else {
					p.over.Close()
				}
				if err := <-p.ended; !errors.Is(err, test.want) {
					t.Errorf("serve = %v, want %v", err, test.want)
				}
				if _, err := (<-accepted).Read(make([]byte, 1)); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("Read = %v", err)
				}
			})
		})
	}
}

// FuzzSPDY: whatever a client sends, serving it comes to an end.
func FuzzSPDY(f *testing.F) {
	var seed bytes.Buffer
	frames, err := spdy.NewFramer(&seed, nil)
	if err != nil {
		f.Fatal(err)
	}
	for _, frame := range []spdy.Frame{syn(1), &spdy.DataFrame{StreamId: 1, Data: []byte("hello")}, &spdy.PingFrame{Id: 1}, &spdy.RstStreamFrame{StreamId: 1, Status: spdy.Cancel}} {
		if err := frames.WriteFrame(frame); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(seed.Bytes())
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := newSPDY(struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(in), io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.serve(func(s *spdyStream) { s.Close() }); err == nil {
			t.Error("serve has no reason to end")
		}
		if len(c.streams) > 0 {
			t.Errorf("%d streams are left", len(c.streams))
		}
	})
}
