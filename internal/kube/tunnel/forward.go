package tunnel

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"

	"github.com/moby/spdystream/spdy"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/kube"
)

// The protocol of port-forward, and where client and server agree on it.
const (
	protocolForward = "portforward.k8s.io"
	protocolHeader  = "X-Stream-Protocol-Version"
	spdyVersion     = "SPDY/3.1"
)

// The streams of a connection, in the order in which they are opened.
const (
	streamError spdy.StreamId = 1
	streamData  spdy.StreamId = 3
)

// maxData is how many bytes a frame carries that is sent.
const maxData = 32 << 10

// Forward carries one connection to a port of a Pod, to its end, and closes it. Each has an
// upgraded connection of its own, so that one that is slow holds up no other. The error says why
// the Pod did not take it.
func Forward(ctx context.Context, client *kube.Client, pod kube.Ref, port int32, local net.Conn) error {
	defer local.Close() // all was read and written
	header := http.Header{"Upgrade": {spdyVersion}, protocolHeader: {protocolForward}}
	conn, answer, err := client.Upgrade(ctx, http.MethodPost, pod, "portforward", nil, header)
	if err != nil {
		return err
	}
	defer conn.Close() // whatever was not sent is not wanted
	if got := answer.Get(protocolHeader); got != protocolForward {
		return fmt.Errorf("the server speaks %q, and not %s", got, protocolForward)
	}
	f := &forwarding{local: local, out: bufio.NewWriter(conn)}
	if f.frames, err = spdy.NewFramer(f.out, conn); err != nil {
		return err
	}
	if err := f.open(port); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close(); local.Close() })()
	var sending sync.WaitGroup
	sending.Go(f.send)
	err = f.receive()
	local.Close() // nothing is sent any more
	conn.Close()
	sending.Wait()
	return err
}

// forwarding is one connection that is carried.
type forwarding struct {
	local  net.Conn
	frames *spdy.Framer

	writing sync.Mutex // one frame at a time
	out     *bufio.Writer
}

func (f *forwarding) write(frame spdy.Frame) error {
	f.writing.Lock()
	defer f.writing.Unlock()
	if err := f.frames.WriteFrame(frame); err != nil {
		return err
	}
	return f.out.Flush()
}

// open opens the two streams: one on which the server may say what is wrong, and one for the data.
func (f *forwarding) open(port int32) error {
	for _, s := range []struct {
		id   spdy.StreamId
		kind string
	}{{streamError, corev1.StreamTypeError}, {streamData, corev1.StreamTypeData}} {
		headers := http.Header{}
		headers.Set(corev1.StreamType, s.kind)
		headers.Set(corev1.PortHeader, strconv.Itoa(int(port)))
		headers.Set(corev1.PortForwardRequestIDHeader, "0")
		if err := f.write(&spdy.SynStreamFrame{StreamId: s.id, Headers: headers}); err != nil {
			return err
		}
	}
	return f.write(&spdy.DataFrame{StreamId: streamError, Flags: spdy.DataFlagFin}) // nothing to say there
}

// send sends what the local side sends, to its end.
func (f *forwarding) send() {
	piece := make([]byte, maxData)
	for {
		n, err := f.local.Read(piece)
		if n > 0 && f.write(&spdy.DataFrame{StreamId: streamData, Data: piece[:n]}) != nil {
			return // the other side is gone
		}
		if err != nil {
			_ = f.write(&spdy.DataFrame{StreamId: streamData, Flags: spdy.DataFlagFin}) // the same
			return
		}
	}
}

// receive passes on what the Pod sends until both streams have ended.
func (f *forwarding) receive() error {
	var problem []byte
	open := map[spdy.StreamId]bool{streamError: true, streamData: true}
	for open[streamError] || open[streamData] {
		frame, err := f.frames.ReadFrame()
		if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
			break
		}
		if err != nil {
			return err
		}
		switch frame := frame.(type) {
		case *spdy.PingFrame:
			if frame.Id%2 == 0 { // one of the server's
				err = f.write(frame)
			}
		case *spdy.RstStreamFrame:
			delete(open, frame.StreamId)
			if frame.StreamId == streamData {
				f.local.Close() // nobody takes what it sends
			}
		case *spdy.DataFrame:
			if frame.StreamId == streamError {
				problem = append(problem, frame.Data...)
			} else {
				_, err = f.local.Write(frame.Data)
			}
			if frame.Flags&spdy.DataFlagFin != 0 {
				delete(open, frame.StreamId)
				f.ended(frame.StreamId)
			}
		}
		if err != nil {
			break // one of the sides is gone
		}
	}
	if len(problem) > 0 {
		return errors.New(string(problem))
	}
	return nil
}

// ended tells the local side that nothing more comes.
func (f *forwarding) ended(stream spdy.StreamId) {
	if half, ok := f.local.(interface{ CloseWrite() error }); ok && stream == streamData {
		_ = half.CloseWrite() // it may be gone
	}
}
