package process

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestFaultValidate(t *testing.T) {
	tests := map[string]struct {
		fault Fault
		wrong string // part of the error; "" if there is none
	}{
		"stop":                  {Fault{Kind: FaultStop}, ""},
		"stop for a time":       {Fault{Kind: FaultStop, For: 8 * time.Second, Deadline: 8 * time.Second}, ""},
		"signal":                {Fault{Kind: FaultSignal, Signal: syscall.SIGKILL}, ""},
		"throttle":              {Fault{Kind: FaultThrottle, Share: 0.05}, ""},
		"all of a processor":    {Fault{Kind: FaultThrottle, Share: 1}, ""},
		"memory":                {Fault{Kind: FaultMemory, Limit: 1}, ""},
		"none":                  {Fault{}, "unknown fault 0"},
		"unknown":               {Fault{Kind: 99}, "unknown fault 99"},
		"no signal":             {Fault{Kind: FaultSignal}, "no signal 0"},
		"signal 65":             {Fault{Kind: FaultSignal, Signal: 65}, "no signal 65"},
		"no share":              {Fault{Kind: FaultThrottle}, "share of 0"},
		"two processors":        {Fault{Kind: FaultThrottle, Share: 2}, "share of 2"},
		"no number":             {Fault{Kind: FaultThrottle, Share: nan()}, "share of NaN"},
		"no memory":             {Fault{Kind: FaultMemory}, "0 bytes"},
		"negative time":         {Fault{Kind: FaultStop, For: -1}, "for -1ns"},
		"too long":              {Fault{Kind: FaultStop, For: MaxFault + 1}, "not from 0 to 1h0m0s"},
		"deadline too late":     {Fault{Kind: FaultStop, Deadline: MaxFault + 1}, "deadline of"},
		"longer than its limit": {Fault{Kind: FaultStop, For: 2, Deadline: 1}, "longer than its deadline"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			switch err := test.fault.Validate(); {
			case test.wrong == "" && err != nil:
				t.Errorf("Validate = %v, want nil", err)
			case test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)):
				t.Errorf("Validate = %v, want %q in it", err, test.wrong)
			}
		})
	}
}

func nan() float64 {
	var zero float64
	return zero / zero
}

func TestFaultLasts(t *testing.T) {
	tests := map[string]struct {
		fault Fault
		want  time.Duration
	}{
		"nothing said": {Fault{}, MaxFault},
		"a time":       {Fault{For: 3}, 3},
		"a deadline":   {Fault{Deadline: 5}, 5},
		"both":         {Fault{For: 3, Deadline: 5}, 3},
	}
	for name, test := range tests {
		if got := test.fault.lasts(); got != test.want {
			t.Errorf("%s: lasts = %v, want %v", name, got, test.want)
		}
	}
}
