package main

import (
	"context"
	"database/sql/driver"
	"io"
	"sync/atomic"
)

// fakeServer is a database server that accepts connections as connect says and then answers every
// statement.
type fakeServer struct {
	connects atomic.Int32
	connect  func(ctx context.Context, n int32) error
}

func (f *fakeServer) Connect(ctx context.Context) (driver.Conn, error) {
	if err := f.connect(ctx, f.connects.Add(1)); err != nil {
		return nil, err
	}
	return fakeConn{}, nil
}

func (f *fakeServer) Driver() driver.Driver { return nil }

type fakeConn struct{ driver.Conn }

func (fakeConn) Close() error { return nil }

func (fakeConn) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) { return fakeConn{}, nil }

func (fakeConn) Commit() error { return nil }

func (fakeConn) Rollback() error { return nil }

func (fakeConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &fakeRows{}, nil
}

func (fakeConn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.ResultNoRows, nil
}

// fakeRows is one row with a zero.
type fakeRows struct{ read bool }

func (*fakeRows) Columns() []string { return []string{"count"} }

func (*fakeRows) Close() error { return nil }

func (r *fakeRows) Next(row []driver.Value) error {
	if r.read {
		return io.EOF
	}
	r.read, row[0] = true, int64(0)
	return nil
}
