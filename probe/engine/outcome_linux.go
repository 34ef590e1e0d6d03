package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/internal/verdict"
)

// dialFailed ends an attempt that has no connection, or for gRPC lets it try again later.
func (x *exchange) dialFailed(call string, err error) {
	t := x.attempt.target.fast
	failed := t.dialError(os.NewSyscallError(call, err))
	switch {
	case t.grpc != nil && !verdict.IsShortage(err):
		x.follow(x.call.DialFailed(failed))
	case t.http == nil && err == unix.ECONNRESET:
		// only what was accepted can be reset (R79)
		x.attempt.finish(probe.Result{Outcome: probe.Success})
	default:
		x.attempt.finish(t.resultOf(failed))
	}
}

// resultOf returns the result of an attempt that ended in an error before there was an answer: a
// failure of the service (R64, R80), or of this machine.
func (t *target) resultOf(err error) probe.Result {
	err = t.failed(err)
	if verdict.IsShortage(err) {
		return probe.Result{Err: fmt.Errorf("%w: %w", probe.ErrShortage, err)}
	}
	return resultOf(verdict.Failed(err.Error()))
}

// dialError wraps err like package net does.
func (t *target) dialError(err error) error {
	return &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(t.addr), Err: err}
}

// failed wraps err like net/http does, for HTTP.
func (t *target) failed(err error) error {
	if t.http == nil {
		return err
	}
	return prefixed{t.prefix, err}
}

type prefixed struct {
	prefix string
	error
}

func (p prefixed) Error() string { return p.prefix + p.error.Error() }
func (p prefixed) Unwrap() error { return p.error }

// overdue is a time-out in net/http's words.
type overdue string

func (o overdue) Error() string   { return context.DeadlineExceeded.Error() + string(o) }
func (overdue) Timeout() bool     { return true }
func (overdue) Is(err error) bool { return err == context.DeadlineExceeded }

// expire ends an attempt that has used up its time.
func (a *attempt) expire() {
	t, x := a.target.fast, a.fast
	switch {
	case t.grpc != nil:
		a.finish(resultOf(x.call.Expired()))
	case t.http == nil:
		a.finish(t.resultOf(t.dialError(os.ErrDeadlineExceeded)))
	case x.stage == inBody:
		a.finish(probe.Result{
			Outcome: probe.Failure,
			Err:     overdue(" (Client.Timeout or context cancellation while reading body)"),
		})
	default:
		a.finish(t.resultOf(overdue(" (Client.Timeout exceeded while awaiting headers)")))
	}
}

// leave gives up the fast path's connection and lets a Prober make the attempt, within the same
// time-out.
func (x *exchange) leave(p probe.Prober) {
	a := x.attempt
	x.abandon()
	a.fast = nil
	a.engine.wheel.remove(&a.deadline) // the Prober says best what it was waiting for
	a.beside(p)
}

// handOver lets net/http go on with the exchange. end, if not nil, is how reading ends after what
// was received.
func (x *exchange) handOver(received []byte, end error) {
	a, t := x.attempt, x.attempt.target.fast
	left := time.Until(a.began.Add(t.timeout))
	if left <= 0 {
		a.expire()
		return
	}
	used := &usedConn{
		sent:     x.sent,
		received: append([]byte(nil), received...),
		local:    x.localAddr(),
		remote:   net.TCPAddrFromAddrPort(t.addr),
		asked:    make(chan struct{}),
	}
	if used.end = end; end != nil && !errors.Is(end, io.EOF) {
		used.end = &net.OpError{Op: "read", Net: "tcp", Source: used.local, Addr: used.remote, Err: os.NewSyscallError("read", end)}
		used.sent = len(t.request) // what cannot be answered need not be sent
	}
	var err error
	if used.Conn, err = x.detach(); err != nil {
		a.finish(t.resultOf(err))
		return
	}
	get := *t.http
	get.Timeout = left
	x.leave(inherited{get: get, conn: used})
}
