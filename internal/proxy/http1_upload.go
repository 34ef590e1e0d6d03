package proxy

import (
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// errClientBroke stands for what [http1Exchange].clientErr says.
var errClientBroke = errors.New("the request broke off")

// upload sends what of a request's body does not come with the head, in a goroutine of its own, so
// that an answer which comes early is passed on. The exchange joins it.
type upload struct {
	x       *http1Exchange
	up      *upstreamConn
	in      readyReader
	readAll atomic.Bool // the client has nothing more to send
	// stopping means that its waits are ended because of others
	stopping atomic.Bool
	// verdict is what came first: the beginning of the answer, or the failure of the client
	verdict atomic.Int32
	done    chan struct{}

	// set before done is closed
	finished bool  // all of the body was written
	err      error // of the client: it broke off, or sent what is no HTTP
}

const (
	verdictAnswer int32 = iota + 1
	verdictClientBroke
)

// startUpload begins to send the rest of the body.
func (x *http1Exchange) startUpload(up *upstreamConn) {
	u := &upload{x: x, up: up, done: make(chan struct{})}
	x.upload = u
	if err := u.in.init(x.conn.TCPConn, up.in.buffers); err != nil {
		u.fail(err)
		close(u.done)
		return
	}
	go u.run() // joined by stopUpload or endUpload
}

// run sends until the body ends or something breaks.
func (u *upload) run() {
	defer close(u.done)
	x, mark := u.x, &u.x.conn.uploadMark
	defer mark.enter(phaseNone)
	for !x.body.Ended() {
		mark.enter(phaseBody)
		buffer, n, err := u.in.read()
		if mark.enter(phaseNone) && err == nil { // it came at the last moment
			x.conn.resume(x.conn.SetReadDeadline)
		}
		if buffer == nil {
			u.fail(err)
			return
		}
		more := u.pass(buffer[:n])
		u.in.buffers.Put(buffer)
		if !more {
			return
		}
	}
	u.finished = true
}

// pass passes on what was read, and reports whether that succeeded.
func (u *upload) pass(read []byte) bool {
	x := u.x
	piece, used, err := x.body.Filter(read)
	if err != nil {
		u.fail(err)
		return false
	}
	x.rest = append(x.rest, read[used:]...)
	x.record(piece)
	u.readAll.Store(x.body.Ended())
	// if it fails, the endpoint takes no more, but may have answered
	_, err = u.up.Write(piece)
	return err == nil
}

// fail notes that the client failed. If the answer has not begun, nobody waits for it any more;
// else the endpoint is told that nothing more comes.
func (u *upload) fail(err error) {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if u.stopping.Load() && isTimeout(err) {
		return // that was on purpose
	}
	u.err = err
	if u.verdict.CompareAndSwap(0, verdictClientBroke) {
		u.up.interrupt()
	} else {
		_ = u.up.CloseWrite() // fails only if the endpoint has gone
	}
}

// answerBegins reports whether the answer may begin: not if the client has failed before. u may be
// nil.
func (u *upload) answerBegins() bool {
	return u == nil || u.verdict.CompareAndSwap(0, verdictAnswer)
}

// record keeps a part of the body for another attempt, if the request may be sent twice.
func (x *http1Exchange) record(piece []byte) {
	x.replay += len(piece)
	x.lost = x.lost || !x.routed.idempotent || x.routed.routing.AsCluster != nil || x.replay > maxReplay
	if x.lost {
		x.recorded = nil
		return
	}
	x.recorded = append(x.recorded, piece...)
}

// bodyWasRead reports whether nothing is left of the body that the client has to send.
func (x *http1Exchange) bodyWasRead() bool {
	if x.upload != nil {
		return x.upload.readAll.Load()
	}
	return x.body.Ended()
}

// stopUpload ends the upload of an attempt that failed, so that another one can begin.
func (x *http1Exchange) stopUpload() {
	if u := x.upload; u != nil {
		u.interrupt()
		<-u.done
		x.conn.resume(x.conn.SetReadDeadline)
		x.upload, x.clientErr = nil, u.err
	}
}

// interrupt ends its waits.
func (u *upload) interrupt() {
	c := u.x.conn
	u.stopping.Store(true)
	u.up.interrupt()
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.SetReadDeadline(time.Unix(1, 0)) // fails only if it is closed
}

// endUpload ends the upload after the answer. If the client still sends, it is given time to notice
// the answer, as is the endpoint to take what it likes.
func (x *http1Exchange) endUpload() {
	u := x.upload
	if u == nil {
		if !x.body.Ended() && x.outcome == requestServed { // it did not begin, as nothing could be written
			x.conn.linger(lingerTime)
		}
		return
	}
	if x.outcome == requestServed && x.conn.port.ctx.Err() == nil {
		if !u.readAll.Load() {
			_ = x.conn.CloseWrite() // fails only if the client has gone
		}
		timer := time.NewTimer(lingerTime)
		defer timer.Stop()
		select {
		case <-u.done:
		case <-timer.C:
		case <-x.conn.port.ctx.Done():
		}
	}
	select {
	case <-u.done:
	default:
		u.interrupt()
		<-u.done
		x.conn.resume(x.conn.SetReadDeadline)
	}
	x.upload = nil
	if u.finished && !u.stopping.Load() {
		return
	}
	x.reusable = false
	if u.readAll.Load() {
		return // only the endpoint has not taken it; the client may send its next request
	}
	x.next = nextClose
	if x.outcome == requestServed && u.err == nil && !u.stopping.Load() { // the endpoint took no more
		x.conn.linger(lingerTime)
	}
}
