package proxy

import (
	"errors"
	"io"

	"github.com/probity-run/probity/internal/h1"
)

var (
	errNoAnswer       = errors.New("it closed the connection")
	errHalfAnswer     = errors.New("it closed the connection within the head of an answer")
	errAnswerTooLarge = errors.New("the head of its answer is larger than 1 MiB")
)

// answer is what was read of an answer: a buffer of the pool, or a larger one.
type answer struct {
	buffer []byte
	n      int
	pooled bool
}

// release gives the buffer back.
func (a *answer) release(buffers lender) {
	if a.pooled {
		buffers.Put(a.buffer)
	}
	*a = answer{}
}

// receive reads the answer and passes it on. If it returns an error, the client has got nothing of
// an answer; began means that something of one came.
func (x *http1Exchange) receive(up *upstreamConn) (began bool, err error) {
	var a answer
	defer a.release(up.in.buffers)
	for {
		head, err := x.readAnswerHead(up, &a)
		if err != nil {
			return a.n > 0, err
		}
		if err := x.response.Parse(a.buffer[:head], &x.request); err != nil {
			return true, err
		}
		final := x.response.Status == 101 || x.response.Status >= 200
		switch {
		case final && !x.upload.answerBegins():
			return true, errClientBroke
		case x.response.Status == 101:
			x.switchProtocols(up, a.buffer[head:a.n])
			return true, nil
		case final:
			x.passAnswer(up, &a, head)
			return true, nil
		case x.passInterim(a.buffer[:head]) != nil:
			x.clientGone()
			return true, nil
		}
		a.n = copy(a.buffer, a.buffer[head:a.n])
	}
}

// readAnswerHead reads until the head of an answer is whole, and returns its length.
func (x *http1Exchange) readAnswerHead(up *upstreamConn, a *answer) (int, error) {
	for seen := 0; ; {
		if end := h1.HeadEnd(a.buffer[:a.n], seen); end > 0 {
			return end, nil
		}
		if a.n >= upstreamMaxHeader {
			return 0, errAnswerTooLarge
		}
		seen = a.n
		if err := x.readAnswer(up, a); err != nil {
			switch {
			case err == io.EOF && a.n == 0:
				return 0, errNoAnswer
			case err == io.EOF:
				return 0, errHalfAnswer
			}
			return 0, err
		}
	}
}

// readAnswer reads more of an answer behind what is there.
func (x *http1Exchange) readAnswer(up *upstreamConn, a *answer) (err error) {
	if a.buffer == nil {
		if a.buffer, a.n, err = up.in.read(); a.buffer != nil {
			a.pooled = true
		}
		if a.n > 0 {
			return nil
		}
		return err
	}
	if a.n == len(a.buffer) {
		larger := make([]byte, 2*len(a.buffer))
		n := copy(larger, a.buffer)
		a.release(up.in.buffers)
		*a = answer{buffer: larger, n: n}
	}
	n, err := up.Read(a.buffer[a.n:])
	if a.n += n; n > 0 {
		return nil
	}
	return err
}

// passInterim passes a 1xx answer on (RFC 9110, 15.2): clients of HTTP/1.0 know none.
func (x *http1Exchange) passInterim(head []byte) error {
	if x.request.HTTP10 {
		return nil
	}
	if !x.response.IsUnchanged(h1.Passage{}) {
		head = x.response.AppendForward(nil, h1.Passage{})
	}
	return x.conn.write(head)
}

// passage decides how the answer goes on, and what becomes of the client's connection.
func (x *http1Exchange) passage() h1.Passage {
	res, req := &x.response, &x.request
	as := h1.Passage{Decode: req.HTTP10}
	byClose := res.Framing == h1.ByClose || res.Framing == h1.ByChunks && req.HTTP10
	if byClose || !req.KeepAlive || !x.bodyWasRead() || x.conn.port.isStopping() {
		as.Close, x.next = true, nextClose
	} else {
		as.KeepAlive = req.HTTP10
	}
	return as
}

// passAnswer passes an answer on, whose head is whole, and notes how it ended.
func (x *http1Exchange) passAnswer(up *upstreamConn, a *answer, head int) {
	res, req := &x.response, &x.request
	as := x.passage()
	x.status = res.Status
	x.answerBody.Begin(res.Framing, res.Length, as.Decode)
	piece, used, err := x.answerBody.Filter(a.buffer[head:a.n])
	x.reusable = res.KeepAlive && head+used == a.n
	if x.passHead(a, head, as, piece) != nil {
		x.clientGone()
		return
	}
	a.release(up.in.buffers)
	for err == nil && !x.answerBody.Ended() && x.outcome == requestServed {
		err = x.passMore(up)
	}
	switch {
	case x.outcome != requestServed: // the client has gone
	case err != nil:
		x.answerBroke()
	case x.next == nextClose && req.KeepAlive && x.bodyWasRead():
		x.conn.linger(refusalLinger) // it does not know yet that the connection ends
	}
}

// passHead passes on the head of an answer and what of the body came with it, at once if it can.
func (x *http1Exchange) passHead(a *answer, head int, as h1.Passage, piece []byte) error {
	if x.response.IsUnchanged(as) {
		return x.conn.write(a.buffer[:head+len(piece)])
	}
	// what is behind the request in its buffer is not used any more, as no other attempt follows
	anew := x.response.AppendForward(x.buffer[x.n:x.n], as)
	if before := head - len(anew); before >= 0 { // the body stays where it is
		copy(a.buffer[before:], anew)
		return x.conn.write(a.buffer[before : head+len(piece)])
	}
	if len(anew)+len(piece) <= cap(anew) {
		return x.conn.write(append(anew, piece...))
	}
	if err := x.conn.write(anew); err != nil {
		return err
	}
	return x.conn.write(piece)
}

// passMore passes on what comes next of the body of an answer. The error is that of the endpoint.
func (x *http1Exchange) passMore(up *upstreamConn) error {
	if spliced, err := x.splice(up); spliced || err != nil {
		return err
	}
	buffer, n, err := up.in.read()
	if buffer == nil {
		if err == io.EOF && x.answerBody.EndOfConnection() {
			return nil
		}
		return err
	}
	defer up.in.buffers.Put(buffer)
	piece, used, err := x.answerBody.Filter(buffer[:n])
	x.reusable = x.reusable && used == n
	if len(piece) > 0 && x.conn.write(piece) != nil {
		x.clientGone()
	}
	return err
}

// clientGone notes that the client takes nothing any more.
func (x *http1Exchange) clientGone() {
	x.outcome, x.next, x.reusable = requestClientGone, nextClose, false
}

// answerBroke ends the connection to the client in a way that tells it that the answer is not
// whole: a body that ends with the connection needs a reset for that.
func (x *http1Exchange) answerBroke() {
	x.next, x.reusable, x.outcome = nextClose, false, requestAborted
	switch {
	case x.conn.gone.Load() || x.conn.port.ctx.Err() != nil:
		x.outcome = requestClientGone
		reset(x.conn.TCPConn)
	case x.response.Framing == h1.ByClose || x.response.Framing == h1.ByChunks && x.request.HTTP10:
		reset(x.conn.TCPConn)
	case x.bodyWasRead():
		x.conn.linger(refusalLinger)
	}
}

// switchProtocols passes 101 on, and then carries bytes. early is what the endpoint has sent
// already.
func (x *http1Exchange) switchProtocols(up *upstreamConn, early []byte) {
	sp := x.conn.port
	x.status, x.next = x.response.Status, nextClose
	if x.upload != nil {
		<-x.upload.done // the new protocol begins behind the body
		if !x.upload.finished {
			x.clientGone()
			return
		}
	}
	head := x.response.AppendForward(nil, h1.Passage{})
	if x.conn.write(append(head, early...)) != nil {
		x.clientGone()
		return
	}
	x.conn.mark.enter(phaseNone)
	if hasty := append(x.buffer[x.used:x.n:x.n], x.rest...); len(hasty) > 0 {
		// if it fails, the endpoint has gone, which is seen below
		_, _ = up.Write(hasty)
	}
	x.outcome = relay{sp.ctx, sp.proxy, x.routed.attempt.instance.connectionCut}.run(x.conn.TCPConn, up.TCPConn)
	if x.outcome == requestClientGone {
		x.outcome = requestServed // a client may leave a connection of this kind as it likes
	}
}
