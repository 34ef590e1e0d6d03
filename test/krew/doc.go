// Package krew has krew itself judge and install the plugin of release/recipes, from an archive
// that is made here in place of a release's.
//
//	GOWORK=off go -C test/krew test ./...
//
// It is a module of its own, outside the workspace, so that krew is built with versions of its own.
// Nothing is fetched but modules: krew gets the archive as a file.
package krew
