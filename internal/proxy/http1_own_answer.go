package proxy

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"github.com/probity-run/probity/internal/h1"
)

// This file is what the proxy itself answers to clients that speak HTTP/1.

// refuse answers a request that is not for an endpoint, and has the connection closed.
func (x *http1Exchange) refuse(code int, why string) nextStep {
	x.conn.port.answers.count(code)
	x.conn.mark.enter(phaseWaiting)
	if x.conn.write(plainAnswer(code, why).http1(true, false)) == nil {
		x.conn.linger(refusalLinger)
	}
	return nextClose
}

// malformedText is what the client of a malformed request reads.
func malformedText(e *h1.Error) string {
	return fmt.Sprintf("%d %s: %s", e.Status, http.StatusText(e.Status), e.Reason)
}

// fail tells the client why no endpoint answered.
func (x *http1Exchange) fail(why *noAnswerError) {
	sp := x.conn.port
	if sp.ctx.Err() != nil {
		why = &noAnswerError{reason: errStopping, sent: true}
	}
	var accept []string
	x.request.Accept(func(value []byte) { accept = append(accept, string(value)) })
	x.outcome = requestFailed
	x.answer(failureAnswer(sp.failureStatus(why), accept))
}

// clientFailed reports whether it was the client that failed, not the endpoint, and tells it so if
// it is still there.
func (x *http1Exchange) clientFailed() bool {
	sp := x.conn.port
	switch {
	case x.conn.gone.Load():
		x.clientGone()
	case sp.ctx.Err() != nil:
		x.fail(&noAnswerError{reason: errStopping, sent: true})
	case x.clientErr != nil:
		x.clientGone()
		x.answer(sp.brokenBodyAnswer(x.clientErr))
	default:
		return false
	}
	return true
}

// answer answers the request, and decides what becomes of the connection.
func (x *http1Exchange) answer(a ownAnswer) {
	unread := !x.bodyWasRead()
	if unread || !x.request.KeepAlive || x.conn.port.isStopping() {
		x.next = nextClose
	}
	x.status = a.code
	isHead := string(x.request.Method()) == http.MethodHead
	text := a.http1(x.next == nextClose, isHead)
	if x.request.HTTP10 && x.next != nextClose {
		text = a.with("Connection", "keep-alive").http1(false, isHead)
	}
	if x.conn.write(text) != nil {
		x.clientGone()
		x.status = 0
		return
	}
	if x.next == nextClose && (unread || x.request.KeepAlive) {
		x.conn.linger(refusalLinger)
	}
}

// with is the answer with one more field.
func (a ownAnswer) with(name, value string) ownAnswer {
	a.header = a.header.Clone()
	a.header.Set(name, value)
	return a
}

// http1 is the answer as HTTP/1 has it.
func (a ownAnswer) http1(closes, isHead bool) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Length: %d\r\n", a.code, http.StatusText(a.code), time.Now().UTC().Format(http.TimeFormat), len(a.body))
	_ = a.header.Write(&b) // a buffer takes all
	if closes {
		b.WriteString("Connection: close\r\n")
	}
	b.WriteString("\r\n")
	if !isHead {
		b.WriteString(a.body)
	}
	return b.Bytes()
}
