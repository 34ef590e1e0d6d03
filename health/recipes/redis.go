package recipes

import (
	"context"

	"github.com/probity-run/probity/health"
	"github.com/redis/go-redis/v9"
)

// Redis reports a client of go-redis. A cache is a dependency: without it the service is slower,
// and not unready. If it cannot serve without, use Ready.
func Redis(h *health.Health, client *redis.Client) *health.Check {
	return h.Depends("redis", func(ctx context.Context) error { return client.Ping(ctx).Err() }, health.CheckOptions{
		Pool: func() (inUse, size int) {
			s := client.PoolStats()
			return int(s.TotalConns - s.IdleConns), client.Options().PoolSize
		},
	})
}
