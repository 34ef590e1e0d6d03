// Package compose holds what Probity reads in Compose files to what compose-go reads, the library
// of Docker Compose. It is a module of its own, outside of the workspace, because of what that
// library requires.
package compose
