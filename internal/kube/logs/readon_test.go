package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/probity-run/probity/internal/kube"
)

// brokenLogs answers the logs of the Pod web one after the other: an error is one of the
// connection, after a text the log ends. The Pod runs until it is deleted after a time.
type brokenLogs struct {
	answers []any
	lives   time.Duration // 0 is for ever

	mu    sync.Mutex // guards asked
	asked []string   // since when, and at what time
	begun time.Time
}

// RoundTrip implements [http.RoundTripper].
func (b *brokenLogs) RoundTrip(r *http.Request) (*http.Response, error) {
	response := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r}
	if r.URL.Query().Get("watch") == "true" {
		reader, writer := io.Pipe()
		context.AfterFunc(r.Context(), func() { writer.CloseWithError(r.Context().Err()) })
		go func() {
			fmt.Fprintln(writer, `{"type":"ADDED","object":`+object(0)+`}`)
			if b.lives > 0 {
				time.Sleep(b.lives) // in virtual time
				fmt.Fprintln(writer, `{"type":"DELETED","object":`+object(0)+`}`)
			}
		}()
		response.Body = reader
		return response, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = append(b.asked, fmt.Sprintf("%s@%.1f", strings.TrimPrefix(r.URL.Query().Get("sinceTime"), "2026-11-29T12:00:"), time.Since(b.begun).Seconds()))
	answer := b.answers[0]
	if len(b.answers) > 1 {
		b.answers = b.answers[1:]
	}
	if err, bad := answer.(error); bad {
		return nil, err
	}
	response.Body = io.NopCloser(strings.NewReader(answer.(string)))
	return response, nil
}

// TestFollowReadsOn: with a cluster, a log that breaks off while its container runs is read on from
// its last line, ever more rarely, until the Pod is deleted, when one more try may be under way;
// with a run it has ended.
func TestFollowReadsOn(t *testing.T) {
	const one, two = "2026-11-29T12:00:01Z one\n", "2026-11-29T12:00:02Z two\n"
	away := errors.New("connection refused")
	for name, test := range map[string]struct {
		lasts       bool
		answers     []any
		want, asked string
	}{
		"a cluster":      {true, []any{one, away, away, one + two, two}, "one|two", "@0.0 01Z@0.2 01Z@0.6 01Z@1.4 02Z@1.6 02Z@2.0 02Z@2.8 02Z@4.4 02Z@7.6"},
		"no line so far": {true, []any{away, one, one}, "one", "@0.0 @0.2 01Z@0.4 01Z@0.8 01Z@1.6 01Z@3.2 01Z@6.4"},
		"a run":          {false, []any{one, two}, "one", "@0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				server := &brokenLogs{answers: test.answers, lives: 5 * time.Second, begun: time.Now()}
				var got []string
				r := New(kube.New(&http.Client{Transport: server}, "http://cluster"), Options{Follow: true}, func(line Line) error {
					got = append(got, line.Text)
					return nil
				})
				selection := Selection{Namespace: "default"}
				if test.lasts {
					selection.Trouble = func(error) {}
				}
				if err := r.Follow(ctx, selection); err != nil {
					t.Error(err)
				}
				if all := strings.Join(got, "|"); all != test.want {
					t.Errorf("got %q, want %q", all, test.want)
				}
				if all := strings.Join(server.asked, " "); all != test.asked {
					t.Errorf("asked %q, want %q", all, test.asked)
				}
			})
		})
	}
}
