package main

import (
	"bufio"
	"context"
	"errors"
	"net"
	"time"
)

// database is a pool of connections to a program that answers a line with a line. Safe for
// concurrent use.
type database struct {
	options
	pool chan net.Conn // nil for one that is to be opened
}

const poolSize = 8

// openDatabase makes the pool. Without a mistake it connects to nothing yet.
func openDatabase(o options) (*database, error) {
	if o.database == "" {
		return nil, nil
	}
	d := &database{o, make(chan net.Conn, poolSize)}
	for range poolSize {
		var conn net.Conn
		if o.connect != "" {
			var err error
			if conn, err = net.DialTimeout("tcp", o.database, 2*time.Second); err != nil && o.connect == "must" {
				return nil, err
			}
		}
		d.pool <- conn
	}
	return d, nil
}

// ask asks the database through the pool.
func (d *database) ask(ctx context.Context) error {
	var conn net.Conn
	select {
	case conn = <-d.pool:
	case <-ctx.Done():
		return errors.New("no connection of the pool is free")
	}
	if conn == nil && d.connect == "once" {
		d.pool <- nil
		return errors.New("the connection is gone")
	}
	var err error
	if conn == nil {
		conn, err = new(net.Dialer).DialContext(ctx, "tcp", d.database)
	}
	if err == nil {
		err = exchange(ctx, conn)
	}
	if err != nil && conn != nil {
		_ = conn.Close()
		conn = nil
	}
	d.pool <- conn
	return err
}

// askOwn asks by a connection that nobody else uses.
func (d *database) askOwn(ctx context.Context) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", d.database)
	if err != nil {
		return err
	}
	defer conn.Close()
	return exchange(ctx, conn)
}

func exchange(ctx context.Context, conn net.Conn) error {
	if end, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(end); err != nil {
			return err
		}
	}
	if _, err := conn.Write([]byte("set\n")); err != nil {
		return err
	}
	_, err := bufio.NewReader(conn).ReadString('\n')
	return err
}
