package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// openTime is how long a client may take to open the streams that it has asked for.
const openTime = 30 * time.Second

var errStreams = errors.New("the client has not opened the streams that it asked for")

func openSPDY(w http.ResponseWriter, r *http.Request, wants Wants) (*Session, error) {
	upgraded, err := upgradeSPDY(w, r, protocolV4)
	if err != nil {
		return nil, err
	}
	conn, err := newSPDY(upgraded)
	if err != nil {
		return nil, withClose(err, upgraded)
	}
	s := newSession(r.Context(), upgraded)
	s.beat = conn.beat
	opened := make(chan *spdyStream)
	s.run(func() error {
		return conn.serve(func(stream *spdyStream) {
			select {
			case opened <- stream:
			case <-s.ctx.Done():
			}
		})
	})
	streams, err := awaitStreams(s.ctx, opened, wants)
	// whatever the client opens later is not wanted
	s.running.Go(func() {
		for {
			select {
			case stream := <-opened:
				stream.Reset()
			case <-s.ctx.Done():
				return
			}
		}
	})
	if err != nil {
		s.leave(err)
		s.abandon()
		return nil, fmt.Errorf("cannot begin the session: %w", err)
	}
	s.use(streams)
	return s, nil
}

// awaitStreams waits for the streams that a client wants, by what they are for.
func awaitStreams(ctx context.Context, opened <-chan *spdyStream, wants Wants) (map[string]*spdyStream, error) {
	missing := map[string]bool{corev1.StreamTypeError: true}
	for kind, wanted := range map[string]bool{
		corev1.StreamTypeStdin: wants.Stdin, corev1.StreamTypeStdout: wants.Stdout, corev1.StreamTypeStderr: wants.Stderr, corev1.StreamTypeResize: wants.Terminal,
	} {
		if wanted {
			missing[kind] = true
		}
	}
	late := time.After(openTime)
	streams := map[string]*spdyStream{}
	for len(missing) > 0 {
		select {
		case stream := <-opened:
			kind := stream.header.Get(corev1.StreamType)
			if !missing[kind] {
				stream.Reset()
				continue
			}
			delete(missing, kind)
			streams[kind] = stream
		case <-late:
			return nil, errStreams
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return streams, nil
}

// use makes the streams that a client has opened those of the session.
func (s *Session) use(streams map[string]*spdyStream) {
	output := func(kind string) io.Writer {
		if stream := streams[kind]; stream != nil {
			return stream
		}
		return nil
	}
	s.Stdout, s.Stderr = output(corev1.StreamTypeStdout), output(corev1.StreamTypeStderr)
	for kind, stream := range streams {
		if kind != corev1.StreamTypeStdin && kind != corev1.StreamTypeResize {
			stream.Close() // the client has nothing to send there
			continue
		}
		s.inputs = append(s.inputs, stream)
	}
	if stdin := streams[corev1.StreamTypeStdin]; stdin != nil {
		s.Stdin = stdin
	}
	if sizes := streams[corev1.StreamTypeResize]; sizes != nil {
		s.readSizes(sizes)
	}
	s.report = func(status []byte) error {
		_, err := streams[corev1.StreamTypeError].Write(status)
		for _, stream := range streams {
			err = errors.Join(err, stream.CloseWrite())
		}
		return err
	}
}
