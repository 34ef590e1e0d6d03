//go:build watchers

package apiserver

import "testing"

// TestAllWatchers takes a minute: fifty watchers of ten thousand changes, over five connections
// each. None is lost, none comes twice, and the order is kept.
func TestAllWatchers(t *testing.T) { watchAll(t, 50, 10_000, 5) }
