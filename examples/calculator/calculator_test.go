package main

import (
	"errors"
	"net/http"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestLivenessFollowsTheLoop lets the loop wait for an hour, work, and hang, in virtual time.
func TestLivenessFollowsTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := connected(t, settings{data: t.TempDir()})
		v, ask := loaded(t, settings{}, db)
		live := func(want int, body, when string) {
			t.Helper()
			synctest.Wait()
			if got, text := ask("/livez"); got != want || text != body {
				t.Errorf("%s: livez answers %d %q, want %d %q", when, got, text, want, body)
			}
		}
		time.Sleep(time.Hour)
		live(http.StatusOK, "ok\n", "after an hour without work")
		if got, err := v.calculator.compute(t.Context(), []float64{4096}); got != 2 || err != nil {
			t.Errorf("compute = %v, %v, want 2", got, err)
		}

		nobody := make(chan float64) // nobody takes the result: the loop is stuck with it
		v.calculator.jobs <- job{[]float64{1}, nobody}
		time.Sleep(hangLimit - time.Second)
		live(http.StatusOK, "ok\n", "before the limit")
		if _, err := v.calculator.compute(t.Context(), []float64{1}); !errors.Is(err, errBusy) {
			t.Errorf("compute = %v while the loop hangs, want %v", err, errBusy)
		}
		live(http.StatusServiceUnavailable, "not live: no heartbeat of calculating loop\n", "after the limit")
		<-nobody
		live(http.StatusOK, "ok\n", "when the loop goes round again")
	})
}

// TestUnreadyBeforeTheRestart lets the loop hang: the replica leaves the Service well before
// liveness says anything, so that no request is with it when it is killed.
func TestUnreadyBeforeTheRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := connected(t, settings{data: t.TempDir()})
		v, ask := loaded(t, settings{}, db)
		ready := func(want, when string) {
			t.Helper()
			synctest.Wait()
			if err := answers(ask, "/readyz", want); err != nil {
				t.Errorf("%s: %v", when, err)
			}
		}
		time.Sleep(time.Minute)
		ready("ok\n", "after a minute without work")
		nobody := make(chan float64) // nobody takes the result: the loop is stuck with it
		v.calculator.jobs <- job{[]float64{1}, nobody}
		time.Sleep(stuckLimit - time.Millisecond)
		ready("ok\n", "before the limit")
		time.Sleep(checkPeriod + time.Millisecond)
		ready("not ready: computations failing\n", "one check after the limit")
		if code, text := ask("/livez"); code != http.StatusOK {
			t.Errorf("livez answers %d %q at that moment, want ok: requests have to stay away before the restart", code, text)
		}
		<-nobody
		time.Sleep(checkPeriod)
		ready("ok\n", "when the loop goes round again")
	})
}

// TestManyRequestsAreNoHang: a queue is no reason to leave the Service, which would only make the
// queues of the others longer.
func TestManyRequestsAreNoHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := connected(t, settings{data: t.TempDir()})
		v, ask := loaded(t, settings{}, db)
		for end := time.Now().Add(3 * stuckLimit); time.Now().Before(end); {
			slow := make(chan float64) // takes the result after a second
			v.calculator.jobs <- job{[]float64{1}, slow}
			time.Sleep(time.Second)
			<-slow
		}
		synctest.Wait()
		if err := answers(ask, "/readyz", "ok\n"); err != nil {
			t.Error(err)
		}
	})
}

// TestHangOnRequest sends the signal that makes the loop hang. The goroutine is left behind, as it
// would be in a real deadlock.
func TestHangOnRequest(t *testing.T) {
	p := start(t, t.TempDir(), nil)
	p.succeeds("POST", "/compute?store=false", `{"x": [1]}`, http.StatusOK, "result")
	if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	p.await("The calculating loop hangs")
	p.expect("POST", "/compute?store=false", `{"x": [1]}`, http.StatusServiceUnavailable, "not done in time")
	p.succeeds("GET", "/livez", "", http.StatusServiceUnavailable, "no heartbeat of calculating loop")
	p.succeeds("GET", "/readyz", "", http.StatusServiceUnavailable, "computations failing")
	if err := p.stop(); err == nil {
		t.Error("stopped without an error, want one that names the loop")
	}
}
