// Package metrics is what numbers of a run are kept in and told by: a [Histogram] that costs nobody
// a lock, and a [Writer] of Prometheus' text format.
//
// Nothing is registered: who is asked reads the counters and writes the [Family] after the other.
// So a series exists as long as what it tells of, and nothing is computed when nobody asks.
package metrics
