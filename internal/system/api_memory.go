package system

import (
	"context"
	"net/http"
	"time"

	"github.com/probity-run/probity/internal/process"
)

// quietTime is how long nobody asks the API for anything until what its requests needed is given
// back. Whoever asks more often, such as Prometheus, would only have to read the pages again.
const quietTime = 20 * time.Second

// releaseMemory has memory given back whenever requests of the API have been followed by silence: a
// kubectl apply needs 9 MB, most of it garbage and code, that a run would keep until its end. A
// watch that goes on is silent. What it returns is next, and run until the context is done gives
// the memory back.
func releaseMemory(next http.Handler) (handler http.Handler, run func(context.Context)) {
	used := make(chan struct{}, 1)
	note := func() {
		select {
		case used <- struct{}{}:
		default:
		}
	}
	handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note()
		defer note()
		next.ServeHTTP(w, r)
	})
	return handler, func(ctx context.Context) { releaseAfter(ctx, used, func() { _ = process.ReleaseMemory() }) }
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
