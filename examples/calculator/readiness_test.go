package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/probity-run/probity/health"
)

// TestPoolIsSaturated takes all connections of the pool, on PostgreSQL by slow queries: the service
// is alive, and says that the pool is saturated, not that the database is down.
func TestPoolIsSaturated(t *testing.T) {
	for name, s := range databases(t) {
		t.Run(name, func(t *testing.T) {
			db := connected(t, s)
			_, ask := loaded(t, s, db)
			eventually(t, func() error { return answers(ask, "/readyz", "ok\n") })
			finish := saturate(t, db, s.databaseURL != "")
			eventually(t, func() error { return answers(ask, "/readyz", "not ready: database pool saturated\n") })
			// it stays so
			for end := time.Now().Add(3 * checkPeriod); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
				// On a machine that is very busy a check may return too late to be asked why, and
				// is called stuck until it does.
				if status, text := ask("/readyz"); status == http.StatusOK || strings.Contains(text, "failing") {
					t.Errorf("/readyz answers %d %q", status, text)
				}
				if status, text := ask("/livez"); status != http.StatusOK {
					t.Errorf("/livez answers %d %q", status, text)
				}
			}
			eventually(t, func() error {
				if _, text := ask("/readyz?verbose"); !strings.Contains(text, "8/8 in use") {
					return fmt.Errorf("no figures of the pool in\n%s", text)
				}
				return nil
			})
			finish()
			eventually(t, func() error { return answers(ask, "/readyz", "ok\n") })
		})
	}
}

// saturate takes all connections of the pool until finish is called; query says that they are busy
// with a slow query.
func saturate(t *testing.T, db *database, query bool) (finish func()) {
	t.Helper()
	slow, cancel := context.WithCancel(t.Context())
	var queries sync.WaitGroup
	for range poolSize {
		conn, err := db.pool.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		queries.Go(func() {
			if query {
				_, _ = conn.ExecContext(slow, "SELECT pg_sleep(600)") // ends when slow does
			}
			<-slow.Done()
			_ = conn.Close() // gone with its query on PostgreSQL
		})
	}
	return func() { cancel(); queries.Wait() }
}

// answers returns an error unless a path answers with that body.
func answers(ask func(string) (int, string), path, want string) error {
	if status, body := ask(path); body != want {
		return fmt.Errorf("%s answers %d %q, want %q", path, status, body, want)
	}
	return nil
}

// TestProbesDoNotReachTheDatabase asks a service whose database hangs, in virtual time.
func TestProbesDoNotReachTheDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeServer{connect: func(ctx context.Context, _ int32) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		db := &database{pool: sql.OpenDB(fake), log: silent()}
		defer db.close()
		db.connected.Store(true)
		v, ask := loaded(t, settings{}, db)
		synctest.Wait()
		for range 20 {
			if status, body := ask("/readyz"); status != http.StatusServiceUnavailable || body != "not ready: database pending\n" {
				t.Errorf("readyz answers %d %q while the first check hangs", status, body)
			}
		}
		time.Sleep(readyTimeout)
		synctest.Wait()
		if status, body := ask("/readyz"); status != http.StatusServiceUnavailable || body != "not ready: database failing\n" {
			t.Errorf("readyz answers %d %q after the check's deadline", status, body)
		}
		if made := fake.connects.Load(); made != 1 {
			t.Errorf("%d connections for 20 probes, want the check's one", made)
		}
		if !v.health.OK(health.Liveness) {
			t.Error("a database that hangs is no matter of liveness")
		}
	})
}

// TestQueriesTellReadiness: a request that fails is noticed at once, one that succeeds as well; one
// whose caller went away says nothing.
func TestQueriesTellReadiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		fake := &fakeServer{connect: func(ctx context.Context, _ int32) error {
			if down.Load() {
				return errors.New("connection refused")
			}
			return ctx.Err()
		}}
		db := &database{pool: sql.OpenDB(fake), log: silent()}
		db.pool.SetMaxIdleConns(-1) // each query dials
		defer db.close()
		db.connected.Store(true)
		v, _ := loaded(t, settings{}, db)
		ready := func(want bool, when string) {
			t.Helper()
			synctest.Wait()
			if got := v.health.OK(health.Readiness); got != want {
				t.Errorf("%s: ready %v, want %v", when, got, want)
			}
		}
		time.Sleep(checkPeriod / 2)
		ready(true, "before")
		gone, leave := context.WithCancel(t.Context())
		leave()
		before := fake.connects.Load()
		_, _ = db.save(gone, result{})
		synctest.Wait()
		if made := fake.connects.Load() - before; made > 1 {
			t.Errorf("a caller that went away made %d connections: no check is due", made)
		}
		down.Store(true)
		_, err := db.save(t.Context(), result{})
		ready(false, fmt.Sprintf("at the instant of a request that failed (%v)", err))
		down.Store(false)
		_, err = db.save(t.Context(), result{})
		ready(true, fmt.Sprintf("at the instant of a request that did not (%v)", err))
	})
}

// loaded runs what a service knows about itself, and its loop, with two weights of 1. It returns
// them with a function that asks like a prober.
func loaded(t *testing.T, s settings, db *database) (v *service, ask func(path string) (int, string)) {
	t.Helper()
	v = newService(s, db, silent())
	v.weights.Done()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := v.health.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() { v.calculator.loop(ctx, weights{1, 1}) })
	t.Cleanup(running.Wait)
	t.Cleanup(cancel)
	routes := (&server{calculator: v.calculator, health: v.health, db: db, log: silent()}).routes()
	return v, func(path string) (int, string) {
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		return w.Code, w.Body.String()
	}
}
