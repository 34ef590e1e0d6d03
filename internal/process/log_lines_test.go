package process

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// piece is an emitted entry in a form that is easy to compare.
type piece struct {
	Text    string
	Partial bool
}

func cutAll(chunks ...[]byte) []piece {
	var l lineSplitter
	var pieces []piece
	emit := func(text []byte, partial bool) { pieces = append(pieces, piece{string(text), partial}) }
	for _, chunk := range chunks {
		l.feed(chunk, emit)
	}
	l.end(emit)
	return pieces
}

func TestLines(t *testing.T) {
	full := strings.Repeat("x", MaxLine)
	tests := []struct {
		name   string
		chunks []string
		want   []piece
	}{
		{"nothing", nil, nil},
		{"lines", []string{"a\nb\n"}, []piece{{"a", false}, {"b", false}}},
		{"empty lines", []string{"\n\n"}, []piece{{"", false}, {"", false}}},
		{"line in three reads", []string{"a", "b", "c\n"}, []piece{{"abc", false}}},
		{"newline alone in a read", []string{"a", "\n", "b\n"}, []piece{{"a", false}, {"b", false}}},
		{"no newline at the end", []string{"a\nb"}, []piece{{"a", false}, {"b", true}}},
		{"binary", []string{"\x00\xff\r\n"}, []piece{{"\x00\xff\r", false}}},
		{"longest line", []string{full + "\n"}, []piece{{full, false}}},
		{"longest line, newline later", []string{full, "\n"}, []piece{{full, false}}},
		{"one byte too long", []string{full + "y\n"}, []piece{{full, true}, {"y", false}}},
		{"one byte too long, later", []string{full, "y", "\n"}, []piece{{full, true}, {"y", false}}},
		{"three lengths", []string{full + full + full + "\n"}, []piece{{full, true}, {full, true}, {full, false}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var chunks [][]byte
			for _, chunk := range tt.chunks {
				chunks = append(chunks, []byte(chunk))
			}
			if diff := cmp.Diff(tt.want, cutAll(chunks...)); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzLines says that it does not matter how a stream arrives, and that no byte is lost.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nb\n\nc"), uint(2), uint(1))
	f.Add([]byte("\n"), uint(0), uint(20_000))
	f.Fuzz(func(t *testing.T, data []byte, at, repeat uint) {
		data = bytes.Repeat(data, 1+int(repeat%20_000)%max(1, 100_000/max(1, len(data))))
		cut := int(at % uint(len(data)+1))
		whole, halves := cutAll(data), cutAll(data[:cut], data[cut:])
		if diff := cmp.Diff(whole, halves); diff != "" {
			t.Fatalf("entries (-in one read +in two):\n%s", diff)
		}
		var again []byte
		for _, p := range whole {
			if len(p.Text) > MaxLine {
				t.Fatalf("entry of %d bytes", len(p.Text))
			}
			again = append(again, p.Text...)
			if !p.Partial {
				again = append(again, '\n')
			}
		}
		if !bytes.Equal(data, again) {
			t.Fatalf("%d bytes became %d, or other ones", len(data), len(again))
		}
	})
}

func TestParseLogEntry(t *testing.T) {
	at := time.Date(2026, 11, 20, 1, 2, 3, 4, time.UTC)
	tests := []struct {
		name string
		want LogEntry
	}{
		{"line", LogEntry{at, Stdout, false, []byte("hello world")}},
		{"piece", LogEntry{at, Stderr, true, []byte("hello ")}},
		{"empty", LogEntry{at, Stdout, false, []byte{}}},
		{"binary", LogEntry{at, Stdout, false, []byte("\x00\xff\r")}},
	}
	for _, tt := range tests {
		line := appendLogEntry(nil, stampOf(tt.want.Time), tt.want.Stream, tt.want.Partial, tt.want.Text)
		got, err := ParseLogEntry(bytes.TrimSuffix(line, []byte("\n")))
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: error %v, entry (-want +got):\n%s", tt.name, err, diff)
		}
	}
	for _, bad := range []string{"", "x", "2026-11-20T01:02:03Z stdout F", "2026-11-20T01:02:03Z stdin F x", "2026-11-20T01:02:03Z stdout X x", "today stdout F x"} {
		if got, err := ParseLogEntry([]byte(bad)); err == nil {
			t.Errorf("ParseLogEntry(%q) = %v, want an error", bad, got)
		}
	}
}

func FuzzParseLogEntry(f *testing.F) {
	f.Add([]byte("2026-11-20T01:02:03.000000004Z stdout F hello world"))
	f.Add([]byte("2026-11-20T01:02:03+01:00 stderr P "))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := ParseLogEntry(line)
		if err != nil {
			return
		}
		again, err := ParseLogEntry(bytes.TrimSuffix(appendLogEntry(nil, stampOf(e.Time), e.Stream, e.Partial, e.Text), []byte("\n")))
		if err != nil || !again.Time.Equal(e.Time) || again.Stream != e.Stream || again.Partial != e.Partial || !bytes.Equal(again.Text, e.Text) {
			t.Fatalf("%+v became %+v, %v", e, again, err)
		}
	})
}
