package logs

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
)

// TestLongLine: a line that is too long comes in pieces, and those that follow as they are.
func TestLongLine(t *testing.T) {
	const stamp = "2026-11-29T10:00:00Z "
	long := strings.Repeat("x", maxLine+maxLine/2)
	s := &source{text: bufio.NewReader(strings.NewReader(stamp + "a\n" + stamp + long + "\n" + stamp + "b\n" + stamp + "c"))}
	var lines []string
	for {
		line, err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if line.Time.IsZero() || len(line.Text) > maxLine+maxLine/8 {
			t.Errorf("a line of %d bytes at %v", len(line.Text), line.Time)
		}
		lines = append(lines, line.Text)
	}
	if len(lines) != 5 || lines[0] != "a" || lines[1]+lines[2] != long || lines[3] != "b" || lines[4] != "c" {
		t.Errorf("got %d lines", len(lines))
	}
}
