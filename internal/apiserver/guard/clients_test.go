package guard

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

const proof = "GET /api HTTP/1.1\r\nHost: localhost:6443\r\nAuthorization: Bearer right\r\n\r\n"

// show sends a request with the token, and returns a channel that is closed after a good answer.
func show(conn net.Conn) <-chan struct{} {
	answered := make(chan struct{})
	go func() {
		if _, err := io.WriteString(conn, proof); err != nil {
			return
		}
		if answer, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil && answer.StatusCode == 200 {
			close(answered)
		}
	}()
	return answered
}

func isDone(answered <-chan struct{}) bool {
	synctest.Wait()
	select {
	case <-answered:
		return true
	default:
		return false
	}
}

func nothing(http.ResponseWriter, *http.Request) {}

// TestRoom: with all connections taken, who has shown no token makes room, the oldest first.
func TestRoom(t *testing.T) {
	inBubble(t, Limits{Connections: 3}, nothing, func(t *testing.T, p *pipes) {
		proven := p.dial()
		if !isDone(show(proven)) {
			t.Fatal("the first client got no answer")
		}
		older, younger := p.dial(), p.dial()
		time.Sleep(time.Second)
		if !isDone(show(p.dial())) {
			t.Error("a client with the token got no room")
		}
		if got := lasts(older); got != 0 {
			t.Errorf("the older one lasted %v more", got)
		}
		if got := lasts(younger); got != 9*time.Second {
			t.Errorf("the younger one lasted %v more, want what is left of 10 s", got)
		}
		if !isDone(show(proven)) {
			t.Error("the first client was shut out")
		}
	})
}

// TestNoRoom: with all connections taken by clients who have the token, others wait for their turn.
func TestNoRoom(t *testing.T) {
	inBubble(t, Limits{Connections: 2}, nothing, func(t *testing.T, p *pipes) {
		first, second := p.dial(), p.dial()
		if !isDone(show(first)) || !isDone(show(second)) {
			t.Fatal("the clients got no answer")
		}
		third := show(p.dial())
		time.Sleep(time.Minute)
		if isDone(third) {
			t.Error("there was one too many")
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		if !isDone(third) {
			t.Error("the third client did not get the room that is left")
		}
		if !isDone(show(second)) {
			t.Error("the second client was shut out")
		}
	})
}

// TestCloseWhileFull: a listener can be closed while a client waits.
func TestCloseWhileFull(t *testing.T) {
	inBubble(t, Limits{Connections: 1}, nothing, func(t *testing.T, p *pipes) {
		if !isDone(show(p.dial())) {
			t.Fatal("the client got no answer")
		}
		waiting := p.dial()
		synctest.Wait()
		go func() {
			if got := lasts(waiting); got != 0 {
				t.Errorf("who waits was told after %v", got)
			}
		}()
	})
}
