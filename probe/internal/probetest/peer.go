// Package probetest has what probes are tested against: servers on loopback that do what a script
// says, ports that nobody answers, health services.
package probetest

import (
	"bufio"
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Peer is a scripted TCP server on loopback. Its methods are safe for concurrent use.
type Peer struct {
	// Port is where it listens.
	Port int

	mu       sync.Mutex // guards the fields below
	accepted int
	heads    []string
	remotes  []string
}

// Script is what a [Peer] does with one connection, which is closed afterwards.
type Script func(p *Peer, conn net.Conn)

// Serve starts a server that runs the script on each connection. All ends with the test.
func Serve(t testing.TB, script Script) *Peer {
	t.Helper()
	return ServeOn(t, "127.0.0.1:0", script)
}

// ServeOn is [Serve] at an address.
func ServeOn(t testing.TB, addr string, script Script) *Peer {
	t.Helper()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	p := &Peer{Port: listener.Addr().(*net.TCPAddr).Port}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.accepted++
			p.remotes = append(p.remotes, conn.RemoteAddr().String())
			p.mu.Unlock()
			running.Go(func() {
				defer conn.Close()
				defer context.AfterFunc(ctx, func() { conn.Close() })()
				script(p, conn)
			})
		}
	})
	t.Cleanup(func() { listener.Close(); cancel(); running.Wait() })
	return p
}

// ReadHead reads a request up to the empty line, records it and returns it.
func (p *Peer) ReadHead(conn net.Conn) string {
	var head strings.Builder
	for lines := bufio.NewReader(conn); ; {
		line, err := lines.ReadString('\n')
		head.WriteString(line)
		if err != nil || line == "\r\n" {
			break
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heads = append(p.heads, head.String())
	return head.String()
}

// Counts returns how many connections were accepted and how many requests were read.
func (p *Peer) Counts() (accepted, requests int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted, len(p.heads)
}

// Heads are the requests that ReadHead read, in order.
func (p *Peer) Heads() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.heads)
}

// LastHead is the newest of them, or nothing.
func (p *Peer) LastHead() string {
	heads := p.Heads()
	if len(heads) == 0 {
		return ""
	}
	return heads[len(heads)-1]
}

// Remotes are the addresses of the clients so far.
func (p *Peer) Remotes() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.remotes)
}

// Answer returns a script that reads one request and sends the bytes.
func Answer(response string) Script {
	return func(p *Peer, conn net.Conn) {
		p.ReadHead(conn)
		// the client may be gone, which is what some tests are about
		_, _ = io.WriteString(conn, response)
	}
}

// AnswerAndHold returns a script that sends the bytes and keeps the connection open until the
// client closes it.
func AnswerAndHold(response string) Script {
	return func(p *Peer, conn net.Conn) {
		Answer(response)(p, conn)
		Hold(conn)
	}
}

// Hold returns when the client has closed the connection, or the test is over.
func Hold(conn net.Conn) {
	_, _ = io.Copy(io.Discard, conn) // however it ends
}

// Reset closes the connection with a RST.
func Reset(conn net.Conn) {
	_ = conn.(*net.TCPConn).SetLinger(0) // fails only if it is closed already
	conn.Close()
}
