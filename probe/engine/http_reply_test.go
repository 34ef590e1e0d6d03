package engine

import (
	"bytes"
	"testing"
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
