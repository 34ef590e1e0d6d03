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
func (c *conn) dialFailed(call string, err error) {
	t := c.attempt.target.fast
	failed := t.dialError(os.NewSyscallError(call, err))
	switch {
	case t.grpc != nil && !verdict.IsShortage(err):
		c.follow(c.call.DialFailed(failed))
	case t.http == nil && err == unix.ECONNRESET:
		// only what was accepted can be reset (R79)
		c.attempt.finish(probe.Result{Outcome: probe.Success})
	default:
		c.attempt.finish(t.resultOf(failed))
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

// prefixed is an error with a text before its own.
type prefixed struct {
	prefix string
	error
}

func (p prefixed) Error() string { return p.prefix + p.error.Error() }
func (p prefixed) Unwrap() error { return p.error }

// timeoutError is a time-out in net/http's words.
type timeoutError string

func (e timeoutError) Error() string   { return context.DeadlineExceeded.Error() + string(e) }
func (timeoutError) Timeout() bool     { return true }
func (timeoutError) Is(err error) bool { return err == context.DeadlineExceeded }

// expire ends an attempt that has used up its time.
func (a *attempt) expire() {
	result := a.expired()
	result.Detail.TimedOut = true
	a.finish(result)
}

func (a *attempt) expired() probe.Result {
	t, c := a.target.fast, a.fast
	switch {
	case t.grpc != nil:
		return resultOf(c.call.Expired())
	case t.http == nil:
		return t.resultOf(t.dialError(os.ErrDeadlineExceeded))
	case c.stage == inBody:
		return probe.Result{
			Outcome: probe.Failure,
			Err:     timeoutError(" (Client.Timeout or context cancellation while reading body)"),
			Detail:  probe.Detail{Status: c.status},
		}
	default:
		return t.resultOf(timeoutError(" (Client.Timeout exceeded while awaiting headers)"))
	}
}

// fallBack gives up the fast path's connection and lets a Prober make the attempt.
func (c *conn) fallBack(p probe.Prober) {
	a := c.attempt
	c.abandon()
	a.fast = nil
	a.engine.wheel.remove(&a.deadline) // the Prober has the right text for its time-out
	a.spawn(p)
}

// handOver lets net/http go on with the connection. end, if not nil, is how reading ends after
// what was received.
func (c *conn) handOver(received []byte, end error) {
	a, t, connected, answered := c.attempt, c.attempt.target.fast, c.connectedAt, c.answeredAt
	left := time.Until(a.began.Add(t.timeout))
	if left <= 0 {
		a.expire()
		return
	}
	used := &usedConn{
		sent:     c.sent,
		received: append([]byte(nil), received...),
		local:    c.localAddr(),
		remote:   net.TCPAddrFromAddrPort(t.addr),
		asked:    make(chan struct{}),
	}
	if used.end = end; end != nil && !errors.Is(end, io.EOF) {
		used.end = &net.OpError{Op: "read", Net: "tcp", Source: used.local, Addr: used.remote, Err: os.NewSyscallError("read", end)}
		used.sent = len(t.request) // what cannot be answered need not be sent
	}
	var err error
	if used.Conn, err = c.detach(); err != nil {
		a.finish(t.resultOf(err))
		return
	}
	get := *t.http
	get.Timeout = left
	c.fallBack(resumed{get: get, conn: used, began: a.began, connected: connected, answered: answered})
}
