package recipes

import (
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/probity-run/probity/health"
)

// Pgx makes readiness follow a pool of pgx. The ping takes a connection of the pool, as queries do,
// and the figures tell a pool that is all in use from a database that is away.
func Pgx(h *health.Health, pool *pgxpool.Pool) *health.Check {
	return h.Ready("postgres", pool.Ping, health.CheckOptions{
		Pool: func() (inUse, size int) {
			s := pool.Stat()
			return int(s.AcquiredConns()), int(s.MaxConns())
		},
	})
}
