// Package dependency finds out what Pods connect to, and breaks that on request: a [Watcher] stands
// between the node and the starter of its processes, and leads their connections through relays.
//
// A connection of a watched program is led to a relay on loopback, one for each address that is
// seen. A question to a name server that is sent without one is kept back as the relay's mode says.
// What has the same name is one dependency: the addresses of localhost, the ports of a Service, or
// UDP and TCP of a name server. A Pod's connections to itself are none.
package dependency
