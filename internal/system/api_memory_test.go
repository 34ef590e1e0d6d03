package system

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestReleaseAfter: memory is given back once after each burst of requests, and not in one.
func TestReleaseAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		used := make(chan struct{}, 1)
		var released atomic.Int32
		done := make(chan struct{})
		go func() {
			defer close(done)
			releaseAfter(ctx, used, func() { released.Add(1) })
		}()
		expect := func(want int32, when string) {
			t.Helper()
			synctest.Wait()
			if got := released.Load(); got != want {
				t.Errorf("released %d times %s, want %d", got, when, want)
			}
		}
		time.Sleep(time.Hour)
		expect(0, "before anybody asked")
		for range 100 { // as a scrape of Prometheus does
			used <- struct{}{}
			time.Sleep(quietTime / 2)
		}
		expect(0, "while somebody asks")
		time.Sleep(time.Hour)
		expect(1, "after it")
		used <- struct{}{}
		time.Sleep(quietTime + time.Second)
		expect(2, "after one more")
		cancel()
		<-done
	})
}
