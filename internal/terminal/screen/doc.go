// Package screen is the live view of a run as values: what is known ([State]), what the person at
// the terminal chose to see ([View]), the picture of both ([View.Frame]), and what a key does
// ([View.Key]). It has no terminal, goroutine or clock, so a test needs none.
//
// Every text of others in a State is on one line and holds nothing that a terminal obeys: who fills
// a State in cleans it once. So the width of a frame adds up, and a frame holds no sequences but
// those of the theme.
package screen
