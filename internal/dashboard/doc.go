// Package dashboard shows a run in a browser: the Pods with each attempt of their probes, what they
// print, Events, Services; and lets a person act on them. It is mounted by internal/system on a
// plain-HTTP listener of its own, on loopback.
//
// # Pages
//
// A page is HTML, made on the server for a normal request: its first content is never empty, and
// what is in an address can be linked. A page is a function that returns markup, and gets its frame
// from [Server.page]; routes.go lists all of them. Scripts in static/ are plain modules without a
// build step; they fetch parts of pages (the same functions) and bring figures up to date from one
// stream (stream.go).
//
// # Cost
//
// When nobody looks, nothing is computed: there is no goroutine, no watch and no timer but while a
// stream is open.
//
// # Who is let in
//
// Whoever has the once-token of a link gets a cookie; see signin.go. A request must name this
// server as its Host, and one that changes something, or opens a stream, must come from a page of
// this server; see security.go. Secret values are never part of a page.
package dashboard
