// Package release tries the release script: what it refuses, and, with the build tag release, that
// each module can be had from a module proxy once it is tagged, and that what people install is
// what it should be: twice the same bytes, with licenses, in a root of Debian too. That takes
// minutes.
package release
