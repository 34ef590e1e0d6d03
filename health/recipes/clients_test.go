package recipes

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/probity-run/probity/health"
	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// follows fails the test unless a check passes, and fails after the server has gone.
func follows(t *testing.T, h *health.Health, check *health.Check, stop func()) {
	t.Helper()
	run(t, h)
	passes := func() bool {
		for _, s := range h.Report(health.Readiness).Checks {
			if s.Name != "database" && s.Name != "billing" {
				return s.State == "ok"
			}
		}
		t.Fatal("the check is not registered")
		return false
	}
	waitFor(t, passes)
	stop()
	waitFor(t, func() bool { check.Report(errors.New("a query failed")); return !passes() })
	if !h.OK(health.Liveness) {
		t.Error("an outage makes the service not live")
	}
}

func TestRedis(t *testing.T) {
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	defer client.Close()
	h := newHealth(t)
	follows(t, h, Redis(h, client), server.Close)
	if !h.OK(health.Readiness) {
		t.Error("a cache that is away makes the service unready")
	}
}

func TestPgx(t *testing.T) {
	address, stop := fakePostgres(t)
	pool, err := pgxpool.New(t.Context(), "postgres://app@"+address+"/app?sslmode=disable&pool_max_conns=2")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	h := health.New(health.Options{ShutdownDelay: -1})
	h.Depends("billing", func(context.Context) error { return errors.New("down") })
	follows(t, h, Pgx(h, pool), stop)
	if h.OK(health.Readiness) {
		t.Error("without its database the service is ready")
	}
}

func TestKafka(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("orders"), kgo.DefaultProduceTopic("orders"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.RetryTimeout(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	h := newHealth(t)
	brokers, loop := Kafka(h, client, 200*time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	var consuming sync.WaitGroup
	var hangs atomic.Bool
	release := make(chan struct{})
	consuming.Go(func() {
		Consume(ctx, client, loop, func(*kgo.Record) {
			if hangs.Load() {
				<-release
			}
		})
	})
	defer consuming.Wait()
	defer cancel()
	run(t, h)
	time.Sleep(500 * time.Millisecond) // a quiet topic for longer than the limit
	if code, body := send(t, "GET", serve(t, h.Handler())+"/livez?verbose", ""); code != 200 {
		t.Errorf("a consumer without work is not live: %s", body)
	}
	hangs.Store(true)
	if err := client.ProduceSync(t.Context(), kgo.StringRecord("an order")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return !h.OK(health.Liveness) })
	close(release)
	waitFor(t, func() bool { return h.OK(health.Liveness) })
	waitFor(t, func() bool { return brokers.Err() == nil })
	cluster.Close()
	waitFor(t, func() bool { brokers.Report(errors.New("a fetch failed")); return brokers.Err() != nil })
	if !h.OK(health.Readiness) {
		t.Error("brokers that are away make the service unready")
	}
}

// fakePostgres is a server that knows no user, no table, and the empty query that is a ping.
func fakePostgres(t *testing.T) (address string, stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer context.AfterFunc(ctx, func() { conn.Close() })()
				defer conn.Close()
				answerPostgres(pgproto3.NewBackend(conn, conn))
			})
		}
	})
	stop = sync.OnceFunc(func() { cancel(); listener.Close(); serving.Wait() })
	t.Cleanup(stop)
	return listener.Addr().String(), stop
}

func answerPostgres(backend *pgproto3.Backend) {
	if _, err := backend.ReceiveStartupMessage(); err != nil {
		return
	}
	backend.Send(&pgproto3.AuthenticationOk{})
	backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	for backend.Flush() == nil {
		message, err := backend.Receive()
		if err != nil {
			return
		}
		if _, ok := message.(*pgproto3.Query); ok {
			backend.Send(&pgproto3.EmptyQueryResponse{})
			backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		}
	}
}
