package recipes

import (
	"context"
	"time"

	"github.com/probity-run/probity/health"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Kafka reports the brokers of a client of franz-go, and watches the loop that consumes. An outage
// of the brokers is theirs: it makes no replica unready, and a restart would not help. A loop that
// handles a batch for longer than limit hangs.
func Kafka(h *health.Health, client *kgo.Client, limit time.Duration) (brokers *health.Check, loop *health.Heartbeat) {
	return h.Depends("kafka", client.Ping), h.Live("consumer", limit)
}

// Consume handles what comes, until ctx ends. While it waits for records it idles, so that a quiet
// topic is no hang.
func Consume(ctx context.Context, client *kgo.Client, loop *health.Heartbeat, handle func(*kgo.Record)) {
	defer loop.Stop()
	for {
		loop.Idle()
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return
		}
		loop.Beat()
		fetches.EachRecord(handle)
	}
}
