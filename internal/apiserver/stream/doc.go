// Package stream carries what kubectl exec, attach and port-forward carry: several streams of bytes
// over one HTTP connection that the client has upgraded.
//
// There are two protocols. Over WebSocket each message begins with the number of its channel (0
// standard input, 1 output, 2 errors, 3 how it ended, 4 the size of the window); 255 ends a
// channel. Over SPDY each stream has headers that say what it is. For port-forward there is SPDY
// alone, by itself or in the messages of a WebSocket.
//
// Neither protocol can hold back one stream and go on with the others: what a program does not take
// holds up all that the client sends after it. A [Session] would then neither notice that the
// client is gone nor answer its heartbeats, so it sends some of its own: they keep a client that is
// there from giving up, and they fail when it is not.
//
// Every goroutine is joined: by [Session.End], and by [Forward] before it returns.
package stream
