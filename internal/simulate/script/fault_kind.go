package script

import (
	"cmp"
	"slices"
)

// FaultKind names a kind of faults. What is known of a kind stands in its row below, and nowhere
// else is one kind told from another.
type FaultKind string

// The kinds of faults.
const (
	FaultHang    FaultKind = "hang"
	FaultRefuse  FaultKind = "refuse"
	FaultStatus  FaultKind = "status"
	FaultError   FaultKind = "error"
	FaultSlow    FaultKind = "slow"
	FaultExit    FaultKind = "exit"
	FaultOutage  FaultKind = "dependency-outage"
	FaultKubelet FaultKind = "kubelet-restart"
	FaultRollout FaultKind = "rollout"

	FaultThrottle       FaultKind = "throttle"
	FaultDescriptors    FaultKind = "fds"
	FaultSlowDependency FaultKind = "dependency-slow"
)

// defaultShare of a processor is what a throttle leaves.
const defaultShare = 0.05

// kindRow is what is known of a kind of faults.
type kindRow struct {
	kind FaultKind
	// takes are the fields of a script that only this kind, or few kinds, have a use for.
	takes        []string
	needsLatency bool
	// problem is what is wrong with a fault of this kind, or ""; nil means nothing.
	problem func(f *Fault) string
	// effect is what a fault of this kind does.
	effect func(f *Fault) Effect
	// dependency: see [Fault.OfDependency].
	dependency bool
	detection  Detection
	// summary is what the summary says of it instead of how probes reacted; empty means that.
	summary string
	// note is its clause in the reference of the field fault. What has none is explained by its
	// ready-made fault.
	note string
	// readyMade is the name of a ready-made fault of this kind; empty if there is none.
	readyMade string
}

// kindRows is the table of fault kinds, in the order of the reference.
func kindRows() []kindRow {
	return []kindRow{
		{kind: FaultHang, readyMade: "hang", effect: func(f *Fault) Effect {
			return Effect{Stalls: true, StallsProcess: f.asReadiness(), FailsRequests: f.asReadiness()}
		}},
		{kind: FaultRefuse, readyMade: "refuse", effect: func(f *Fault) Effect {
			return Effect{Refuses: true, FailsRequests: f.asReadiness()}
		}},
		{kind: FaultStatus, readyMade: "errors", takes: []string{"reply"},
			problem: func(f *Fault) string {
				if f.Reply.Kind == ReplyHang {
					return "a status fault replies with a status code; for silence there is the fault hang"
				}
				return ""
			},
			effect: func(f *Fault) Effect { return Effect{Reply: f.Reply, FailsRequests: f.asReadiness()} }},
		{kind: FaultError, note: "error is an answer that cannot be evaluated and counts for nothing; to a gRPC probe it is a failure",
			effect: func(*Fault) Effect { return Effect{Reply: Reply{Kind: ReplyError}} }},
		{kind: FaultSlow, readyMade: "slow", note: "slow adds to the latency", takes: []string{"latency", "ramp"}, needsLatency: true,
			detection: DetectionOptional,
			effect:    func(f *Fault) Effect { return Effect{Latency: f.Latency, Ramp: f.Ramp} }},
		{kind: FaultExit, readyMade: "crash", takes: []string{"code"},
			detection: DetectionNone, summary: "the process ended",
			effect: func(f *Fault) Effect { return Effect{EndsProcess: true, ExitCode: f.Code} }},
		{kind: FaultOutage, readyMade: "dependency-outage", takes: []string{"reply"}, dependency: true, effect: func(f *Fault) Effect {
			return Effect{Stalls: f.Reply.Kind == ReplyHang, Reply: f.Reply, FailsRequests: true}
		}},
		{kind: FaultKubelet, readyMade: "kubelet-restart", detection: DetectionNone,
			effect: func(*Fault) Effect { return Effect{RestartsKubelet: true} }},
		{kind: FaultRollout, readyMade: "rollout", detection: DetectionNone,
			effect: func(*Fault) Effect { return Effect{RollsOut: true} }},
		{kind: FaultThrottle, readyMade: "throttle", takes: []string{"share"}, detection: DetectionOptional,
			effect: func(f *Fault) Effect { return Effect{Factor: 1 / cmp.Or(f.Share, defaultShare)} }},
		{kind: FaultDescriptors, readyMade: "fds",
			effect: func(f *Fault) Effect { return Effect{Stalls: true, FailsRequests: f.asReadiness()} }},
		{kind: FaultSlowDependency, note: "dependency-slow adds to the latency of what checks the dependency", takes: []string{"latency", "ramp"}, needsLatency: true,
			dependency: true, detection: DetectionOptional,
			effect: func(f *Fault) Effect { return Effect{Latency: f.Latency, Ramp: f.Ramp} }},
	}
}

// Detection is what probes have to do with faults of this kind.
func (k FaultKind) Detection() Detection {
	row, _ := k.row()
	return row.detection
}

// Summary is what a summary says of a fault of this kind instead of how probes reacted to it; empty
// if that is what it shall say.
func (k FaultKind) Summary() string {
	row, _ := k.row()
	return row.summary
}

// FaultKinds lists all kinds, in the order of the reference.
func FaultKinds() (all []FaultKind) {
	for _, row := range kindRows() {
		all = append(all, row.kind)
	}
	return all
}

// row finds what is known of a kind.
func (k FaultKind) row() (kindRow, bool) {
	rows := kindRows()
	i := slices.IndexFunc(rows, func(r kindRow) bool { return r.kind == k })
	if i < 0 {
		return kindRow{}, false
	}
	return rows[i], true
}

func kindNames() (names []string) {
	for _, kind := range FaultKinds() {
		names = append(names, string(kind))
	}
	return names
}

// kindsThatTake names the kinds that a field of a script is for.
func kindsThatTake(field string) []string {
	return kindsThat(func(row kindRow) bool { return slices.Contains(row.takes, field) })
}

func kindsThat(fit func(kindRow) bool) (names []string) {
	for _, row := range kindRows() {
		if fit(row) {
			names = append(names, string(row.kind))
		}
	}
	return names
}

// kindNotes are the clauses about single kinds in the reference of the field fault, the last row
// first.
func kindNotes() (notes []string) {
	for _, row := range slices.Backward(kindRows()) {
		if row.note != "" {
			notes = append(notes, row.note)
		}
	}
	return notes
}
