package proxy

import (
	"io"
	"net/http"
	"testing"
)

// TestRefusedPost refuses a POST whose body nobody read. The client has to be told if its
// connection ends by that, or it loses what it sends next.
func TestRefusedPost(t *testing.T) {
	c := start(t, Options{})
	address := c.service("web")
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
