package kube

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// LogOptions say what of the log of a container is asked for. The zero value asks for all that the
// instance which runs, or ran last, has printed.
type LogOptions struct {
	// Container may be "" if the Pod has one alone.
	Container string
	// Previous asks for the instance before.
	Previous bool
	// Follow asks for what is printed from now on, too, until the instance ends.
	Follow bool
	// Timestamps asks for the time before each line.
	Timestamps bool
	// Since leaves out what was printed before.
	Since time.Time
	// Tail is how many lines from the end are asked for; nil means all.
	Tail *int64
}

// Log reads what a container of a Pod has printed. The caller closes it.
func (c *Client) Log(ctx context.Context, pod Ref, o LogOptions) (io.ReadCloser, error) {
	query := url.Values{}
	if o.Container != "" {
		query.Set("container", o.Container)
	}
	for name, set := range map[string]bool{"previous": o.Previous, "follow": o.Follow, "timestamps": o.Timestamps} {
		if set {
			query.Set(name, "true")
		}
	}
	if !o.Since.IsZero() {
		query.Set("sinceTime", o.Since.UTC().Format(time.RFC3339Nano))
	}
	if o.Tail != nil {
		query.Set("tailLines", strconv.FormatInt(*o.Tail, 10))
	}
	response, err := c.send(ctx, http.MethodGet, pod.path()+"/log", query, "", nil)
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}

// Attempts reads the attempts of a Pod's probes since a time, unless that is zero, each as a line
// that [history.ParseFound] takes; with follow also those that come until the Pod is gone. A
// cluster has none: its answer is NotFound. The caller closes it.
func (c *Client) Attempts(ctx context.Context, namespace, pod string, since time.Time, follow bool) (io.ReadCloser, error) {
	query := url.Values{}
	if follow {
		query.Set("follow", "true")
	}
	if !since.IsZero() {
		query.Set("sinceTime", since.UTC().Format(time.RFC3339Nano))
	}
	response, err := c.send(ctx, http.MethodGet, Ref{ProbeReports, namespace, pod}.path()+"/attempts", query, "", nil)
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}
