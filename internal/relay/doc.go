// Package relay stands between a program and what it connects to, passes on what they say to each
// other, and breaks it on request: slow, silent, refused, reset, dead.
//
// A [Relay] carries TCP connections, a [Datagrams] UDP datagrams such as questions to a name
// server. Both listen on loopback. What they do is a [Mode], which can change at any time, also for
// connections that are open. Nothing that a program or a destination has sent is lost by a mode
// that only holds it back: it arrives when the mode changes, in its order.
//
// A relay shows itself in four ways. A program that asks for the other end of its connection
// (getpeername) gets the relay's address; the destination sees a connection of Probity; out-of-band
// data is not passed on; a destination that takes longer than [Options.ReachTime] to accept a
// connection looks as if it had accepted it.
package relay
