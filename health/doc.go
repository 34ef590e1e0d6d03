// Package health gives a service correct /startupz, /readyz and /livez, in five lines and without a
// dependency.
//
//	h := health.New(health.Options{})
//	h.Ready("database", db.PingContext)          // no database, no traffic
//	loop := h.Live("queue loop", 30*time.Second) // loop.Beat() at each turn
//	mux.Handle("/", h.Handler())
//	err := h.Serve(ctx, &http.Server{Addr: ":8080", Handler: mux})
//
// # Three questions
//
// Kubernetes asks a container three questions, and does something different about each. Most
// outages that probes cause come from one endpoint that answers all three.
//
// Startup: has the service started? Until it has, the other two are not asked; if it takes too
// long, the container is restarted. Register what has to be done once, such as loading weights:
// [Health.Startup]. Success is final.
//
// Readiness: may traffic come now? A failure takes the replica out of its Services; nothing
// restarts. Register what this service owns and cannot serve without: [Health.Ready]. What others
// own is for [Health.Depends]: it is reported, but does not count, as its outage would make all
// replicas unready at once. With a [CircuitBreaker] it counts part of the time.
//
// Liveness: would a restart help? After a failure the container is killed, so only a hang of this
// very process counts. Register the loops that have to make progress: [Health.Live]. A restart does
// not help against a dead database or network, so nothing that calls them can be registered: no
// function at all.
//
// # What it promises
//
// Probes only read. Checks run in the background, one run of each at a time, with a deadline; the
// answer to a probe is rendered when it changes. However many probes come, none reaches a database,
// and none waits for one.
//
// Success is never stale. A result has an age limit; a check that hangs fails at its deadline, is
// named, and costs one goroutine.
//
// Waiting is not hanging. A loop that waits for work says so ([Heartbeat.Idle]); slow progress is
// not a stall ([TaskOptions]); a pool that is all in use is not a dead database ([CheckOptions]).
//
// Shutdown is in order. [Health.Run] and [Health.Serve] make the service unready first, wait until
// routers have noticed, drain, and only then stop. Liveness succeeds until the end, on a port of
// its own ([Options].Addr) also while the service's port refuses connections. No goroutine is left.
//
// Answers reveal no secrets. Full errors go to the log, when something changes, and to those whom
// [Options] allow.
//
// A test can see what becomes of a loop that hangs. If the environment variable PROBITY_DRILL names
// a socket in a folder that only this user may enter, as probity drill has it, whoever writes "stop
// NAME" to that has the beats of that loop held back while the connection is open. Without the
// variable nothing listens. It is for tests alone.
//
// The same state is served over gRPC (module health/grpchealth, or health/connecthealth for
// Connect), as a heartbeat file for workers without a network interface, and as metrics
// ([Health.Metrics], or the modules health/prometheus and health/otel). [Health.Manifest] prints
// the probes that match.
package health
