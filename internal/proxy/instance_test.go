package proxy

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestInstanceReportsLosses(t *testing.T) {
	type report struct{ requests, connections int }
	run := func(play func(inst *instance)) (reports []report) {
		p := &pod{}
		inst := newInstance(p, func(_ *instance, requests, connections int) { reports = append(reports, report{requests, connections}) })
		synctest.Test(t, func(*testing.T) { play(inst) })
		return reports
	}
	breakOff := func(inst *instance) {
		inst.inFlight.add(0)
		inst.requestBroke()
		inst.inFlight.done()
	}
	tests := map[string]struct {
		play func(inst *instance)
		want []report
	}{
		"nothing in flight": {func(inst *instance) { inst.end("exited") }, nil},
		"lost before the exit was known": {func(inst *instance) {
			breakOff(inst)
			inst.brokenRequestLost()
			time.Sleep(500 * time.Millisecond)
			inst.end("exited")
		}, []report{{1, 0}}},
		"lost long before the exit": {func(inst *instance) {
			breakOff(inst)
			inst.brokenRequestLost()
			time.Sleep(1100 * time.Millisecond)
			inst.end("exited")
		}, nil},
		"answered elsewhere": {func(inst *instance) {
			breakOff(inst)
			inst.brokenRequestNotLost()
			inst.end("exited")
		}, nil},
		"decided after the exit": {func(inst *instance) {
			breakOff(inst)
			inst.end("exited")
			time.Sleep(10 * time.Second)
			inst.brokenRequestLost()
		}, []report{{1, 0}}},
		"reported when nothing is in flight": {func(inst *instance) {
			inst.inFlight.add(0)
			inst.inFlight.add(0)
			inst.connectionCut()
			inst.inFlight.done()
			inst.end("exited")
			inst.end("exited again")
			time.Sleep(10 * time.Second)
			inst.requestBroke()
			inst.brokenRequestLost()
			inst.inFlight.done()
		}, []report{{1, 1}}},
	}
	for name, test := range tests {
		if diff := cmp.Diff(test.want, run(test.play), cmp.AllowUnexported(report{})); diff != "" {
			t.Errorf("%s: want, got\n%s", name, diff)
		}
	}
}
