package engine

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2/hpack"
)

// TestReadHTTPByPieces: every prefix of an answer asks for more, and the whole decides; the fast
// path must take these.
func TestReadHTTPByPieces(t *testing.T) {
	for name, answer := range map[string]string{
		"length":  "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 4\r\n\r\nbody",
		"chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			for n := range len(answer) {
				if reply := readHTTP([]byte(answer[:n]), false); reply.stage > inBody {
					t.Errorf("stage of %q = %v, want more to be asked for", answer[:n], reply.stage)
				}
			}
			reply := readHTTP([]byte(answer), false)
			if reply.stage != decided || reply.status != 200 || string(reply.body) != "body" {
				t.Errorf("reply = %+v, want 200 with body", reply)
			}
		})
	}
}

// grpcAnswer returns what a server sends that is serving.
func grpcAnswer() []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	_ = encoder.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
	_ = encoder.WriteField(hpack.HeaderField{Name: "content-type", Value: "application/grpc"})
	answer := appendFrame(nil, frameSettings, 0, 0, []byte{0, 5, 0, 0, 0x40, 0})
	answer = appendFrame(answer, frameSettings, flagAck, 0, nil)
	answer = appendFrame(answer, 0x8, 0, 0, []byte{0, 0, 0, 5})
	answer = appendFrame(answer, framePing, 0, 0, make([]byte, 8))
	answer = appendFrame(answer, frameHeaders, flagEndHeaders, 1, bytes.Clone(block.Bytes()))
	answer = appendFrame(answer, frameData, 0, 1, []byte{0, 0, 0, 0, 2, 8, 1})
	block.Reset()
	_ = encoder.WriteField(hpack.HeaderField{Name: "grpc-status", Value: "0"})
	_ = encoder.WriteField(hpack.HeaderField{Name: "grpc-message", Value: ""})
	return appendFrame(answer, frameHeaders, flagEndHeaders|flagEndStream, 1, block.Bytes())
}

// TestReadGRPCByPieces: every prefix asks for more, what is owed only grows, and the whole decides.
func TestReadGRPCByPieces(t *testing.T) {
	answer := grpcAnswer()
	var owed []byte
	for n := range len(answer) {
		reply := readGRPC(answer[:n])
		if reply.stage != inHead {
			t.Fatalf("stage after %d of %d bytes = %v, want more to be asked for", n, len(answer), reply.stage)
		}
		if !bytes.HasPrefix(reply.owed, owed) {
			t.Fatalf("owed after %d bytes = %x, want it to go on from %x", n, reply.owed, owed)
		}
		owed = reply.owed
	}
	want := appendFrame(appendFrame(nil, frameSettings, flagAck, 0, nil), framePing, flagAck, 0, make([]byte, 8))
	if diff := cmp.Diff(want, owed); diff != "" {
		t.Errorf("owed (-want +got):\n%s", diff)
	}
	if reply := readGRPC(answer); reply.stage != decided || !reply.connected || reply.code != 0 || reply.serving != 1 {
		t.Errorf("reply = %+v, want it to be serving", reply)
	}
}

// FuzzReadGRPC: a longer prefix never takes back what a shorter one decided, and nothing panics.
func FuzzReadGRPC(f *testing.F) {
	answer := grpcAnswer()
	f.Add(answer, uint16(30))
	f.Add(appendFrame(answer[:15:15], frameGoAway, 0, 0, make([]byte, 8)), uint16(20))
	f.Add(appendFrame(answer[:15:15], frameReset, 0, 1, make([]byte, 4)), uint16(20))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), uint16(9))
	f.Add([]byte("\x15\x03\x01\x00\x02\x02\x46"), uint16(1))
	f.Fuzz(func(t *testing.T, data []byte, cut uint16) {
		whole := readGRPC(data)
		part := readGRPC(data[:min(int(cut), len(data))])
		if part.stage >= decided && (part.stage != whole.stage || part.code != whole.code || part.serving != whole.serving) {
			t.Errorf("%+v of a part became %+v", part, whole)
		}
		if !bytes.HasPrefix(whole.owed, part.owed) || (part.connected && !whole.connected) {
			t.Errorf("%+v of a part was not kept in %+v", part, whole)
		}
	})
}

// FuzzReadHTTP: whatever arrives, pieces and the whole lead to the same.
func FuzzReadHTTP(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"), uint16(20))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n0\r\n\r\n"), uint16(50))
	f.Add([]byte("HTTP/1.1 302 x\r\nLocation: /\r\n\r\n"), uint16(16))
	f.Fuzz(func(t *testing.T, data []byte, cut uint16) {
		whole := readHTTP(data, true)
		part := readHTTP(data[:min(int(cut), len(data))], false)
		if part.stage == decided && (whole.stage != decided || part.status != whole.status || !bytes.Equal(part.body, whole.body)) {
			t.Errorf("%+v of a part became %+v", part, whole)
		}
		if len(whole.body) > bodyLimit {
			t.Errorf("body has %d bytes, want at most %d", len(whole.body), bodyLimit)
		}
	})
}
