package process

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sampleMessages() map[string]message {
	return map[string]message{
		"start": {
			verb: verbStart, call: 1,
			command: command{path: "/bin/sh", dir: "/", argv: []string{"sh", "", "\xff\x00"}, env: []string{"A=1", "B="}},
		},
		"terminal": {verb: verbStart, call: 1, command: command{path: "/bin/sh", argv: []string{"sh"}, terminal: true}},
		"large":    {verb: verbStart, call: 1 << 40, command: command{argv: []string{strings.Repeat("x", 300_000)}}},
		"watched":  {verb: verbStart, call: 1, command: command{path: "/bin/sh", argv: []string{"sh"}, watched: true}},
		"signal":   {verb: verbSignal, call: 2, process: 1, signal: 15},
		"kill":     {verb: verbKill, call: 3, process: 1},
		"inside":   {verb: verbStart, call: 1, command: command{path: "/bin/true", namespace: Namespace{Key: "u1", Hostname: "web", Binds: []Bind{{"/a", "/b"}, {"/c", "/d"}}}}},
		"try":      {verb: verbTry, call: 4, command: command{namespace: Namespace{Key: "u1", Binds: []Bind{{"/a", "/b"}}}}},
		"disk":     {verb: verbTry, call: 4, command: command{namespace: Namespace{Key: "u1", Disks: []Disk{{"/a", 1 << 20}}}}},
		"fill":     {verb: verbInject, call: 4, process: 1, command: command{argv: []string{"/a", "/b"}}, fault: faultOrder{kind: uint64(FaultDisk)}},
		"unmade":   {verb: verbFailed, call: 4, step: stepBind, errno: 2, item: 1},
		"forget":   {verb: verbForget, call: 5, command: command{namespace: Namespace{Key: "u1"}}},
		"started":  {verb: verbStarted, call: 1, process: 1, pid: 4711, at: 1<<63 + 1},
		"failed":   {verb: verbFailed, call: 1, step: stepDir, errno: 2},
		"answered": {verb: verbAnswered, call: 3, errno: 3},
		"inject":   {verb: verbInject, call: 6, process: 1, signal: 9, fault: faultOrder{kind: 3, share: 50_000, limit: 1 << 40, lasts: 5}},
		"undo":     {verb: verbUndo, call: 7, process: 6},
		"full":     {verb: verbExited, process: 1, status: 9, at: 5, outOfMemory: 1},
		"exited":   {verb: verbExited, process: 1, status: 0xff00, at: 5, survivors: []uint64{7, 8}},
	}
}

var compareMessages = cmp.AllowUnexported(message{}, command{}, faultOrder{})

func TestMessageRoundTrip(t *testing.T) {
	for name, m := range sampleMessages() {
		t.Run(name, func(t *testing.T) {
			stream := append(m.encode(), "next"...)
			for cut := 0; cut < len(stream)-4; cut += 1 + cut/2 {
				if body, rest, err := cutFrame(stream[:cut]); body != nil || len(rest) != cut || err != nil {
					t.Fatalf("cutFrame of the first %d bytes = %d bytes, %v; want none yet", cut, len(body), err)
				}
			}
			body, rest, err := cutFrame(stream)
			if err != nil || string(rest) != "next" {
				t.Fatalf("rest after the frame = %q, %v, want %q", rest, err, "next")
			}
			got, err := decodeMessage(body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(m, got, compareMessages); diff != "" {
				t.Errorf("message (-sent +received):\n%s", diff)
			}
		})
	}
}

func TestMalformedMessages(t *testing.T) {
	good := message{verb: verbStarted}.encode()[frameHeader:]
	sized := message{verb: verbTry, command: command{namespace: Namespace{Disks: []Disk{{"/a", 7}}}}}.encode()[frameHeader:]
	tests := map[string][]byte{
		"no size":      bytes.Replace(sized, []byte("\x017"), []byte("\x01x"), 1),
		"empty":        {},
		"cut short":    good[:len(good)-1],
		"too long":     append(good[:len(good):len(good)], 0),
		"verb 0":       append([]byte{0}, good[1:]...),
		"verb 99":      append([]byte{99}, good[1:]...),
		"endless list": append(good[:len(good)-1:len(good)-1], 0xff, 0xff, 0xff, 0xff, 0x7f),
	}
	for name, body := range tests {
		if m, err := decodeMessage(body); !errors.Is(err, errBadFrame) {
			t.Errorf("%s: decodeMessage = %+v, %v, want %v", name, m, err, errBadFrame)
		}
	}
	for name, header := range map[string][]byte{"size 0": {0, 0, 0, 0}, "huge": {0xff, 0xff, 0xff, 0xff}} {
		if _, _, err := cutFrame(header); !errors.Is(err, errBadFrame) {
			t.Errorf("%s: cutFrame = %v, want %v", name, err, errBadFrame)
		}
	}
}

func FuzzMessage(f *testing.F) {
	for _, m := range sampleMessages() {
		if frame := m.encode(); len(frame) < 1000 {
			f.Add(frame)
		}
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		body, rest, err := cutFrame(stream)
		if err != nil || body == nil {
			return
		}
		if len(frameOf(body))+len(rest) != len(stream) {
			t.Fatalf("a frame of %d bytes and a rest of %d do not make %d", len(body), len(rest), len(stream))
		}
		m, err := decodeMessage(body)
		if err != nil {
			return
		}
		again, err := decodeMessage(m.encode()[frameHeader:])
		if err != nil {
			t.Fatalf("%+v cannot be decoded again: %v", m, err)
		}
		if diff := cmp.Diff(m, again, compareMessages); diff != "" {
			t.Fatalf("message (-first +again):\n%s", diff)
		}
	})
}

func frameOf(body []byte) []byte { return append(make([]byte, frameHeader), body...) }
