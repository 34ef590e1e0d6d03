package system

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/probity-run/probity/internal/process"
)

// quietTime is how long nobody asks the API for anything until what its requests needed is given
// back. Whoever asks more often would only have to read the pages again.
const quietTime = 20 * time.Second

// releaseMemory has memory given back whenever requests of the API have been followed by silence: a
// kubectl apply needs 9 MB, most of it garbage and code, that a run would keep until its end. A
// watch that goes on is silent, and so is a Prometheus from its second scrape on. What it returns
// is next, and run until the context is done gives the memory back.
func releaseMemory(next http.Handler) (handler http.Handler, run func(context.Context)) {
	used := make(chan struct{}, 1)
	note := func() {
		select {
		case used <- struct{}{}:
		default:
		}
	}
	return noteUse(next, note), func(ctx context.Context) { releaseAfter(ctx, used, func() { _ = process.ReleaseMemory() }) }
}

// noteUse calls note at the beginning and at the end of each request after which memory is to be
// given back. The first scrape is one, for its handshake; the others need little of what it needed,
// and would keep the 2 MB for ever.
func noteUse(next http.Handler, note func()) http.Handler {
	var scraped atomic.Bool
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		isScrape := r.URL.Path == "/metrics" || r.URL.Path == "/metrics/probes"
		if !isScrape || !scraped.Swap(true) {
			note()
			defer note()
		}
		next.ServeHTTP(w, r)
	})
}

// releaseAfter calls release once after each time that something was used and then was not for the
// quiet time.
func releaseAfter(ctx context.Context, used <-chan struct{}, release func()) {
	silence := time.NewTimer(quietTime)
	silence.Stop()
	defer silence.Stop()
	for {
		select {
		case <-used:
			silence.Reset(quietTime)
		case <-silence.C:
			release()
		case <-ctx.Done():
			return
		}
	}
}
