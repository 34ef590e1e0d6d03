package healthcall

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2/hpack"

	"github.com/probity-run/probity/probe/internal/verdict"
)

// server writes what a server sends.
type server struct {
	block   bytes.Buffer
	encoder *hpack.Encoder
	sent    []byte
}

// settings begins a connection.
func settings() *server {
	s := &server{}
	s.encoder = hpack.NewEncoder(&s.block)
	return s.frame(frameSettings, 0, 0, "\x00\x05\x00\x00\x40\x00")
}

func (s *server) frame(kind, flags byte, stream uint32, payload string) *server {
	s.sent = appendFrame(s.sent, kind, flags, stream, []byte(payload))
	return s
}

// encode returns a header block of names and values in turn.
func (s *server) encode(fields ...string) string {
	s.block.Reset()
	for ; len(fields) > 0; fields = fields[2:] {
		_ = s.encoder.WriteField(hpack.HeaderField{Name: fields[0], Value: fields[1]})
	}
	return s.block.String()
}

// headers sends headers of a gRPC response with these fields added.
func (s *server) headers(flags byte, fields ...string) *server {
	fields = append([]string{":status", "200", "content-type", "application/grpc"}, fields...)
	return s.frame(frameHeaders, flagEndHeaders|flags, stream, s.encode(fields...))
}

// data sends a part of the body.
func (s *server) data(payload string) *server { return s.frame(frameData, 0, stream, payload) }

// trailers ends the stream with a status.
func (s *server) trailers(fields ...string) *server {
	return s.frame(frameHeaders, flagEndHeaders|flagEndStream, stream, s.encode(fields...))
}

const servingMessage = "\x00\x00\x00\x00\x02\x08\x01"

// usual returns what a server sends that is serving.
func usual() []byte {
	return settings().
		frame(frameSettings, flagAck, 0, "").
		frame(frameWindow, 0, 0, "\x00\x00\x00\x05").
		frame(framePing, 0, 0, "abcdefgh").
		headers(0).
		data(servingMessage).
		trailers("grpc-status", "0", "grpc-message", "").sent
}

func newCall() Call {
	call := NewTarget("127.0.0.1:80", "", "agent", time.Second).Start(0.5)
	call.Dialled()
	return call
}

// TestPieces: every prefix of an answer asks for more, and the whole decides, whatever the size of
// the pieces.
func TestPieces(t *testing.T) {
	answer := usual()
	for size := range len(answer) {
		call, sent := newCall(), []byte(nil)
		for rest := answer; ; {
			n := min(size+1, len(rest))
			step := call.Received(rest[:n], false)
			sent = append(sent, step.Send...)
			if rest = rest[n:]; len(rest) > 0 {
				if step.Next != Read {
					t.Fatalf("with pieces of %d bytes: %+v with %d bytes to come, want more to be asked for", size+1, step, len(rest))
				}
				continue
			}
			if step.Next != Done || step.Verdict.Outcome != verdict.Success {
				t.Fatalf("with pieces of %d bytes: %+v, want success", size+1, step)
			}
			break
		}
		want := appendFrame(appendFrame(nil, frameSettings, flagAck, 0, nil), framePing, flagAck, 0, []byte("abcdefgh"))
		if diff := cmp.Diff(want, sent); size == 0 && diff != "" {
			t.Errorf("sent in return (-want +got):\n%s", diff)
		}
	}
}

// TestAnswers goes through answers that are not the usual ones. The texts are grpc-go's; the module
// test/grpc compares them.
func TestAnswers(t *testing.T) {
	const failed = "error: health rpc probe failed: rpc error: code = "
	tests := map[string]struct {
		sent *server
		want string
	}{
		"trailers only":         {settings().headers(flagEndStream, "grpc-status", "5", "grpc-message", "50%25 %zz %"), failed + "NotFound desc = 50% %zz %"},
		"unimplemented":         {settings().headers(flagEndStream, "grpc-status", "12", "grpc-message", "what?"), "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): what?"},
		"deadline":              {settings().headers(flagEndStream, "grpc-status", "4"), "timeout: health rpc did not complete within 1s"},
		"no status":             {settings().headers(flagEndStream), failed + "Unknown desc = "},
		"odd code":              {settings().headers(flagEndStream, "grpc-status", "-1"), failed + "Code(4294967295) desc = "},
		"no number":             {settings().headers(flagEndStream, "grpc-status", "x"), failed + `Unknown desc = transport: malformed grpc-status: strconv.ParseInt: parsing "x": invalid syntax`},
		"OK without a message":  {settings().headers(flagEndStream, "grpc-status", "0"), failed + "Internal desc = cardinality violation: received no response message from non-server-streaming RPC"},
		"two messages":          {settings().headers(0).data(servingMessage + servingMessage), failed + "Internal desc = cardinality violation: expected <EOF> for non server-streaming RPCs, but received another message"},
		"half a message":        {settings().headers(0).data(servingMessage[:6]).trailers("grpc-status", "0"), failed + "Internal desc = unexpected EOF"},
		"nonsense":              {settings().headers(0).data("\x00\x00\x00\x00\x01\x00"), failed + "Internal desc = grpc: failed to unmarshal the received message: proto: cannot parse invalid wire-format data"},
		"huge message":          {settings().headers(0).data("\x00\x00\x40\x00\x01"), failed + "ResourceExhausted desc = grpc: received message larger than max (4194305 vs. 4194304)"},
		"compressed":            {settings().headers(0, "grpc-encoding", "gzip").data("\x01\x00\x00\x00\x00"), failed + `Internal desc = grpc: Decompressor is not installed for grpc-encoding "gzip"`},
		"compressed, unnamed":   {settings().headers(0).data("\x01\x00\x00\x00\x00"), failed + "Internal desc = grpc: compressed flag set with identity or empty encoding"},
		"odd format":            {settings().headers(0).data("\x02\x00\x00\x00\x00"), failed + "Internal desc = grpc: received unexpected payload format 2"},
		"no trailers":           {settings().headers(0).frame(frameData, flagEndStream, stream, servingMessage), failed + "Internal desc = server closed the stream without sending trailers"},
		"headers in the middle": {settings().headers(0).headers(0), failed + "Internal desc = a HEADERS frame cannot appear in the middle of a stream"},
		"a page":                {settings().frame(frameHeaders, flagEndHeaders, stream, settings().encode(":status", "404", "content-type", "text/html")).frame(frameData, flagEndStream, stream, "<p>"), "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unexpected HTTP status code received from server: 404 (Not Found); transport: received unexpected content-type \"text/html\"\ndata: \"<p>\""},
		"reset":                 {settings().frame(frameReset, 0, stream, "\x00\x00\x00\x02"), failed + "Internal desc = stream terminated by RST_STREAM with error code: INTERNAL_ERROR"},
		"bad name":              {settings().headers(0, "A", "b"), failed + `Internal desc = invalid header field name "A"`},
		"bad block":             {settings().frame(frameHeaders, flagEndHeaders, stream, "\xff\xff\xff\xff\xff\xff"), failed + "Unavailable desc = error reading from server: connection error: COMPRESSION_ERROR"},
		"large frame":           {settings().frame(frameData, 0, stream, strings.Repeat("x", maxFrame+1)), failed + "Unavailable desc = error reading from server: http2: frame too large"},
		"bad padding":           {settings().headers(0).frame(frameData, flagPadded, stream, "\x09"), failed + "Unavailable desc = error reading from server: connection error: PROTOCOL_ERROR"},
		"padding":               {settings().headers(0).frame(frameData, flagPadded, stream, "\x02"+servingMessage+"\x00\x00").trailers("grpc-status", "0"), ""},
		"continuation": {
			func() *server {
				s := settings()
				block := s.encode(":status", "200", "content-type", "application/grpc+proto", "x", "y")
				s.frame(frameHeaders, 0, stream, block[:3]).frame(frameContinuation, flagEndHeaders, stream, block[3:])
				return s.data(servingMessage).trailers("grpc-status", "0")
			}(), "",
		},
		"other streams, later versions": {
			settings().frame(frameReset, 0, 3, "\x00\x00\x00\x02").frame(0x42, 0xff, 9, "x").headers(0).
				data("\x00\x00\x00\x00\x07\x12\x01x\x08\x02\x08\x01").trailers("grpc-status", "0"), "",
		},
		"goes away after the call": {settings().frame(frameGoAway, 0, 0, "\x00\x00\x00\x01\x00\x00\x00\x00").headers(0).data(servingMessage).trailers("grpc-status", "0"), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			call := newCall()
			step := call.Received(test.sent.sent, false)
			want := verdict.Verdict{Outcome: verdict.Success}
			if test.want != "" {
				want = verdict.Failed(test.want)
			}
			if diff := cmp.Diff(Step{Next: Done, Verdict: want}, step, cmp.Transformer("send", func(s Step) any { return []any{s.Next, s.Pause, s.Verdict} })); diff != "" {
				t.Errorf("step (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLargeAnswer: the server gets credit for more than it may send at first.
func TestLargeAnswer(t *testing.T) {
	call := newCall()
	call.Received(settings().headers(0).sent, false)
	const size = 1 << 20
	message := "\x00\x00\x10\x00\x06" + "\x12\x80\x80\x40" + strings.Repeat("x", size) + "\x08\x01"
	credit := initialWindow
	for len(message) > 0 {
		n := min(maxFrame, credit, len(message))
		if n == 0 {
			t.Fatalf("the server has no credit with %d bytes to come", len(message))
		}
		step := call.Received((&server{}).data(message[:n]).sent, false)
		message, credit = message[n:], credit-n
		for rest := step.Send; len(rest) > 0; rest = rest[frameHeaderSize+4:] {
			if f, _ := cutHeader(rest); f.kind == frameWindow && f.stream == stream {
				credit += int(frame{payload: rest[frameHeaderSize:]}.number(0))
			}
		}
	}
	trailers := settings().trailers("grpc-status", "0").sent
	if step := call.Received(trailers, false); step.Verdict.Outcome != verdict.Success {
		t.Errorf("step = %+v, want success", step)
	}
}

// TestConnections goes through what happens to connections (R93).
func TestConnections(t *testing.T) {
	refused := errors.New("connection refused")
	call := NewTarget("127.0.0.1:80", "", "agent", time.Hour).Start(0)
	var pauses []time.Duration
	for range 14 {
		pauses = append(pauses, call.DialFailed(refused).Pause)
	}
	if pauses[0] != time.Second || pauses[1] != 1280*time.Millisecond || pauses[13] != 96*time.Second {
		t.Errorf("pauses = %v, want 1s, then 1.6 times as long each time and at most 120 s, all less a fifth but the first", pauses)
	}
	if got, want := call.ConnectTimeout(), 96*time.Second; got != want {
		t.Errorf("connect time-out = %v, want %v", got, want)
	}
	if got, want := call.Expired().Output, `timeout: failed to connect service "127.0.0.1:80" within 1h0m0s: context deadline exceeded`; got != want {
		t.Errorf("expired: %q, want %q", got, want)
	}
	call.Dialled()
	if step := call.Ended(io.EOF); step.Next != Redial || step.Pause == 0 {
		t.Errorf("step = %+v after an end before the settings, want another connection after a while", step)
	}
	call.Dialled()
	call.Received(settings().sent, false)
	if got, want := call.Expired().Output, "timeout: health rpc did not complete within 1h0m0s"; got != want {
		t.Errorf("expired: %q, want %q", got, want)
	}
	step := call.Ended(&struct{ error }{syscall.ECONNRESET})
	if want := "code = Unavailable desc = error reading from server: connection reset by peer"; !strings.HasSuffix(step.Verdict.Output, want) {
		t.Errorf("output = %q, want %q", step.Verdict.Output, want)
	}
}

// TestRepeats: a call that the server has not looked at is repeated once, over a new connection.
func TestRepeats(t *testing.T) {
	for name, refusal := range map[string][]byte{
		"refused stream": settings().frame(frameReset, 0, stream, "\x00\x00\x00\x07").sent,
		"goes away":      settings().frame(frameGoAway, 0, 0, "\x00\x00\x00\x00\x00\x00\x00\x00").sent,
	} {
		t.Run(name, func(t *testing.T) {
			again := newCall()
			if step := again.Received(refusal, false); step.Next != Redial || step.Pause != 0 {
				t.Fatalf("step = %+v, want another connection at once", step)
			}
			served, refused := again, again
			served.Dialled()
			if step := served.Received(usual(), false); step.Verdict.Outcome != verdict.Success {
				t.Errorf("step = %+v, want success", step)
			}
			refused.Dialled()
			if step := refused.Received(refusal, false); !strings.Contains(step.Verdict.Output, "code = Unavailable") {
				t.Errorf("step = %+v when it is refused again, want a failure", step)
			}
			step := again.DialFailed(errors.New("dial tcp 127.0.0.1:80: connect: connection refused"))
			want := `code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:80: connect: connection refused"`
			if !strings.HasSuffix(step.Verdict.Output, want) {
				t.Errorf("output = %q, want %q", step.Verdict.Output, want)
			}
		})
	}
}

// TestOverdue: a server that keeps the time too breaks off what is overdue.
func TestOverdue(t *testing.T) {
	for late, want := range map[bool]string{
		false: "code = Canceled desc = stream terminated by RST_STREAM with error code: CANCEL",
		true:  "timeout: health rpc did not complete within 1s",
	} {
		call := newCall()
		step := call.Received(settings().frame(frameReset, 0, stream, "\x00\x00\x00\x08").sent, late)
		if !strings.HasSuffix(step.Verdict.Output, want) {
			t.Errorf("late = %v: output = %q, want %q", late, step.Verdict.Output, want)
		}
	}
}

// TestRequestThatCannotBeSent fails as soon as there is a connection.
func TestRequestThatCannotBeSent(t *testing.T) {
	for service, want := range map[string]string{
		"\xff":                     "code = Internal desc = grpc: error while marshaling: string field contains invalid UTF-8",
		strings.Repeat("x", 70000): "code = ResourceExhausted desc = grpc: the name of the service has 70000 bytes, which is too long",
	} {
		call := NewTarget("127.0.0.1:80", service, "agent", time.Second).Start(0)
		if sent, want := len(call.Dialled()), len(preface)+frameHeaderSize; sent != want {
			t.Errorf("%d bytes are sent, want %d, the preface and settings", sent, want)
		}
		if step := call.Received(settings().sent, false); !strings.HasSuffix(step.Verdict.Output, want) {
			t.Errorf("output = %q, want %q", step.Verdict.Output, want)
		}
	}
}

func TestTimeoutValue(t *testing.T) {
	for timeout, want := range map[time.Duration]string{
		time.Nanosecond: "1u", time.Second: "1000000u", 99 * time.Second: "99000000u",
		time.Hour: "3600000m", 100000 * time.Second: "100000S", 200000 * time.Hour: "200000H",
	} {
		if got := timeoutValue(timeout); got != want {
			t.Errorf("timeoutValue(%v) = %q, want %q", timeout, got, want)
		}
	}
}

// FuzzPieces: whatever arrives, pieces and the whole lead to the same.
func FuzzPieces(f *testing.F) {
	f.Add(usual(), uint16(30))
	f.Add(settings().frame(frameGoAway, 0, 0, "\x00\x00\x00\x00\x00\x00\x00\x00").sent, uint16(20))
	f.Add(settings().frame(frameReset, 0, stream, "\x00\x00\x00\x02").sent, uint16(20))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), uint16(9))
	f.Add([]byte("\x15\x03\x01\x00\x02\x02\x46"), uint16(1))
	f.Fuzz(func(t *testing.T, data []byte, cut uint16) {
		whole, pieces := newCall(), newCall()
		want := whole.Received(data, false)
		n := min(int(cut), len(data))
		got := pieces.Received(data[:n], false)
		if got.Next == Read {
			first := got.Send
			got = pieces.Received(data[n:], false)
			if got.Next == Read {
				got.Send = append(bytes.Clone(first), got.Send...)
			}
		}
		if want.Next != Read {
			want.Send, got.Send = nil, nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("step (-whole +pieces):\n%s", diff)
		}
	})
}
