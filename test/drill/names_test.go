//go:build drill

package drill

import (
	"errors"
	"net"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// serveNames is a name server that knows one name, which stands for 127.0.0.1, until the test ends.
// It listens at the port that only name servers have.
func serveNames(t *testing.T, name string) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.98:53")
	if err != nil {
		t.Skip("NOT TESTED: an outage of name servers, as none can be started here: ", err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for buffer := make([]byte, 1500); ; {
			n, from, err := conn.ReadFrom(buffer)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if answer, ok := answerName(buffer[:n], name); err == nil && ok {
				_, _ = conn.WriteTo(answer, from) // who gets none asks again
			}
		}
	})
	t.Cleanup(func() {
		_ = conn.Close()
		serving.Wait()
	})
	return conn.LocalAddr().String()
}

// answerName is the answer to a question.
func answerName(question []byte, name string) (answer []byte, ok bool) {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil || len(m.Questions) != 1 {
		return nil, false
	}
	q := m.Questions[0]
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	switch {
	case q.Name.String() != name:
		m.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeA:
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
		}}
	}
	answer, err := m.Pack()
	return answer, err == nil
}
