package node

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestDialTarget: a containerPort is the Pod's private port, or the declared one if the program
// ignores PORT; any other is dialled only if the Pod itself listens there.
func TestDialTarget(t *testing.T) {
	tests := map[string]struct {
		server behaviour
		also   int // where the Pod listens besides
		other  int // where somebody else does
		port   int32
		want   string // "host:port", or a part of the error
	}{
		"private":             {server: behaviour{listens: "PORT"}, port: 8080, want: "127.0.0.1:41001"},
		"ignores PORT":        {server: behaviour{listens: "8080"}, port: 8080, want: "127.0.0.1:8080"},
		"not there yet":       {port: 8080, want: "127.0.0.1:41001"},
		"stranger there":      {other: 41001, port: 8080, want: "port 41001 does not belong to this Pod: process 7 (stranger) listens there"},
		"another of the Pod":  {server: behaviour{listens: "PORT"}, also: 9999, port: 9999, want: "127.0.0.1:9999"},
		"another of nobody":   {server: behaviour{listens: "PORT"}, port: 9999, want: "port 9999 is no containerPort of the Pod"},
		"another of somebody": {server: behaviour{listens: "PORT"}, other: 9999, port: 9999, want: "port 9999 is no containerPort of the Pod"},
		"not running":         {server: behaviour{startErr: errors.New("no")}, port: 8080, want: "does not run"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			playNode(t, func(t *testing.T, n *testNode) {
				n.starter.program("server", tt.server)
				n.create(examplePodOf())
				if tt.also != 0 {
					n.sockets.listen(tt.also, n.containerPID())
				}
				if tt.other != 0 {
					n.sockets.listen(tt.other, 7)
				}
				r := n.node.runner(n.firstUID())
				to, err := ask(r, func() (target, error) { return r.dialTarget(tt.port) })
				got := fmt.Sprintf("%s:%d", to.host, to.port)
				if err != nil {
					got = err.Error()
				}
				if !strings.Contains(got, tt.want) {
					t.Errorf("dialTarget(%d) = %q, want %q", tt.port, got, tt.want)
				}
			})
		})
	}
	playNode(t, func(t *testing.T, n *testNode) {
		if _, err := n.node.DialPort(t.Context(), "other", 8080); err == nil {
			t.Error("a port of a Pod that there is not was dialled")
		}
	})
}
