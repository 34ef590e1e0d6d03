// Package attach has a run drilled that others have started: [Drill] asks for it in one process,
// [Handler] does it in that of the run, where the processes, the front and its ledger are.
//
// They speak over one request to the API of the run. Its body is a [Request], and then stays open
// for as long as the drill is wanted: when it ends, in whatever way, the run undoes what it does.
// So nothing is left of a drill whose client was killed, and one that was interrupted still gets
// the report. The answer is a sequence of JSON values: lines that tell how far it is, then the
// report.
package attach
