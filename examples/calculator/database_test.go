package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// databases are the settings of all databases that can be tested here. PostgreSQL is one if
// CALCULATOR_TEST_DATABASE_URL names an empty database that the tests may use.
func databases(t *testing.T) map[string]settings {
	all := map[string]settings{"sqlite": {data: t.TempDir()}}
	if url := os.Getenv("CALCULATOR_TEST_DATABASE_URL"); url != "" {
		all["postgres"] = settings{databaseURL: url}
	}
	return all
}

func connected(t *testing.T, s settings) *database {
	t.Helper()
	db, err := openDatabase(s, silent())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.close(); err != nil {
			t.Error(err)
		}
	})
	db.connect(t.Context())
	return db
}

func TestDatabaseKeepsResults(t *testing.T) {
	for name, s := range databases(t) {
		t.Run(name, func(t *testing.T) {
			db := connected(t, s)
			first := saved(t, db, result{Input: []float64{1, 2.5}, Output: -0.1, Time: time.Now().UTC().Truncate(time.Millisecond)})
			second := saved(t, db, result{Input: []float64{3}, Output: 1e-300, Time: first.Time.Add(time.Second)})
			again := connected(t, s) // another replica, or the next start
			eventually(t, func() error {
				one, err := again.get(t.Context(), first.ID)
				if err != nil || !reflect.DeepEqual(one, first) {
					return fmt.Errorf("get = %+v, %v; want %+v", one, err, first)
				}
				two, err := again.latest(t.Context(), 2)
				if want := []result{second, first}; err != nil || !reflect.DeepEqual(two, want) {
					return fmt.Errorf("latest(2) = %+v, %v; want %+v", two, err, want)
				}
				if list, err := again.latest(t.Context(), 1); err != nil || len(list) != 1 {
					return fmt.Errorf("latest(1) = %+v, %v; want one", list, err)
				}
				if _, err := again.get(t.Context(), "x"); !errors.Is(err, errUnknown) {
					return fmt.Errorf("get of an unknown id: %v, want %v", err, errUnknown)
				}
				return nil
			})
		})
	}
}

func saved(t *testing.T, db *database, r result) (kept result) {
	t.Helper()
	eventually(t, func() (err error) {
		kept, err = db.save(t.Context(), r)
		return err
	})
	return kept
}

// TestCheckNoticesALock locks a real database by another pool, as another process would.
func TestCheckNoticesALock(t *testing.T) {
	for name, s := range databases(t) {
		t.Run(name, func(t *testing.T) {
			db, other := connected(t, s), connected(t, s)
			locks := []string{other.lock}
			if s.databaseURL == "" {
				locks = append(locks, "BEGIN IMMEDIATE")
			}
			for _, lock := range locks {
				eventually(t, func() error { return timed(t, db.check) })
				conn := locked(t, other, lock)
				if err := timed(t, db.check); err == nil {
					t.Errorf("%s: the check passes, want an error", lock)
				}
				unlock(t, conn)
				eventually(t, func() error { return timed(t, db.check) })
			}
		})
	}
}

// timed calls a check with the deadline that it has in the service.
func timed(t *testing.T, check func(context.Context) error) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), readyTimeout)
	defer cancel()
	return check(ctx)
}

// locked takes a lock, which unlock releases.
func locked(t *testing.T, db *database, lock string) *sql.Conn {
	t.Helper()
	conn, err := db.pool.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), lock); err != nil {
		t.Fatal(err)
	}
	return conn
}

func unlock(t *testing.T, conn *sql.Conn) {
	t.Helper()
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestConnectTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeServer{connect: func(_ context.Context, n int32) error {
			if n <= 7 {
				return errors.New("connection refused")
			}
			return nil
		}}
		db := &database{pool: sql.OpenDB(fake), log: silent()}
		defer db.close()
		var connecting sync.WaitGroup
		begin := time.Now()
		connecting.Go(func() { db.connect(t.Context()) })
		synctest.Wait()
		if err := db.check(t.Context()); !errors.Is(err, errNotConnected) {
			t.Errorf("check = %v, want %v", err, errNotConnected)
		}
		connecting.Wait()
		// 312.5 ms, doubled up to 5 s: 0.3125 + 0.625 + 1.25 + 2.5 + 5 + 5 + 5
		if took := time.Since(begin); !db.connected.Load() || took != 19687500*time.Microsecond {
			t.Errorf("connected %v after %v, want true after 19.6875s", db.connected.Load(), took)
		}
	})
}
