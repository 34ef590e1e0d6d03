package h1

import "testing"

func requestOf(t testing.TB, head string) *Request {
	t.Helper()
	var r Request
	if err := r.Parse([]byte(head)); err != nil {
		t.Fatal(err)
	}
	return &r
}

// TestAnswers has the head that a client gets, and how the body ends.
func TestAnswers(t *testing.T) {
	const refused = ""
	get, upgrade := lines("GET / HTTP/1.1", "Host: a"), lines("GET / HTTP/1.1", "Host: a", "Connection: upgrade", "Upgrade: a, b")
	for name, tt := range map[string]struct {
		request, sent string
		as            Passage
		want          string
		framing       Framing
		keepAlive     bool
	}{
		"as it came":          {get, lines("HTTP/1.1 200 OK", "content-length:2"), Passage{}, lines("HTTP/1.1 200 OK", "content-length:2"), ByLength, true},
		"by chunks":           {get, lines("HTTP/1.1 200 OK", "transfer-encoding: CHUNKED"), Passage{}, lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"), ByChunks, true},
		"decoded":             {get, lines("HTTP/1.1 200 OK", "transfer-encoding: CHUNKED"), Passage{Decode: true, Close: true}, lines("HTTP/1.1 200 OK", "Connection: close"), ByChunks, true},
		"until it closes":     {get, lines("HTTP/1.1 200 OK"), Passage{Close: true}, lines("HTTP/1.1 200 OK", "Connection: close"), ByClose, false},
		"both lengths":        {get, lines("HTTP/1.1 200 OK", "Content-Length: 3", "Transfer-Encoding: chunked"), Passage{}, lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"), ByChunks, false},
		"equal lengths":       {get, lines("HTTP/1.1 200 OK", "Content-Length: 3", "Content-Length: 3"), Passage{}, lines("HTTP/1.1 200 OK", "Content-Length: 3"), ByLength, true},
		"unequal lengths":     {get, lines("HTTP/1.1 200 OK", "Content-Length: 3", "Content-Length: 4"), Passage{}, refused, 0, false},
		"a list of lengths":   {get, lines("HTTP/1.1 200 OK", "Content-Length: 3, 3"), Passage{}, refused, 0, false},
		"another coding":      {get, lines("HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked"), Passage{}, refused, 0, false},
		"to HEAD":             {lines("HEAD / HTTP/1.1", "Host: a"), lines("HTTP/1.1 200 OK", "Content-Length: 3"), Passage{}, lines("HTTP/1.1 200 OK", "Content-Length: 3"), NoBody, true},
		"no content":          {get, lines("HTTP/1.1 204 No Content", "Content-Length: 3"), Passage{}, lines("HTTP/1.1 204 No Content", "Content-Length: 3"), NoBody, true},
		"not modified":        {get, lines("HTTP/1.1 304 x", "Transfer-Encoding: chunked"), Passage{}, lines("HTTP/1.1 304 x", "Transfer-Encoding: chunked"), NoBody, true},
		"no reason":           {get, "HTTP/1.1 200\nContent-Length: 0\n\n", Passage{}, lines("HTTP/1.1 200 ", "Content-Length: 0"), NoBody, true},
		"HTTP/1.0":            {get, lines("HTTP/1.0 200 OK", "Content-Length: 1"), Passage{}, lines("HTTP/1.1 200 OK", "Content-Length: 1"), ByLength, false},
		"HTTP/1.0, kept":      {get, lines("HTTP/1.0 200 OK", "Content-Length: 1", "Connection: keep-alive"), Passage{}, lines("HTTP/1.1 200 OK", "Content-Length: 1"), ByLength, true},
		"closed":              {get, lines("HTTP/1.1 200 OK", "Content-Length: 1", "Connection: close, x", "X: 1"), Passage{}, lines("HTTP/1.1 200 OK", "Content-Length: 1"), ByLength, false},
		"folded":              {get, lines("HTTP/1.1 200 OK", "A: b", "\t c ", "Content-Length: 1"), Passage{}, lines("HTTP/1.1 200 OK", "A: b  \t c", "Content-Length: 1"), ByLength, true},
		"folded length":       {get, lines("HTTP/1.1 200 OK", "Content-Length: 1", " 2"), Passage{}, refused, 0, false},
		"folded at once":      {get, lines("HTTP/1.1 200 OK", " A: b"), Passage{}, refused, 0, false},
		"space before colon":  {get, lines("HTTP/1.1 200 OK", "Content-Length : 1"), Passage{}, lines("HTTP/1.1 200 OK", "Content-Length: 1"), ByLength, true},
		"no colon":            {get, lines("HTTP/1.1 200 OK", "A"), Passage{}, refused, 0, false},
		"bare CR":             {get, lines("HTTP/1.1 200 OK", "A: b\rC: d"), Passage{}, refused, 0, false},
		"a control character": {get, lines("HTTP/1.1 200 OK", "A: b\x13"), Passage{}, refused, 0, false},
		"NUL":                 {get, lines("HTTP/1.1 200 OK", "A: b\x00"), Passage{}, refused, 0, false},
		"a status of two":     {get, lines("HTTP/1.1 99 OK"), Passage{}, refused, 0, false},
		"HTTP/2":              {get, lines("HTTP/2.0 200 OK"), Passage{}, refused, 0, false},
		"kept, HTTP/1.0":      {lines("GET / HTTP/1.0"), lines("HTTP/1.1 200 OK", "Content-Length: 1"), Passage{KeepAlive: true}, lines("HTTP/1.1 200 OK", "Content-Length: 1", "Connection: keep-alive"), ByLength, true},
		"switches":            {upgrade, lines("HTTP/1.1 101 x", "Upgrade: B", "Connection: upgrade"), Passage{}, lines("HTTP/1.1 101 x", "Upgrade: B", "Connection: Upgrade"), NoBody, true},
		"switches elsewhere":  {upgrade, lines("HTTP/1.1 101 x", "Upgrade: c", "Connection: upgrade"), Passage{}, refused, 0, false},
		"switches to nothing": {upgrade, lines("HTTP/1.1 101 x"), Passage{}, refused, 0, false},
		"switches unasked":    {get, lines("HTTP/1.1 101 x", "Upgrade: a", "Connection: upgrade"), Passage{}, refused, 0, false},
		"wants an upgrade":    {get, lines("HTTP/1.1 426 x", "Upgrade: a", "Content-Length: 0"), Passage{Close: true}, lines("HTTP/1.1 426 x", "Content-Length: 0", "Upgrade: a", "Connection: Upgrade, close"), NoBody, true},
		"offers an upgrade":   {get, lines("HTTP/1.1 200 x", "Upgrade: h2c", "Connection: Upgrade", "Content-Length: 0"), Passage{}, lines("HTTP/1.1 200 x", "Content-Length: 0"), NoBody, true},
	} {
		var p Response
		err := p.Parse([]byte(tt.sent), requestOf(t, tt.request))
		if err != nil || tt.want == refused {
			if (err != nil) != (tt.want == refused) {
				t.Errorf("%s: error %v", name, err)
			}
			continue
		}
		got := tt.sent
		if !p.IsUnchanged(tt.as) {
			got = string(p.AppendForward(nil, tt.as))
		}
		if got != tt.want || p.Framing != tt.framing || p.KeepAlive != tt.keepAlive {
			t.Errorf("%s: got\n%q, framing %d, keep-alive %v, want\n%q, %d, %v", name, got, p.Framing, p.KeepAlive, tt.want, tt.framing, tt.keepAlive)
		}
	}
}
