// Package rules holds the rules of this repository, as tests.
//
// Nothing here runs beside anything else, so the race detector would only make it five times
// slower: with -race the package is empty.
package rules
