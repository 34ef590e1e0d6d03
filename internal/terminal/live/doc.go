// Package live is the application that shows a run on a terminal: it gathers what is known of the
// run into a screen.State, draws it, and carries out what the person asks for.
//
//	store --> Show -----> hub --> gather --> screen.State --> View.Frame --> painter --> terminal
//	run   --> Say, Refused -->         keys --> View.Key --> Action --> Run
//
// A terminal that nobody reads holds up the goroutine of bubbletea and nobody else: those who have
// something to show put it into the hub and set a flag. So it is with a terminal that is gone, and
// a picture that panics ends the view and not the run.
package live
