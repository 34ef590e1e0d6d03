// Package proxy carries traffic to the Pods of Services: a listener on 127.0.0.1 for each Service
// port, and behind it only replicas that are ready.
//
// What flows where:
//
//	store ──▶ Proxy.Run: one loop ──▶ table of a port (immutable) ◀── exchange: which replica, which next one, who lost what
//	node ──▶ Withdraw, Admit, Exited ──▶ life of a Pod (flags) ◀─────────┘   ▲ one per request or TCP connection
//	client ──▶ port: listener ──▶ forwarder (HTTP) or relay (TCP) ───────────┘
//
// The loop swaps the table of a port whenever a Service or an EndpointSlice changes; a request
// reads it once and takes no lock. What the node knows earlier than the EndpointSlices is said by
// flags of the Pod that each request passes a gate with, so that Withdraw holds for every request
// that enters later, and InFlight counts each one that entered before.
//
// What a client may rely on:
//
//  1. A listener stays open as long as its Service port exists, whatever happens to Pods.
//  2. New requests go to ready endpoints; if there is none, to serving and terminating ones (R198,
//     R199), among which is a Pod that the node withdrew and whose process lives. Connections that
//     are established are not cut for it (R201).
//  3. A request of which nothing was sent goes to another replica, whatever its method. One that
//     was sent and got no answer because the connection broke goes to another replica only if it is
//     idempotent as net/http sees it (GET, HEAD, OPTIONS, TRACE, or an Idempotency-Key) and its
//     body is at most 64 KiB. Anything else is never sent twice.
//  4. 503 means that nobody saw the request, 502 that somebody may have.
//
// Headless and ExternalName Services have no listener: they are names, which clients resolve to
// Pods themselves and past any proxy. Ports of a protocol other than TCP have none either.
//
// Headers: Host stays what the client sent. X-Forwarded-For gets the client's address appended;
// X-Forwarded-Host and X-Forwarded-Proto are kept if the client sent them, else set. Listeners are
// on loopback, so a client is a process of this machine, as a TLS terminator or an ingress in
// front, whose word an application behind an ingress of a cluster would trust as well. Malformed
// and ambiguous requests (two lengths, obsolete line folding, a bad chunk) are refused as
// net/http's server refuses them, and hop-by-hop headers end here as in net/http/httputil.
package proxy
