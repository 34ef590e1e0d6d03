package kube

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"encoding/json"
	"k8s.io/apimachinery/pkg/watch"
)

// endless never ends.
type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

// TestDecodeBounded: what does not end is given up, and what ends in time is read whatever follows.
func TestDecodeBounded(t *testing.T) {
	var got struct{ A string }
	if err := decode(io.MultiReader(strings.NewReader(`{"a": "`), endless('x')), 1<<10, &got); !errors.Is(err, errTooLong) {
		t.Errorf("error %v", err)
	}
	if err := decode(io.MultiReader(strings.NewReader(`{"a": "b"}`), endless(' ')), 1<<10, &got); err != nil || got.A != "b" {
		t.Errorf("read %q, error %v", got.A, err)
	}
	if err := decode(endless(' '), 1<<10, nil); err != nil {
		t.Errorf("error %v of an answer that nobody reads", err)
	}
}

// TestWatchBounded: each change may be long, all together may be longer, and one that does not end
// ends the watch.
func TestWatchBounded(t *testing.T) {
	const most = 64 << 10
	change := append(append([]byte(`{"type": "ADDED", "object": "`), bytes.Repeat([]byte("x"), most*2/3)...), `"}`...)
	body := io.MultiReader(bytes.NewReader(change), bytes.NewReader(change), strings.NewReader(`{"type": "`), endless('x'))
	var seen int
	var failure error
	readChanges(t.Context(), body, most, func(_ watch.EventType, _ json.RawMessage, err error) bool {
		if failure = err; err == nil {
			seen++
		}
		return true
	})
	if seen != 2 || !errors.Is(failure, errTooLong) {
		t.Errorf("%d changes, error %v", seen, failure)
	}
}
