package proxy

import "testing"

// endpointsBusy makes endpoints that have these numbers of requests in flight.
func endpointsBusy(inFlight ...int64) []*endpoint {
	var list []*endpoint
	for _, n := range inFlight {
		p := &pod{}
		p.instance.Store(newInstance(p, func(*instance, int, int) {}))
		e := &endpoint{pod: p}
		e.inFlight.Store(n)
		list = append(list, e)
	}
	return list
}

func TestChoose(t *testing.T) {
	const withdraw, exit, eject = "withdraw", "exit", "eject"
	tests := map[string]struct {
		ready, terminating []int64        // in flight
		state              map[int]string // by index, the ready ones first
		criteria           criteria
		tried              []int
		want               int // -1: none
	}{
		"least busy":                                      {ready: []int64{2, 1, 3}, want: 1},
		"equally busy, by turn":                           {ready: []int64{1, 1, 1}, criteria: criteria{roundRobin: 2}, want: 2},
		"tried ones are left out":                         {ready: []int64{0, 5}, tried: []int{0}, want: 1},
		"R199 ready before terminating":                   {ready: []int64{9}, terminating: []int64{0}, want: 0},
		"R198 terminating ones last":                      {terminating: []int64{0}, want: 0},
		"R199 no terminating one beside tried ready ones": {ready: []int64{0}, terminating: []int64{0}, tried: []int{0}, want: -1},
		"withdrawn":                                       {ready: []int64{0, 5}, state: map[int]string{0: withdraw}, want: 1},
		"the last one withdrawn":                          {ready: []int64{0}, state: map[int]string{0: withdraw}, want: 0},
		"the last one withdrawn, only a ready one":        {ready: []int64{0}, state: map[int]string{0: withdraw}, criteria: criteria{readyOnly: true}, want: -1},
		"withdrawn is like terminating":                   {ready: []int64{3}, terminating: []int64{1}, state: map[int]string{0: withdraw}, want: 1},
		"never one whose process ended":                   {ready: []int64{0}, terminating: []int64{0}, state: map[int]string{0: exit, 1: exit}, want: -1},
		"ready one ended, other terminating":              {ready: []int64{0}, terminating: []int64{0}, state: map[int]string{0: exit}, want: 1},
		"ejected":                                         {ready: []int64{0, 5}, state: map[int]string{0: eject}, want: 1},
		"all ejected: tried anyway":                       {ready: []int64{1, 0}, state: map[int]string{0: eject, 1: eject}, want: 1},
		"all ejected, only a ready one":                   {ready: []int64{1, 0}, state: map[int]string{0: eject, 1: eject}, criteria: criteria{readyOnly: true}, want: -1},
		"R199 ejected before terminating":                 {ready: []int64{1}, terminating: []int64{0}, state: map[int]string{0: eject}, want: 0},
		"nothing":                                         {want: -1},
	}
	for name, test := range tests {
		table := &routingTable{ready: endpointsBusy(test.ready...), terminating: endpointsBusy(test.terminating...)}
		all := append(append([]*endpoint{}, table.ready...), table.terminating...)
		for i, state := range test.state {
			switch inst := all[i].pod.instance.Load(); state {
			case withdraw:
				inst.inFlight.setFlags(flagWithdrawn)
			case exit:
				inst.end("exited")
			case eject:
				all[i].ejectedIn.Store(inst)
			}
		}
		for _, i := range test.tried {
			test.criteria.tried = append(test.criteria.tried, all[i])
		}
		got := -1
		e, _ := table.choose(test.criteria)
		for i := range all {
			if all[i] == e {
				got = i
			}
		}
		if got != test.want {
			t.Errorf("%s: chose %d, want %d", name, got, test.want)
		}
	}
}

func TestChooseSticky(t *testing.T) {
	table := &routingTable{ready: endpointsBusy(0, 9)}
	want := criteria{sticky: table.ready[1]}
	if e, _ := table.choose(want); e != table.ready[1] {
		t.Error("R202: a client's endpoint was not chosen because it is busy")
	}
	table.ready[1].pod.instance.Load().inFlight.setFlags(flagWithdrawn)
	if e, _ := table.choose(want); e != table.ready[0] {
		t.Error("R202: an endpoint that is not usable any more was chosen")
	}
}
