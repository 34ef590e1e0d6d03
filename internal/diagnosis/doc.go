// Package diagnosis says of a Pod how it is, why it is so, what follows from it, and what a person
// can do next: in the same words for the terminal, for lines in a pipe, and for the page.
//
// It decides by [Facts], which others gather, and has no clock, goroutine or I/O. A next step is
// given only if it follows from the facts.
package diagnosis
