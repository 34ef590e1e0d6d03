package proxy

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// copyEnd is how copying from one connection to another ended.
type copyEnd int

const (
	// copyDone: the source sends no more.
	copyDone copyEnd = iota
	// copySourceBroke: nothing more can be read.
	copySourceBroke
	// copySinkBroke: the sink takes no more.
	copySinkBroke
)

// stallCheckPeriod is how often is asked whether a peer is still there that cannot show it.
const stallCheckPeriod = time.Second

// copyStream copies from one connection to another, with a buffer of the pool while there is
// something to copy and without any while there is not. ([io.Copy] would splice, which takes four
// descriptors for each connection for as long as it lives.) While the sink takes nothing, abandoned
// is asked now and then whether the source has gone, which its end behind unread data does not
// tell.
func copyStream(sink, source *net.TCPConn, buffers *bufferPool, abandoned func() bool) copyEnd {
	var in readyReader
	if in.init(source, buffers) != nil {
		return copySourceBroke
	}
	for {
		buffer, n, err := in.read()
		end := copyDone
		if n > 0 {
			end = writeAll(sink, buffer[:n], abandoned)
		}
		if buffer != nil {
			buffers.Put(buffer)
		}
		switch {
		case end != copyDone:
			return end
		case err == io.EOF:
			return copyDone
		case err != nil:
			return copySourceBroke
		}
	}
}

// writeAll writes all of b, however long the sink takes, unless the source has gone.
func writeAll(sink *net.TCPConn, b []byte, abandoned func() bool) copyEnd {
	for {
		if err := sink.SetWriteDeadline(time.Now().Add(stallCheckPeriod)); err != nil {
			return copySinkBroke
		}
		n, err := sink.Write(b)
		b = b[n:]
		switch {
		case err == nil:
			return copyDone
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return copySinkBroke
		case n == 0 && abandoned():
			return copySourceBroke
		}
	}
}
