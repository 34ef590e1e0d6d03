package controller

import (
	"testing"
	"time"
)

// TestRetryNow: what did not fit does not wait for its time when there is room.
func TestRetryNow(t *testing.T) {
	q, now, k := newQueue(), time.Now(), key{kindReplicaSet, "default", "web"}
	q.failed(k, now)
	if got, ok := q.take(now); ok {
		t.Fatalf("%v is due at once", got)
	}
	q.retryNow()
	if got, ok := q.take(now); !ok || got != k {
		t.Errorf("take = %v, %v, want %v", got, ok, k)
	}
	q.done(k, time.Time{})
	q.retryNow()
	if got, ok := q.take(now); ok {
		t.Errorf("%v is due although nothing failed", got)
	}
}
