package proxy

import (
	"io"
	"net/http"
	"testing"
)

// TestRefusedPost has no replica for a POST, so nobody reads its body. If the connection is closed
// for that reason, the answer has to say so: else the client loses the next request it sends.
func TestRefusedPost(t *testing.T) {
	fx := start(t, Options{})
	address := fx.service("web")
	const post = "POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\n\r\nhello"
	conn, reader := raw(t, address, post)
	for n := range 3 {
		res, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatalf("request %d: %v", n, err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("request %d: %s, %v", n, res.Status, err)
		}
		if res.Close {
			conn, reader = raw(t, address, post)
			continue
		}
		if _, err := io.WriteString(conn, post); err != nil {
			t.Fatalf("request %d: %v", n+1, err)
		}
	}
}
