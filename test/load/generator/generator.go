// Package generator sends HTTP requests from many clients at a time and counts what becomes of each
// of them. No request is ever sent twice: a client library that repeats a request would hide the
// failures that are to be counted. So the package speaks HTTP/1.1 over connections of its own.
package generator

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"sync"
	"time"
)

// Options say what is requested, by how many clients and how often.
type Options struct {
	// URL of every request, of scheme http. Required.
	URL string
	// Name begins the id of every request, which the server finds in the header X-Request-Id.
	// Default "load".
	Name string
	// Clients is how many send requests at the same time, over one connection each. Default 64.
	Clients int
	// NewConnections makes a connection for each request. Default: a client keeps its own for as
	// long as the server lets it.
	NewConnections bool
	// Posts is the share of POST requests, 0 to 1. The others are GET.
	Posts float64
	// Rate is how many requests per second all clients together send. A client that had to wait for
	// an answer catches up. Default 0: each sends its next request as soon as it has an answer.
	Rate float64
	// Timeout of a request, from its connection to the last byte of the answer. Default 1 minute.
	Timeout time.Duration
	// Observe, if not nil, is called for each request that has ended, by all clients at the same
	// time.
	Observe func(Request)
}

// Request is a request that has ended.
type Request struct {
	// ID is unique among all requests of a [Run].
	ID     string
	Method string
	// Sent is just before the connection was made; if there was one already, just before the
	// request was written.
	Sent time.Time
	// Took is the time until the last byte of the answer, or until the failure.
	Took time.Duration
	// Status of the answer, 0 if there was none.
	Status int
	// Err is why there was no answer, or why it broke off.
	Err error
	// Body is the beginning of an answer that is no success.
	Body string
}

// Failed reports whether the client did not get a complete answer with a status from 200 to 299.
func (r *Request) Failed() bool { return r.Err != nil || r.Status/100 != 2 }

// String describes the request for people who search the cause of a failure.
func (r *Request) String() string {
	outcome := fmt.Sprintf("status %d", r.Status)
	if r.Err != nil {
		outcome = r.Err.Error()
	}
	return fmt.Sprintf("%s %s sent %s, after %v: %s %s", r.Method, r.ID, r.Sent.Format("15:04:05.000000"), r.Took.Round(time.Microsecond), outcome, r.Body)
}

// Run sends requests until the context is done, then waits for the answers that are due and returns
// the counts. It owns a goroutine per client.
func Run(ctx context.Context, opts Options) (*Report, error) {
	target, err := url.Parse(opts.URL)
	if err != nil {
		return nil, err
	}
	if target.Scheme != "http" || target.Host == "" {
		return nil, fmt.Errorf("cannot send requests to %q: give an address such as http://127.0.0.1:8080/", opts.URL)
	}
	if opts.Posts < 0 || opts.Posts > 1 {
		return nil, fmt.Errorf("cannot send a share of %v POST requests: give a number from 0 to 1", opts.Posts)
	}
	opts.Name = cmp.Or(opts.Name, "load")
	opts.Clients = cmp.Or(opts.Clients, 64)
	opts.Timeout = cmp.Or(opts.Timeout, time.Minute)
	clients := make([]*client, opts.Clients)
	began := time.Now()
	var running sync.WaitGroup
	for i := range clients {
		clients[i] = newClient(&opts, target, i)
		running.Go(func() { clients[i].run(ctx, began) })
	}
	running.Wait()
	report := &Report{Duration: time.Since(began)}
	for _, c := range clients {
		report.merge(&c.report)
	}
	report.sort()
	return report, nil
}
