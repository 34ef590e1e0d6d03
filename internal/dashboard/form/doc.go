// Package form has the forms in which a page asks what would happen, as functions that return
// markup: the health checks of one container with what follows from them, and a fault that is
// simulated. They know neither a server nor a browser, so that every page that has them has the
// same ones.
package form
