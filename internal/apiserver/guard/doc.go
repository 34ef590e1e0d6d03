// Package guard stands between the network and the API of a run. It decides who may ask, and how
// much at a time, before anything else looks at a request; what is asked for is none of its
// business.
//
// Whoever reaches the port, a page in a browser or another user of the machine, can do nothing
// without the token but see whether the API is healthy, and can hold up nobody who has it:
//
//   - A request has to name this server in its Host header, or it is refused before anything else.
//     So a name that a page has made to point to this machine opens nothing.
//   - A foreign Origin is refused without the token, OPTIONS always, and no answer has a header of
//     CORS.
//   - Everything but /healthz, /livez and /readyz needs the token, in an Authorization header.
//   - A path is decoded once and never cleaned or redirected. One that no object can have is not
//     found.
//   - Connections, heads, bodies, watches and streams have limits; see [Limits]. A connection on
//     which no token was shown ends soon, and makes room for others when there are too many.
//
// [Guard.Server] and [Guard.Listener] belong together: what the one learns about a connection, the
// other has to know.
package guard
