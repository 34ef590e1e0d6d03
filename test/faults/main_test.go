package faults

import (
	"testing"

	"github.com/probity-run/probity/test/harness"
)

// Three at a time: many of these tests start twenty Pods or more at once, and each of them needs a
// processor for it.
func TestMain(m *testing.M) { harness.MainParallel(m, 3) }
