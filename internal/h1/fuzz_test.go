package h1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// framingOf is how net/http finds the end of a body.
func framingOf(codings []string, length int64) Framing {
	switch {
	case len(codings) > 0:
		return ByChunks
	case length > 0:
		return ByLength
	case length < 0:
		return ByClose
	}
	return NoBody
}

// isURLError reports whether net/http refuses a request only because of how it escapes its path,
// which a hop does not read.
func isURLError(err error) bool {
	_, ok := errors.AsType[*url.Error](err)
	return ok
}

// FuzzRequest compares with net/http, as a replica is: what goes on is read by it as one head, with
// the same method, target, Host and framing. Where it accepts what the client sent, too, that means
// the same.
func FuzzRequest(f *testing.F) {
	for _, head := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "GET http://b/?x HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n",
		"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, x\r\nUpgrade: y\r\nX: 1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: b\r\nTE: trailers\r\nExpect: 100-continue\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n X: 1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n",
	} {
		f.Add([]byte(head))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		end := HeadEnd(sent, 0)
		if end == 0 {
			return
		}
		var r Request
		if r.Parse(bytes.Clone(sent[:end])) != nil {
			return
		}
		out := r.AppendForward(nil, Origin{Client: "c", Service: "s"})
		if HeadEnd(out, 0) != len(out) || bytes.ContainsAny(bytes.ReplaceAll(out, []byte("\r\n"), nil), "\r\n\x00") {
			t.Fatalf("%q goes on as %q", sent, out)
		}
		got, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(out)))
		if err != nil {
			if !isURLError(err) {
				t.Fatalf("%q goes on as %q, and is refused: %v", sent, out, err)
			}
			return
		}
		if got.Method != string(r.Method()) || framingOf(got.TransferEncoding, got.ContentLength) != r.Framing || max(got.ContentLength, 0) != r.Length {
			t.Fatalf("%q goes on as %q: %s %v %d", sent, out, got.Method, got.TransferEncoding, got.ContentLength)
		}
		original, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(sent[:end])))
		if err != nil {
			return
		}
		if original.Method != got.Method || framingOf(original.TransferEncoding, original.ContentLength) != r.Framing || max(original.ContentLength, 0) != r.Length ||
			original.Host != "" && original.Host != got.Host || original.URL.RequestURI() != got.URL.RequestURI() {
			t.Fatalf("%q is %s %s %s %v %d, and goes on as %q", sent, original.Method, original.URL, original.Host, original.TransferEncoding, original.ContentLength, out)
		}
	})
}

// FuzzResponse does the same with answers.
func FuzzResponse(f *testing.F) {
	for _, head := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.0 200\nA: b\n c\n\n", "HTTP/1.1 204 x\r\nContent-Length: 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 304 x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nConnection: x, close\r\nX: 1\r\nUpgrade: h2c\r\n\r\n", "HTTP/1.1 101 x\r\nUpgrade: y\r\n\r\n",
	} {
		f.Add([]byte(head), true, false)
	}
	f.Fuzz(func(t *testing.T, sent []byte, isGet, closes bool) {
		end := HeadEnd(sent, 0)
		if end == 0 {
			return
		}
		method := map[bool]string{true: http.MethodGet, false: http.MethodHead}[isGet]
		r := requestOf(t, method+" / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: y\r\n\r\n")
		var p Response
		if p.Parse(bytes.Clone(sent[:end]), r) != nil {
			return
		}
		out := sent[:end]
		if as := (Passage{Close: closes || p.Framing == ByClose}); !p.IsUnchanged(as) {
			out = p.AppendForward(nil, as)
		}
		if HeadEnd(out, 0) != len(out) || bytes.ContainsAny(bytes.ReplaceAll(out, []byte("\r\n"), nil), "\r\n\x00") {
			t.Fatalf("%q goes on as %q", sent, out)
		}
		got, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(out)), &http.Request{Method: method})
		if err != nil {
			t.Fatalf("%q goes on as %q, and is refused: %v", sent, out, err)
		}
		if isGet && p.Status >= 200 && p.Status != 204 && p.Status != 304 && (framingOf(got.TransferEncoding, got.ContentLength) != p.Framing || p.Framing == ByLength && got.ContentLength != p.Length) {
			t.Fatalf("%q goes on as %q: %v %d, want %d %d", sent, out, got.TransferEncoding, got.ContentLength, p.Framing, p.Length)
		}
		if got.StatusCode != p.Status {
			t.Fatalf("%q goes on as %q: %d", sent, out, got.StatusCode)
		}
	})
}

// FuzzChunks compares with net/http: what goes on means the same, ends where the body that was sent
// ends, and does not depend on how the bytes were cut into pieces.
func FuzzChunks(f *testing.F) {
	for _, body := range []string{
		"0\r\n\r\nrest", "5\r\nhello\r\n0\r\n\r\n", "5;a=\"b\"\r\nhello\r\n0 ;x\r\nA: b\r\nB: c\r\n\r\nGET", "0\r\nContent-Length: 5\r\n\r\n", "0\r\nHost : a\r\n\r\n",
		"00000000000005\r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n", "5\r\nhelloXX0\r\n\r\n", "fffffffffffffff\r\n", "-1\r\n", "5 x\r\n", "5;\x00\r\n", "0\r\nA\r\n\r\n",
	} {
		f.Add([]byte(body), 3)
	}
	f.Fuzz(func(t *testing.T, sent []byte, cut int) {
		filter := func(decode bool, size int) (out []byte, used int, done bool, err error) {
			c := Chunks{Decode: decode}
			for rest := bytes.Clone(sent); len(rest) > 0 && err == nil && !done; {
				var piece []byte
				var n int
				piece, n, done, err = c.Filter(rest[:min(size, len(rest))])
				out, used, rest = append(out, piece...), used+n, rest[n:]
			}
			return out, used, done, err
		}
		size := 1 + max(cut, 0)%7
		out, used, done, err := filter(false, len(sent)+1)
		inPieces, usedInPieces, doneInPieces, errInPieces := filter(false, size)
		if !bytes.Equal(out, inPieces) || used != usedInPieces || done != doneInPieces || err != errInPieces {
			t.Fatalf("%q: %q %d %v %v, in pieces of %d %q %d %v %v", sent, out, used, done, err, size, inPieces, usedInPieces, doneInPieces, errInPieces)
		}
		if !done {
			return
		}
		data, _, _, _ := filter(true, size)
		got, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(out)))
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%q goes on as %q, which is %q, %v, want %q", sent, out, got, err, data)
		}
		// net/http takes more than we do, but what both take is the same
		original, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(sent)))
		if err == nil && !bytes.Equal(original, data) {
			t.Fatalf("%q is %q, and goes on as %q", sent, original, data)
		}
		request := "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + string(out) + "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
		both := bufio.NewReader(strings.NewReader(request))
		first, err := http.ReadRequest(both)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, first.Body); err != nil {
			t.Fatalf("%q goes on as %q: %v", sent, out, err)
		}
		if next, err := http.ReadRequest(both); err != nil || next.URL.Path != "/next" {
			t.Fatalf("%q goes on as %q, and the next request is lost: %v", sent, out, err)
		}
	})
}

// TestTrailers: none that frames or routes the message passes.
func TestTrailers(t *testing.T) {
	for name, passes := range map[string]bool{
		"X-Sum": true, "a": true, strings.Repeat("x", 100): true, "Content-Length": false, "transfer-encoding": false, "HOST": false, "Connection": false, "TE": false,
		"Trailer": false, "Upgrade": false, "X-Forwarded-For": false, "Proxy-Authorization": false, "Expect": false,
	} {
		var c Chunks
		if _, _, done, err := c.Filter([]byte("0\r\n" + name + ": 1\r\n\r\n")); done != passes || (err == nil) != passes {
			t.Errorf("%s: %v, %v, want %v", name, done, err, passes)
		}
	}
}

// TestExtras: extensions and trailers are bounded.
func TestExtras(t *testing.T) {
	for _, body := range []string{"1;" + strings.Repeat("x", maxExtra), "0\r\nA: " + strings.Repeat("x", maxExtra), "1" + strings.Repeat(" ", maxExtra+1)} {
		var c Chunks
		if _, _, _, err := c.Filter([]byte(body)); err == nil {
			t.Errorf("%d bytes of %q… pass", len(body), body[:4])
		}
	}
	var c Chunks
	if out, _, done, err := c.Filter(slices.Concat([]byte("1 ;x\r\na\r\n0\t\r\n\r\n"))); string(out) != "1\r\na\r\n0\r\n\r\n" || !done || err != nil {
		t.Errorf("%q %v %v", out, done, err)
	}
}
