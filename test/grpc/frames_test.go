package grpc

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/test/grpc/oracle"
)

// scripted is a server that reads a call, sends the same bytes in return each time, and no more.
type scripted struct {
	port   int
	answer atomic.Pointer[[]byte]
	hold   bool // the connection stays open
	calls  atomic.Int32
}

// newScripted starts a server that ends with the test.
func newScripted(t testing.TB, answer []byte) *scripted {
	t.Helper()
	listener := listen(t)
	s := &scripted{port: listener.Addr().(*net.TCPAddr).Port}
	s.answer.Store(&answer)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				if err := s.serve(conn); err != nil {
					return // the client has gone
				}
				_, _ = io.Copy(io.Discard, conn)
			})
		}
	})
	t.Cleanup(func() { listener.Close(); running.Wait() })
	return s
}

// serve answers the first call of a connection.
func (s *scripted) serve(conn net.Conn) error {
	if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
		return err
	}
	framer := http2.NewFramer(conn, conn)
	if err := framer.WriteSettings(); err != nil {
		return err
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return err
		}
		if data, ok := frame.(*http2.DataFrame); ok && data.StreamEnded() {
			break
		}
	}
	s.calls.Add(1)
	if _, err := conn.Write(*s.answer.Load()); err != nil {
		return err
	}
	if s.hold {
		return nil
	}
	return conn.(*net.TCPConn).CloseWrite()
}

// frames writes what a server sends after its settings.
type frames struct {
	bytes.Buffer
	*http2.Framer
	block   bytes.Buffer
	encoder *hpack.Encoder
}

func newFrames() *frames {
	f := &frames{}
	f.Framer = http2.NewFramer(&f.Buffer, nil)
	f.AllowIllegalWrites = true
	f.encoder = hpack.NewEncoder(&f.block)
	return f
}

// encode returns a header block of names and values in turn.
func (f *frames) encode(fields ...string) []byte {
	f.block.Reset()
	for ; len(fields) > 0; fields = fields[2:] {
		_ = f.encoder.WriteField(hpack.HeaderField{Name: fields[0], Value: fields[1]})
	}
	return bytes.Clone(f.block.Bytes())
}

// header sends a whole header block.
func (f *frames) header(ends bool, fields ...string) *frames {
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: f.encode(fields...), EndHeaders: true, EndStream: ends})
	return f
}

// begin sends the headers of a response.
func (f *frames) begin(fields ...string) *frames {
	return f.header(false, append([]string{":status", "200", "content-type", "application/grpc"}, fields...)...)
}

// only sends a response of trailers only.
func (f *frames) only(fields ...string) *frames {
	return f.header(true, append([]string{":status", "200", "content-type", "application/grpc"}, fields...)...)
}

func (f *frames) data(payload string) *frames {
	_ = f.WriteData(1, false, []byte(payload))
	return f
}

func (f *frames) raw(kind http2.FrameType, flags http2.Flags, stream uint32, payload string) *frames {
	_ = f.WriteRawFrame(kind, flags, stream, []byte(payload))
	return f
}

const (
	ok         = "\x00\x00\x00\x00\x02\x08\x01" // a message that says SERVING
	endHeaders = http2.FlagHeadersEndHeaders
	endStream  = http2.FlagHeadersEndStream
)

// answered are answers, and what is to be part of the text.
func answered() map[string]struct {
	sent *frames
	want string
} {
	split := newFrames()
	block := split.encode(":status", "200", "content-type", "application/grpc+proto", "x", strings.Repeat("y", 30<<10))
	const size = 9 << 10
	for n := 0; n < len(block); n += size {
		kind, flags := http2.FrameContinuation, http2.Flags(0)
		if n == 0 {
			kind = http2.FrameHeaders
		}
		if n+size >= len(block) {
			flags = endHeaders
		}
		split.raw(kind, flags, 1, string(block[n:min(n+size, len(block))]))
	}
	split.data(ok).header(true, "grpc-status", "0")
	return map[string]struct {
		sent *frames
		want string
	}{
		"serving":                     {newFrames().begin().data(ok).header(true, "grpc-status", "0"), "succeeded"},
		"split headers":               {split, "succeeded"},
		"split message":               {newFrames().begin().data(ok[:3]).data(ok[3:]).header(true, "grpc-status", "0"), "succeeded"},
		"later version":               {newFrames().begin().data("\x00\x00\x00\x00\x09\x12\x01x\x1b\x1c\x08\x02\x08\x01").header(true, "grpc-status", "0"), "succeeded"},
		"several values":              {newFrames().begin().data("\x00\x00\x00\x00\x04\x08\x02\x08\x01").header(true, "grpc-status", "0"), "succeeded"},
		"status and message":          {newFrames().begin().data(ok).header(true, "grpc-status", "14", "grpc-message", "later"), "Unavailable desc = later"},
		"trailers only":               {newFrames().only("grpc-status", "5", "grpc-message", "50%25 %zz %"), "NotFound desc = 50% %zz %"},
		"no status":                   {newFrames().only(), "Unknown desc = "},
		"negative status":             {newFrames().only("grpc-status", "-1"), "Code(4294967295)"},
		"status that is no number":    {newFrames().only("grpc-status", "x"), `parsing "x": invalid syntax`},
		"OK without a message":        {newFrames().only("grpc-status", "0"), "received no response message"},
		"two messages":                {newFrames().begin().data(ok+ok).header(true, "grpc-status", "0"), "received another message"},
		"half a message":              {newFrames().begin().data(ok[:6]).header(true, "grpc-status", "0"), "unexpected EOF"},
		"half a message and a status": {newFrames().begin().data(ok[:6]).header(true, "grpc-status", "5"), "unexpected EOF"},
		"half a prefix":               {newFrames().begin().data(ok[:3]).header(true, "grpc-status", "5"), "unexpected EOF"},
		"half a message and a reset":  {newFrames().begin().data(ok[:6]).raw(http2.FrameRSTStream, 0, 1, "\x00\x00\x00\x02"), "INTERNAL_ERROR"},
		"half a message and the end":  {newFrames().begin().data(ok[:6]), "error reading from server: EOF"},
		"nonsense":                    {newFrames().begin().data("\x00\x00\x00\x00\x01\x00"), "cannot parse"},
		"open group":                  {newFrames().begin().data("\x00\x00\x00\x00\x01\x1b"), "cannot parse"},
		"huge message":                {newFrames().begin().data("\x00\x00\x40\x00\x01"), "larger than max"},
		"compressed":                  {newFrames().begin("grpc-encoding", "gzip").data("\x01\x00\x00\x00\x00"), "Decompressor is not installed"},
		"compressed, no encoding":     {newFrames().begin().data("\x01\x00\x00\x00\x00"), "compressed flag set"},
		"odd format":                  {newFrames().begin().data("\x02\x00\x00\x00\x00"), "unexpected payload format 2"},
		"no trailers":                 {newFrames().begin().raw(http2.FrameData, endStream, 1, ok), "without sending trailers"},
		"data before headers":         {newFrames().data(ok).begin().header(true, "grpc-status", "0"), "succeeded"},
		"data without headers":        {newFrames().raw(http2.FrameData, endStream, 1, ok), "without sending trailers"},
		"headers in the middle":       {newFrames().begin().begin(), "in the middle of a stream"},
		"HTTP status 500 of gRPC":     {newFrames().header(false, ":status", "500", "content-type", "application/grpc").data(ok).header(true, "grpc-status", "0"), "succeeded"},
		"a page":                      {newFrames().header(false, ":status", "404", "content-type", "text/html").raw(http2.FrameData, endStream, 1, "<p>"), "404 (Not Found)"},
		"a long page":                 {newFrames().header(false, ":status", "503").data(strings.Repeat("<p>", 1<<10)), "503 (Service Unavailable); malformed header: missing HTTP content-type"},
		"a page with trailers":        {newFrames().header(false, ":status", "200", "content-type", "text/plain").data("x").header(true, "a", "b"), `unexpected content-type "text/plain"`},
		"a page that breaks off":      {newFrames().header(false, ":status", "502").data("x"), "error reading from server: EOF"},
		"headers alone":               {newFrames().header(true, ":status", "401"), "Unauthenticated desc = unexpected HTTP status code"},
		"no HTTP status":              {newFrames().header(true, "a", "b"), "missing HTTP status"},
		"odd HTTP status":             {newFrames().header(true, ":status", "x"), "malformed http-status"},
		"informational":               {newFrames().header(false, ":status", "103").begin().data(ok).header(true, "grpc-status", "0"), "succeeded"},
		"informational end":           {newFrames().header(true, ":status", "103"), "must not have END_STREAM"},
		"bad base64":                  {newFrames().begin("x-bin", "!"), "malformed x-bin"},
		"good base64":                 {newFrames().begin("x-bin", "YQ").data(ok).header(true, "grpc-status", "0", "y-bin", "YQ=="), "succeeded"},
		"bad name":                    {newFrames().begin("A", "b"), `invalid header field name "A"`},
		"bad value":                   {newFrames().begin("a", "\x00"), `invalid header field value for "a"`},
		"late pseudo header":          {newFrames().begin(":status", "200"), "pseudo header field after regular"},
		"pseudo header of a request":  {newFrames().header(true, ":status", "200", ":path", "/"), "mix of request and response"},
		"unknown pseudo header":       {newFrames().header(true, ":x", "200"), `invalid pseudo-header ":x"`},
		"two statuses":                {newFrames().header(true, ":status", "200", ":status", "200"), `duplicate pseudo-header ":status"`},
		"bad block":                   {newFrames().raw(http2.FrameHeaders, endHeaders, 1, "\xff\xff\xff\xff\xff\xff"), "COMPRESSION_ERROR"},
		"block on another stream":     {newFrames().raw(http2.FrameHeaders, endHeaders, 3, "\x88").begin().data(ok).header(true, "grpc-status", "0"), "succeeded"},
		"padding":                     {newFrames().begin().raw(http2.FrameData, http2.FlagDataPadded, 1, "\x02"+ok+"\x00\x00").header(true, "grpc-status", "0"), "succeeded"},
		"bad padding":                 {newFrames().begin().raw(http2.FrameData, http2.FlagDataPadded, 1, "\x09"), "PROTOCOL_ERROR"},
		"no padding":                  {newFrames().begin().raw(http2.FrameData, http2.FlagDataPadded, 1, ""), "unexpected EOF"},
		"padded headers":              {newFrames().raw(http2.FrameHeaders, endHeaders|http2.FlagHeadersPadded, 1, "\x09"), "received invalid frame"},
		"priority in headers":         {newFrames().raw(http2.FrameHeaders, endHeaders|http2.FlagHeadersPriority, 1, "\x00"), "unexpected EOF"},
		"reset":                       {newFrames().raw(http2.FrameRSTStream, 0, 1, "\x00\x00\x00\x08"), "Canceled desc = stream terminated by RST_STREAM with error code: CANCEL"},
		"reset for no known reason":   {newFrames().raw(http2.FrameRSTStream, 0, 1, "\x00\x00\x00\x42"), "Unknown desc = stream terminated by RST_STREAM with error code: unknown error code 0x42"},
		"reset of another stream":     {newFrames().raw(http2.FrameRSTStream, 0, 3, "\x00\x00\x00\x02").begin().data(ok).header(true, "grpc-status", "0"), "succeeded"},
		"window of nothing":           {newFrames().raw(http2.FrameWindowUpdate, 0, 1, "\x00\x00\x00\x00"), "received invalid frame"},
		"ping":                        {newFrames().raw(http2.FramePing, 0, 0, "abcdefgh").begin().data(ok).header(true, "grpc-status", "0"), "succeeded"},
		"bad ping":                    {newFrames().raw(http2.FramePing, 0, 0, "abc"), "FRAME_SIZE_ERROR"},
		"bad settings":                {newFrames().raw(http2.FrameSettings, 0, 0, "abc"), "FRAME_SIZE_ERROR"},
		"continuation of nothing":     {newFrames().raw(http2.FrameContinuation, 0, 1, ""), "PROTOCOL_ERROR"},
		"unknown frame":               {newFrames().raw(0x42, 0xff, 9, "x").begin().data(ok).header(true, "grpc-status", "0"), "succeeded"},
		"large frame":                 {newFrames().raw(http2.FrameData, 0, 1, strings.Repeat("x", 16385)), "frame too large"},
		"half a frame header":         {newFrames().tail("\x00\x00"), "unexpected EOF"},
		"half a frame":                {newFrames().tail("\x00\x00\x09\x00\x00\x00\x00\x00\x01abc"), "unexpected EOF"},
		"nothing":                     {newFrames(), "error reading from server: EOF"},
		"goes away after the call":    {newFrames().raw(http2.FrameGoAway, 0, 0, "\x00\x00\x00\x01\x00\x00\x00\x00").begin().data(ok).header(true, "grpc-status", "0"), "succeeded"},
		"goes away soon":              {newFrames().raw(http2.FrameGoAway, 0, 0, "\x7f\xff\xff\xff\x00\x00\x00\x00").begin().data(ok).header(true, "grpc-status", "0"), "succeeded"},
		"goes away and breaks off":    {newFrames().raw(http2.FrameGoAway, 0, 0, "\x00\x00\x00\x01\x00\x00\x00\x0bmuch"), `received prior goaway: code: ENHANCE_YOUR_CALM, debug data: "much"`},
	}
}

// tail adds bytes that are no whole frame.
func (f *frames) tail(text string) *frames {
	f.WriteString(text)
	return f
}

// TestFrames compares answers, frame by frame.
func TestFrames(t *testing.T) {
	e := newEngine(t)
	for name, test := range answered() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScripted(t, test.sent.Bytes())
			ask(t, e, oracle.GRPC{Host: host, Port: s.port, Timeout: ample}).agree(t, test.want)
			if n := s.calls.Load(); n != 3 {
				t.Errorf("the server saw %d calls of three attempts, want 3", n)
			}
		})
	}
}

// TestRepeatedCall: a call that the server has not looked at is repeated once.
func TestRepeatedCall(t *testing.T) {
	e := newEngine(t)
	for name, sent := range map[string]*frames{
		"refused stream": newFrames().raw(http2.FrameRSTStream, 0, 1, "\x00\x00\x00\x07"),
		"goes away":      newFrames().raw(http2.FrameGoAway, 0, 0, "\x00\x00\x00\x00\x00\x00\x00\x00"),
	} {
		t.Run(name, func(t *testing.T) {
			s := newScripted(t, sent.Bytes())
			p := probe.GRPC{Host: host, Port: s.port, Timeout: ample}
			for way, prober := range map[string]probe.Prober{"probe": p, "engine": e.Prepare(p), "grpc-go": oracle.GRPC{Host: host, Port: s.port, Timeout: ample}} {
				before := s.calls.Load()
				r := prober.Probe(t.Context())
				if r.Outcome != probe.Failure || !strings.Contains(r.Output, "code = Unavailable") {
					t.Errorf("%s: result = %v, want that the service is not available", way, r)
				}
				// over another connection; grpc-go repeats a refused stream over the same one
				if n := s.calls.Load() - before; n != 2 && way != "grpc-go" {
					t.Errorf("%s: the server saw %d calls, want 2", way, n)
				}
			}
		})
	}
}

// fuzzTime is the time-out while fuzzing: a call that is repeated may hang.
const fuzzTime = 2 * time.Second

// FuzzFrames sends any bytes after the settings.
func FuzzFrames(f *testing.F) {
	for _, test := range answered() {
		f.Add(test.sent.Bytes())
	}
	e := newEngine(f)
	s := newScripted(f, nil)
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Contains(data, []byte("-bin")) {
			t.Skip("grpc-go takes the message from grpc-status-details-bin")
		}
		s.answer.Store(&data)
		s.calls.Store(0)
		begin := time.Now()
		call := oracle.GRPC{Host: host, Port: s.port, Timeout: fuzzTime}
		want := withoutReason(comparable(call.Probe(t.Context())))
		if s.calls.Load() != 1 || time.Since(begin) >= fuzzTime {
			t.Skip("the call was repeated")
		}
		p := probe.GRPC{Host: host, Port: s.port, Timeout: fuzzTime}
		got := comparable(p.Probe(t.Context()))
		gotFast := comparable(e.Prepare(p).Probe(t.Context()))
		if diff := cmp.Diff(want, withoutReason(got)); diff != "" {
			t.Errorf("results for %q differ (-grpc-go +probe):\n%s", data, diff)
		}
		if diff := cmp.Diff(got, gotFast); diff != "" {
			t.Errorf("results for %q differ (-probe +engine):\n%s", data, diff)
		}
	})
}

// withoutReason removes from a result why the connection was given up: with several reasons, it is
// a matter of how much is read at once.
func withoutReason(r result) result {
	const given = "error reading from server: "
	if before, _, ok := strings.Cut(r.Output, given); ok {
		r.Output = before + given
	}
	return r
}
