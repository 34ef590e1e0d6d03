package proxy

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/h1"
)

// judgeExchange says what is wrong with an exchange.
func judgeExchange(t *testing.T, sent requestsSent, attempts []*attempt, refused error, got []*plainAnswerRead) {
	if refused != nil {
		t.Fatalf("the replica cannot read what it got: %v", refused)
	}
	n := 0 // attempts that belong to the answers before
	for i, answer := range got {
		last := i == len(got)-1
		if i >= len(sent.all) { // a refusal of what net/http refuses, too
			if !last || !isOwn(answer) {
				t.Fatalf("%d answers to %d requests; the last one is %d %q", len(got), len(sent.all), answer.StatusCode, answer.body)
			}
			break
		}
		request := sent.all[i]
		// a request that got nothing over a connection that was kept is sent once more
		for n+1 < len(attempts) && len(attempts[n].answer) == 0 && sameRequest(request, attempts[n+1].request) == nil &&
			(!isOwn(answer) || len(attempts[n+1].answer) == 0 || i+1 >= len(sent.all) || sameRequest(sent.all[i+1], attempts[n+1].request) != nil) {
			n++
		}
		lost := isOwn(answer) && answer.StatusCode == http.StatusBadGateway // with a connection that the replica closed at that moment
		if n == len(attempts) && lost && i > 0 {
			continue
		}
		if n == len(attempts) {
			if !last || !isOwn(answer) {
				t.Fatalf("nobody has answered request %d, and the client got %d %q", i, answer.StatusCode, answer.body)
			}
			break
		}
		a := attempts[n]
		if lost && i > 0 && sameRequest(request, a.request) != nil {
			continue
		}
		n++
		if err := sameRequest(request, a.request); err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		if err := judgeAnswer(a, answer); err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		if last && !answer.Close && answer.StatusCode != http.StatusSwitchingProtocols && answer.whole && i+1 < len(sent.all) && answer.ProtoMinor == 1 && !request.Close {
			t.Fatalf("no answer to request %d of %d, and the connection was not to be closed after %d %v", i+1, len(sent.all), answer.StatusCode, answer.Header)
		}
	}
	if left := len(attempts) - n; len(got)+left > len(sent.all)+1 && left > 1 {
		t.Fatalf("the replica got %d requests, the client has sent %d and got %d answers", len(attempts), len(sent.all), len(got))
	}
	for i := range attempts[n:] {
		if !slices.ContainsFunc(sent.all, func(r plainRequest) bool { return sameRequest(r, attempts[n+i].request) == nil }) {
			t.Fatalf("the replica got %s %s, which nobody has sent", attempts[n+i].request.Method, attempts[n+i].request.RequestURI)
		}
	}
}

// sameRequest says what is different in a request that came through the relay.
func sameRequest(sent, came plainRequest) error {
	target := cmp.Or(sent.URL.RequestURI(), "/")
	if came.RequestURI == "*" && sent.Method == http.MethodOptions {
		target = "*" // RFC 9112, 3.2.4
	}
	switch {
	case sent.Method != came.Method, target != came.URL.RequestURI(), sent.Host != "" && sent.Host != came.Host:
		return fmt.Errorf("%s %s of %q came as %s %s of %q", sent.Method, sent.RequestURI, sent.Host, came.Method, came.RequestURI, came.Host)
	case sent.ContentLength != came.ContentLength, !slices.Equal(sent.TransferEncoding, came.TransferEncoding):
		return fmt.Errorf("length %d %v came as %d %v", sent.ContentLength, sent.TransferEncoding, came.ContentLength, came.TransferEncoding)
	case came.whole && !sent.whole:
		return fmt.Errorf("a body that broke off after %q came whole, as %q", sent.body, came.body)
	case came.whole && !bytes.Equal(sent.body, came.body), !bytes.HasPrefix(sent.body, came.body):
		return fmt.Errorf("body %q came as %q", sent.body, came.body)
	case came.whole && !maps.EqualFunc(sent.Trailer, came.Trailer, slices.Equal):
		return fmt.Errorf("trailers %v came as %v", sent.Trailer, came.Trailer)
	}
	return nil
}

// judgeAnswer says what is wrong with an answer to an attempt.
func judgeAnswer(a *attempt, got *plainAnswerRead) error {
	want, _ := a.expected()
	// what comes in pieces may break within any of them
	mayBreak := a.how&scriptReset != 0 || !a.request.whole
	switch {
	case isOwn(got) && (mayBreak || want == nil || !a.isClean()):
		return nil
	case want == nil:
		return fmt.Errorf("%q came as %d %q", a.answer, got.StatusCode, got.body)
	case got.StatusCode != want.StatusCode, got.Request.ProtoAtLeast(1, 1) && !slices.Equal(got.interim, want.interim):
		return fmt.Errorf("%q came as %v %d", a.answer, got.interim, got.StatusCode)
	case got.whole && !want.whole:
		return fmt.Errorf("%q breaks off, and came whole, as %q", a.answer, got.body)
	case !got.whole && want.whole && !mayBreak && a.isClean():
		return fmt.Errorf("%q came broken, as %q", a.answer, got.body)
	case got.whole && !bytes.Equal(want.body, got.body), !bytes.HasPrefix(want.body, got.body):
		return fmt.Errorf("%q came as %q", a.answer, got.body)
	}
	if name, ok := differentField(want.Header, got.Header); ok {
		return fmt.Errorf("%q: the field %s came as %q", a.answer, name, got.Header[name])
	}
	return nil
}

// isClean reports whether an answer is one that the relay has to pass on.
func (a *attempt) isClean() bool {
	var r h1.Request
	var p h1.Response
	for rest, head := a.answer, 0; ; rest = rest[head:] {
		if head = h1.HeadEnd(rest, 0); head == 0 {
			return false
		}
		method := []byte(a.request.Method + " / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: " + a.request.Header.Get("Upgrade") + "\r\n\r\n")
		if r.Parse(method) != nil || p.Parse(rest[:head], &r) != nil {
			return false
		}
		if p.Status < 200 && p.Status != 101 {
			continue
		}
		var b h1.Body
		b.Begin(p.Framing, p.Length, false)
		_, _, err := b.Filter(bytes.Clone(rest[head:]))
		return err == nil && (b.Ended() || p.Framing == h1.ByClose)
	}
}

// isOwn reports whether an answer looks like one of the proxy's own.
func isOwn(a *plainAnswerRead) bool {
	return a.Header.Get("X-Content-Type-Options") == "nosniff" && a.StatusCode >= 400 && a.Header.Get("Date") != ""
}

// differentField finds a field that did not pass as it came.
func differentField(sent, came http.Header) (name string, found bool) {
	ends := map[string]bool{"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Proxy-Authenticate": true, "Proxy-Authorization": true, "Te": true, "Upgrade": true,
		"Transfer-Encoding": true, "Http2-Settings": true}
	for _, value := range sent["Connection"] {
		for option := range strings.SplitSeq(value, ",") {
			if option = http.CanonicalHeaderKey(strings.Trim(option, " \t")); came[option] == nil {
				ends[option] = true
			}
		}
	}
	squeeze := func(values []string) string { return strings.Join(strings.Fields(strings.Join(values, "\n")), " ") }
	for name := range sent {
		if !ends[name] && squeeze(sent[name]) != squeeze(came[name]) {
			return name, true
		}
	}
	for name := range came {
		if !ends[name] && sent[name] == nil {
			return name, true
		}
	}
	return "", false
}
