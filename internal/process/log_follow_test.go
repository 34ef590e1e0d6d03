package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"testing"
)

// Followers get every entry, also one that reads late; the log waits for none of them.
func TestFollowers(t *testing.T) {
	l := openLog(t, LogOptions{Dir: t.TempDir(), MaxSize: 4 << 10, MaxFiles: 100})
	const lines = 2000
	late, quick := follow(t, l), follow(t, l)
	var reading sync.WaitGroup
	reading.Go(func() { checkFollower(t, quick, lines) })
	capture(t, l, fmt.Sprintf(`i=0; while [ $i -lt %d ]; do echo $i; i=$((i+1)); done`, lines))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	reading.Wait()
	checkFollower(t, late, lines)
	checkFollower(t, follow(t, l), 0) // after the end there is nothing
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	open := openLog(t, LogOptions{Dir: t.TempDir()})
	if _, err := follow(t, open).Await(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want the context's", err)
	}
}

func follow(t *testing.T, l *Log) *Follower {
	t.Helper()
	f, err := l.Follow()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func checkFollower(t *testing.T, f *Follower, lines int) {
	for n := 0; ; n++ {
		e, err := f.Await(context.Background())
		if errors.Is(err, io.EOF) {
			if n != lines || f.Lost() {
				t.Errorf("a follower got %d lines, want %d", n, lines)
			}
			return
		}
		if err != nil || string(e.Text) != strconv.Itoa(n) || e.Stream != Stdout || e.Partial {
			t.Errorf("line %d = %+v, %v", n, e, err)
			return
		}
	}
}
