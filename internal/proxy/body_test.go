package proxy

import (
	"io"
	"strings"
	"testing"
)

// TestReplayBody reads a body, of which something reaches an endpoint after the first piece, and
// begins again. Only what may be sent again is kept.
func TestReplayBody(t *testing.T) {
	const piece = 1 << 10
	for name, tt := range map[string]struct {
		size             int
		idempotent, sent bool
		stopped          bool
		replay           bool
		recorded         int
	}{
		"nothing was sent":              {size: 60 * piece, replay: true, recorded: 60 * piece},
		"sent, idempotent":              {size: 60 * piece, idempotent: true, sent: true, replay: true, recorded: 60 * piece},
		"sent, not idempotent":          {size: 60 * piece, sent: true},
		"idempotent, no attempt left":   {size: 60 * piece, idempotent: true, stopped: true},
		"larger than what is recorded":  {size: 65 * piece},
		"idempotent and larger than it": {size: 65 * piece, idempotent: true, sent: true},
	} {
		t.Run(name, func(t *testing.T) {
			all := strings.Repeat("0123456789abcdef", tt.size/16)
			body := &replayBody{source: strings.NewReader(all), idempotent: tt.idempotent}
			attempt := &upstreamAttempt{}
			reader := body.newReader(attempt)
			buffer := make([]byte, piece)
			if _, err := io.ReadFull(reader, buffer); err != nil {
				t.Fatal(err)
			}
			attempt.sent.Store(tt.sent)
			if tt.stopped {
				body.stopRecording()
			}
			rest, err := io.ReadAll(reader)
			if got := string(buffer) + string(rest); err != nil || got != all {
				t.Errorf("the first attempt reads %d bytes, %v, want %d", len(got), err, len(all))
			}
			if len(body.recorded) != tt.recorded {
				t.Errorf("%d bytes are recorded, want %d", len(body.recorded), tt.recorded)
			}
			if again := body.rewind(); again != tt.replay {
				t.Fatalf("rewind = %v, want %v", again, tt.replay)
			}
			if !tt.replay {
				return
			}
			if got, err := io.ReadAll(body.newReader(&upstreamAttempt{})); err != nil || string(got) != all {
				t.Errorf("the second attempt reads %d bytes, %v, want %d", len(got), err, len(all))
			}
		})
	}
}
