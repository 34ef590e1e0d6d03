package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/probity-run/probity/health"
	_ "modernc.org/sqlite" // the driver "sqlite": pure Go, builds without a C compiler
)

const (
	poolSize     = 8                      // connections
	queryTimeout = 2 * time.Second        // of whatever a request needs from the database
	readyTimeout = 800 * time.Millisecond // of the readiness check
	retryMax     = 5 * time.Second        // pause between two attempts to open the database
)

var (
	errNotConnected = errors.New("the database is not connected yet")
	errUnknown      = errors.New("there is no such result")
)

// result is a computation that is kept.
type result struct {
	ID     string    `json:"id,omitempty"`
	Input  []float64 `json:"x"`
	Output float64   `json:"result"`
	Time   time.Time `json:"time"`
}

// database keeps results, in one pool that computations and the readiness check share: a check with
// a connection of its own could fail while the pool works, or succeed while it does not. Safe for
// concurrent use.
type database struct {
	pool      *sql.DB
	lock      string        // the statement that keeps all others from writing
	use       *health.Check // hears what each query found; nil hears nothing
	log       *slog.Logger
	connected atomic.Bool
}

func sqliteFile(data string) string { return filepath.Join(data, "calculator.db") }

// openDatabase prepares the pool and connects to nothing: see connect.
func openDatabase(s settings, log *slog.Logger) (*database, error) {
	db := &database{}
	if s.databaseURL != "" {
		config, err := pgx.ParseConfig(s.databaseURL)
		if err != nil {
			return nil, fmt.Errorf("cannot use DATABASE_URL, it has to be like postgres://user:password@host/name: %w", err)
		}
		db.pool, db.lock = stdlib.OpenDB(*config), "BEGIN; LOCK TABLE results IN ACCESS EXCLUSIVE MODE"
		db.log = log.With("database", fmt.Sprintf("postgres %s:%d/%s", config.Host, config.Port, config.Database))
	} else {
		file, err := filepath.Abs(sqliteFile(s.data))
		if err != nil {
			return nil, fmt.Errorf("cannot find the database: %w", err)
		}
		// The busy timeout is below readyTimeout, and a transaction takes the write lock when it
		// begins.
		dsn := url.URL{Scheme: "file", Path: file, RawQuery: "_pragma=busy_timeout(400)&_pragma=journal_mode(wal)&_pragma=synchronous(normal)&_txlock=immediate"}
		if db.pool, err = sql.Open("sqlite", dsn.String()); err != nil {
			return nil, fmt.Errorf("cannot open the database: %w", err)
		}
		db.lock, db.log = "BEGIN EXCLUSIVE", log.With("database", "sqlite "+file)
	}
	db.pool.SetMaxOpenConns(poolSize)
	db.pool.SetMaxIdleConns(poolSize)
	return db, nil
}

// connect opens the database, however often it takes: the daemon lives without one. It returns when
// that is done or the context ends.
func (d *database) connect(ctx context.Context) {
	for pause := retryMax / 16; ; pause = min(2*pause, retryMax) {
		err := d.createSchema(ctx)
		if err == nil {
			d.connected.Store(true)
			d.log.Info("Database connected")
			d.use.Report(nil)
			return
		}
		d.log.Warn("Database cannot be opened", "error", err, "retry", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

func (d *database) createSchema(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	for _, statement := range []string{
		"CREATE TABLE IF NOT EXISTS results (id TEXT PRIMARY KEY, input TEXT NOT NULL, output DOUBLE PRECISION NOT NULL, unix_ms BIGINT NOT NULL)",
		"CREATE INDEX IF NOT EXISTS results_by_time ON results (unix_ms)",
	} {
		if _, err := d.pool.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// close closes the pool, after the queries that run.
func (d *database) close() error { return d.pool.Close() }

// check returns nil if a result could be stored now. It does what storing a result does (wait for a
// connection of the pool, begin a transaction, reach the table) except for writing, so it notices a
// lock and leaves the disk alone.
func (d *database) check(ctx context.Context) error {
	if !d.connected.Load() {
		return errNotConnected
	}
	tx, err := d.pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	var count int
	err = tx.QueryRowContext(ctx, "SELECT count(*) FROM results WHERE id = ''").Scan(&count)
	return errors.Join(err, tx.Rollback())
}

// inUse tells a busy pool from a dead database: slow queries may hold all of its connections.
func (d *database) inUse() (inUse, size int) {
	stats := d.pool.Stats()
	return stats.InUse, stats.MaxOpenConnections
}

// found reports what a query found, unless its caller went away, which says nothing about the
// database.
func (d *database) found(caller context.Context, err error) {
	if caller.Err() == nil {
		d.use.Report(err)
	}
}

// save keeps a result and returns it with its id.
func (d *database) save(caller context.Context, r result) (result, error) {
	if !d.connected.Load() {
		return r, errNotConnected
	}
	ctx, cancel := context.WithTimeout(caller, queryTimeout)
	defer cancel()
	input, err := json.Marshal(r.Input)
	if err != nil {
		return r, err
	}
	r.ID = rand.Text()
	_, err = d.pool.ExecContext(ctx, "INSERT INTO results (id, input, output, unix_ms) VALUES ($1, $2, $3, $4)",
		r.ID, string(input), r.Output, r.Time.UnixMilli())
	d.found(caller, err)
	return r, err
}

// get returns one result, or errUnknown.
func (d *database) get(caller context.Context, id string) (result, error) {
	if !d.connected.Load() {
		return result{}, errNotConnected
	}
	ctx, cancel := context.WithTimeout(caller, queryTimeout)
	defer cancel()
	r, err := scan(d.pool.QueryRowContext(ctx, "SELECT id, input, output, unix_ms FROM results WHERE id = $1", id))
	if errors.Is(err, sql.ErrNoRows) {
		d.found(caller, nil)
		return r, errUnknown
	}
	d.found(caller, err)
	return r, err
}

// latest returns the results that were kept last, at most limit, the newest first.
func (d *database) latest(caller context.Context, limit int) (results []result, err error) {
	if !d.connected.Load() {
		return nil, errNotConnected
	}
	ctx, cancel := context.WithTimeout(caller, queryTimeout)
	defer cancel()
	defer func() { d.found(caller, err) }()
	rows, err := d.pool.QueryContext(ctx, "SELECT id, input, output, unix_ms FROM results ORDER BY unix_ms DESC, id LIMIT $1", limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	results = []result{}
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, rows.Err()
}

// scan reads a row of results, from sql.Row or sql.Rows.
func scan(row interface{ Scan(...any) error }) (r result, err error) {
	var input string
	var millis int64
	if err := row.Scan(&r.ID, &input, &r.Output, &millis); err != nil {
		return r, err
	}
	r.Time = time.UnixMilli(millis).UTC()
	err = json.Unmarshal([]byte(input), &r.Input)
	return r, err
}

// lockFor locks everyone else out for a while, or until the context ends.
func (d *database) lockFor(ctx context.Context, duration time.Duration) error {
	conn, err := d.pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("cannot reach the database: %w", err)
	}
	if _, err := conn.ExecContext(ctx, d.lock); err != nil {
		return errors.Join(fmt.Errorf("cannot lock the database: %w", err), conn.Close())
	}
	d.log.Info("Database locked", "for", duration)
	select {
	case <-time.After(duration):
	case <-ctx.Done():
	}
	_, err = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	d.log.Info("Database unlocked")
	return errors.Join(err, conn.Close())
}
