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
		if o.connect == "once" || o.connect == "must" {
			var err error
			if conn, err = dial(o, 2*time.Second); err != nil && o.connect == "must" {
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
		conn, err = d.dialer().DialContext(ctx, "tcp", d.database)
	}
	if err == nil {
		err = exchange(ctx, conn)
	}
	if (err != nil || d.connect == "each") && conn != nil {
		_ = conn.Close()
		conn = nil
	}
	d.pool <- conn
	return err
}

// askOwn asks by a connection that nobody else uses.
func (d *database) askOwn(ctx context.Context) error {
	conn, err := d.dialer().DialContext(ctx, "tcp", d.database)
	if err != nil {
		return err
	}
	defer conn.Close()
	return exchange(ctx, conn)
}

func dial(o options, limit time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return o.dialer().DialContext(ctx, "tcp", o.database)
}

// dialer asks the name server of the options.
func (o options) dialer() *net.Dialer {
	if o.names == "" {
		return &net.Dialer{}
	}
	return &net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, o.names)
	}}}
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
