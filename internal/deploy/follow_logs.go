package deploy

import (
	"context"
	"io"
	"maps"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/rollout"
)

const (
	// logLines and maxLog are how much of a log helps to explain, in lines and bytes.
	logLines = 10
	maxLog   = 32 << 10
	// logAgain is when a log is asked for again that the node cannot give yet.
	logAgain = 2 * time.Second
	// lastLogs is how long the end of a rollout that has failed waits for logs.
	lastLogs = 2 * time.Second
)

// instanceLogs are the ends of logs that were asked for. A follower's lock guards them.
type instanceLogs struct {
	asked   map[rollout.Instance]rollout.LogRequest
	known   map[rollout.Instance][]string
	reading int           // how many are being read
	quiet   chan struct{} // closed when none is any more; nil if nobody waits for that
}

func newInstanceLogs() instanceLogs {
	return instanceLogs{asked: map[rollout.Instance]rollout.LogRequest{}, known: map[rollout.Instance][]string{}}
}

// known are the logs that are there.
func (f *follower) known() map[rollout.Instance][]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.logs.known)
}

// askLogs asks for logs that would help, each once.
func (f *follower) askLogs(ctx context.Context, requests []rollout.LogRequest) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range requests {
		if _, asked := f.logs.asked[r.Instance]; !asked {
			f.logs.asked[r.Instance] = r
			f.logs.reading++
			f.running.Go(func() { f.fetchLog(ctx, r) })
		}
	}
}

// awaitLogs waits, for a short time, until all logs that were asked for are there. Those that are
// shown and were read of an instance while it ran are read anew. It reports whether any were read.
func (f *follower) awaitLogs(ctx context.Context, shown []rollout.LogRequest) bool {
	f.mu.Lock()
	for _, r := range shown {
		if f.logs.asked[r.Instance].Running {
			f.logs.asked[r.Instance] = r
			f.logs.reading++
			f.running.Go(func() { f.fetchLog(ctx, r) })
		}
	}
	if f.logs.reading == 0 {
		f.mu.Unlock()
		return false
	}
	quiet := make(chan struct{})
	f.logs.quiet = quiet
	f.mu.Unlock()
	timer := time.NewTimer(lastLogs)
	defer timer.Stop()
	select {
	case <-quiet:
	case <-timer.C:
	case <-ctx.Done():
	}
	return true
}

// fetchLog reads the end of a log; what cannot be read is an empty one, which is an answer, too,
// unless more is known already.
func (f *follower) fetchLog(ctx context.Context, r rollout.LogRequest) {
	defer f.wake()
	defer f.read()
	lines, again := f.readLog(ctx, r)
	for again {
		select {
		case <-ctx.Done():
			return
		case <-time.After(logAgain):
		}
		lines, again = f.readLog(ctx, r)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.logs.known[r.Instance]; !known || len(lines) > 0 {
		f.logs.known[r.Instance] = lines
	}
}

// read notes that the reading of a log has ended.
func (f *follower) read() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.logs.reading--
	if f.logs.reading == 0 && f.logs.quiet != nil {
		close(f.logs.quiet)
		f.logs.quiet = nil
	}
}

func (f *follower) readLog(ctx context.Context, r rollout.LogRequest) (lines []string, again bool) {
	at := kube.Ref{Kind: kube.Pods, Namespace: r.Namespace, Name: r.Name}
	body, err := f.client().Log(ctx, at, kube.LogOptions{Container: r.Container, Previous: r.Previous, Tail: new(int64(logLines))})
	if err != nil {
		return nil, false
	}
	defer body.Close() // it was only read
	data, err := io.ReadAll(io.LimitReader(body, maxLog))
	text := strings.TrimRight(string(data), "\n")
	if err != nil || text == "" {
		return nil, false
	}
	return strings.Split(text, "\n"), !rollout.IsLog(text)
}
