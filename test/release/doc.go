// Package release tries the release script: what it refuses, and, with the build tag release, that
// each module can be had from a module proxy once it is tagged.
package release
