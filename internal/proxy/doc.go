// Package proxy carries traffic to the Pods of Services: a listener at the Service's address for
// each Service port, and behind it only endpoints that are ready. (Texts for users call an endpoint
// a replica.)
//
// # The way of a request
//
//  1. [servicePort.serve] accepts the connection. If the port speaks HTTP, an [http1Conn] reads the
//     requests from it; if it speaks TCP, [servicePort.serveTCP] takes the connection. One that
//     begins with the preface of HTTP/2, or comes to a port that speaks that, is handed over to the
//     port's [http.Server], which calls [servicePort.ServeHTTP] for each request.
//  2. The port adds the request to its [inFlightCount], by which it knows, when it stops, what it
//     has to wait for.
//  3. A [routedRequest] decides: it loads the port's current [routingTable] and chooses an
//     endpoint, or waits for one if the Service holds requests. The [upstreamAttempt] that begins
//     by that is counted at the endpoint and at the [instance], the running process, of its Pod.
//  4. An [http1Exchange] sends the request over an [upstreamConn] of the endpoint, or a
//     [reverseProxy] sends it by net/http. If the attempt fails, the routedRequest decides whether
//     another endpoint may be tried; then 3 follows again. An endpoint that refused the connection
//     is ejected until it accepts one.
//  5. The answer is copied to the client as it comes. If no endpoint answered, the client is told
//     why: [failureAnswer].
//  6. When the last byte is written, or something broke, the routedRequest counts how it ended, and
//     the request is in flight no longer. If the process has ended meanwhile and requests were
//     lost, an Event says how many.
//
// A TCP connection goes the same way, with a [relay] in the place of steps 4 and 5.
//
// # Where the table comes from
//
//	store ──▶ Proxy.Run: one loop, a cache of objects ──▶ routing table of a port (immutable)
//	node ──▶ Withdraw, Admit, Exited ──▶ flags of an instance
//
// The loop swaps the table of a port whenever a Service or an EndpointSlice changes; a request
// loads it for each attempt without a lock. What the node knows before the EndpointSlices
// do, it says by flags of the instance. They stand in one word with the number of requests in
// flight, so that Withdraw holds for every request that comes later, and InFlight counts each one
// that came before.
//
// # What a client may rely on
//
//  1. A listener stays open as long as its Service port exists, whatever happens to Pods, unless a
//     Pod may need its number: see [Proxy.MakeRoom].
//  2. New requests go to ready endpoints; if there is none, to serving and terminating ones (R198,
//     R199). A Pod that the node withdrew and whose process still runs counts as one of the latter.
//     Connections that are established are not cut for it (R201).
//  3. A request of which nothing was sent goes to another endpoint, whatever its method. One that
//     was sent and got no answer because the connection broke goes to another endpoint only if it
//     is idempotent by the rule of net/http (GET, HEAD, OPTIONS, TRACE, or an Idempotency-Key) and
//     its body is at most 64 KiB. Anything else is never sent twice.
//  4. 503 means that no endpoint has seen the request, 502 that one may have.
//
// Where a port is served is decided by [workload.DecideServicePort] and kept in its [placement].
//
// Headless and ExternalName Services have no listener: they are names, which clients resolve
// themselves. The Pods of a headless Service each have a [podPort], which carries bytes. Ports of a
// protocol other than TCP have none either.
//
// # HTTP/1
//
// The goroutine of a client's connection does everything itself: it writes the request to the
// endpoint and reads the answer. Only what of a body does not come with the head is sent by a
// second one, the [upload], so that an early answer gets through. No wait has a deadline: a [mark]
// says what the goroutine waits for, and one [sweeper] breaks off what waits too long or whose
// client has left. A connection that waits for a request holds no buffer.
//
// Package h1 says what is a request and where it ends. Framing is read strictly, and everything
// else passes as it came: bytes of paths, names and bodies, the pieces in which they come, and the
// end of what a client sends. Nothing is added to an answer. Host stays what the client sent. The
// client's address is appended to X-Forwarded-For; X-Forwarded-Host and X-Forwarded-Proto are kept
// if the client sent them, else set. Listeners are on loopback, so a client is a process of this
// machine, such as a TLS terminator or an ingress, whose word an application behind an ingress of a
// cluster would trust as well. Hop-by-hop headers are removed.
//
// Malformed requests, and those whose end can be read in two ways (two lengths, a length beside a
// Transfer-Encoding, obsolete line folding, a bad chunk, over HTTP/2 a length that is not that of
// the body), are answered with 400, or 501 if the transfer coding is unknown, and an HTTP/1
// connection is closed. At ports that speak HTTP/2, [framing] sees to that before the server of
// net/http, which takes some of them.
package proxy
