package logs

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/kube"
)

// Line is one line that a container has printed.
type Line struct {
	Time      time.Time
	Pod       *corev1.Pod
	Container string
	Text      string // without its end; any bytes
}

// key names a container, whatever its instance.
type key struct {
	pod       types.UID
	container string
}

// source is the log of one instance of a container, read line by line.
type source struct {
	pod       *corev1.Pod
	container string
	body      io.ReadCloser
	text      *bufio.Reader
	last      time.Time // of the last line
}

// open begins to read a log. Its lines come with their times.
func open(ctx context.Context, client *kube.Client, pod *corev1.Pod, container string, o kube.LogOptions) (*source, error) {
	o.Container, o.Timestamps = container, true
	body, err := client.Log(ctx, kube.RefTo(pod), o)
	if err != nil {
		return nil, err
	}
	return &source{pod: pod, container: container, body: body, text: bufio.NewReader(body)}, nil
}

func (s *source) close() { _ = s.body.Close() } // it was only read

// maxLine is how long a line may be, in bytes. The rest of a longer one is a line of its own, so
// that a program which ends none does not take all memory.
const maxLine = 1 << 20

// read reads a line, or a piece of one that is too long.
func (s *source) read() (string, error) {
	var line []byte
	for {
		piece, err := s.text.ReadSlice('\n')
		line = append(line, piece...)
		if !errors.Is(err, bufio.ErrBufferFull) || len(line) >= maxLine {
			if errors.Is(err, bufio.ErrBufferFull) {
				err = nil
			}
			return string(line), err
		}
	}
}

// next reads a line. The error is io.EOF at the end.
func (s *source) next() (Line, error) {
	text, err := s.read()
	if text == "" {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF // the run has ended
		}
		return Line{}, err
	}
	text = strings.TrimSuffix(text, "\n")
	stamp, rest, _ := strings.Cut(text, " ")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil { // no time: it belongs to the line before
		at, rest = s.last, text
	}
	s.last = at
	return Line{at, s.pod, s.container, rest}, nil
}
