// Package tune recommends the timings of probes from what was measured of a service, and promises
// no more than the measurement supports.
//
//   - [Series] is what was measured: starts, latency, stalls. It is kept in a file, checked as
//     somebody else's ([Read]) and joined with others ([Merge]).
//   - [Replay] counts how often a [Setting] would have restarted the service in the stalls of a
//     series, at many phases of the probe. [Limits] says what rate such a count excludes.
//   - [Recommend] chooses the numbers of every probe by [Objectives].
//
// It is pure; package measure makes a series of a manifest.
package tune
