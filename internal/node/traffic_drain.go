package node

import (
	"context"
	"time"

	"github.com/probity-run/probity/internal/manifest"
)

const (
	// arrivalTime is how long the stop signal waits for requests that were sent before the Pod left
	// the routes. A server that ends gracefully answers what it has read, but closes a connection
	// on which a request has only just come.
	arrivalTime = 250 * time.Millisecond
	// arrivalLimit bounds the wait for those that were routed to the Pod and not sent yet, because
	// the machine has no time for them.
	arrivalLimit = 2 * time.Second
)

// drainTime is how long the stop signal waits for requests in flight: for their answers if the
// Pod's annotation grants the time, else only until they have arrived. With an error there is no
// time.
func drainTime(annotations map[string]string) (patience time.Duration, granted bool, err error) {
	value, ok := annotations[manifest.AnnotationDrain]
	if !ok {
		return arrivalLimit, false, nil
	}
	patience, err = time.ParseDuration(value)
	return patience, true, err
}

// awaitDrained returns when no request is in flight, or all of them were sent and had time to
// arrive, or the patience is over. A nil sent never happens.
func awaitDrained(ctx context.Context, idle, sent <-chan struct{}, patience time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var arrived <-chan time.Time
	for {
		select {
		case <-sent:
			sent, arrived = nil, time.After(arrivalTime)
		case <-idle:
			return
		case <-arrived:
			return
		case <-ctx.Done():
			return
		}
	}
}
