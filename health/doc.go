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
// Startup: is the start over? Until yes the other two are not asked; a no for too long is a
// restart. Register what has to be done once, such as loading weights: [Health.Startup]. Yes is
// final.
//
// Readiness: may traffic come now? A no takes the replica out of its Services; nothing restarts.
// Register what this service owns and cannot serve without: [Health.Ready]. What others own is for
// [Health.Depends]: it is reported, but gates nothing, as its outage would take out all replicas at
// once. A [Breaker] is the way between.
//
// Liveness: would a restart mend it? After a no the container is killed, so only a hang of this
// very process counts. Register the loops that have to go round: [Health.Live]. Databases and
// networks are not mended by a restart, so nothing that calls them can be registered: no function
// at all.
//
// # What it promises
//
// Probes only read. Checks run in the background, one run of each at a time, with a deadline; what
// a prober is told is rendered when it changes. No number of probes reaches a database, and no
// probe waits for one.
//
// Green is never stale. A result has an age limit; a check that hangs is red at its deadline,
// named, and costs one goroutine.
//
// Silence tells apart. An idle loop says so ([Heartbeat.Idle]) and is not dead; slow progress is
// not a stall ([TaskOptions]); a pool that is all in use is not a dead database ([CheckOptions]).
//
// The end is orderly. [Health.Run] and [Health.Serve] make the service unready first, wait for
// routers to notice, drain, and only then stop; liveness stays green. No goroutine is left.
//
// Strangers learn nothing. Full errors go to the log, when something changes, and to whom [Options]
// allows.
//
// The same state can be had over gRPC (module health/grpchealth), as a heartbeat file for workers
// without a network interface, and as metrics ([Health.Metrics], or module health/prometheus).
// [Health.Manifest] prints the probes that match.
package health
