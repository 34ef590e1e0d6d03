// Package h1 is what a hop does with HTTP/1 messages: it reads heads and chunks strictly, decides
// where a message ends, and writes the head that the next hop gets. It does no input or output and
// has no clock.
//
// A message that two programs could read in two ways is refused, not repaired, because a second
// request can hide in the difference. What is accepted goes on byte for byte, but for whole field
// lines that end at this hop or are written anew.
//
// The rules are those of RFC 9110 and RFC 9112; the comments name the sections. Nothing here is
// safe for concurrent use.
package h1
