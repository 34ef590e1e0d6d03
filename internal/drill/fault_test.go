package drill

import (
	"strings"
	"testing"
	"time"
)

func TestParseFault(t *testing.T) {
	for text, want := range map[string]Fault{
		"hang":                              {Kind: KindHang},
		"hang+8s":                           {Kind: KindHang, Length: 8 * time.Second, Exact: true},
		"hang,workload=deployment/web":      {Kind: KindHang, Workload: "deployment/web"},
		"hang,container=proxy":              {Kind: KindHang, Container: "proxy"},
		"fds,workload=web,container=proxy":  {Kind: KindFDs, Workload: "web", Container: "proxy"},
		"crash":                             {Kind: KindCrash, Number: 137},
		"crash=143":                         {Kind: KindCrash, Number: 143},
		"throttle=20%+5s":                   {Kind: KindThrottle, Number: 0.2, Length: 5 * time.Second, Exact: true},
		"memory=64Mi":                       {Kind: KindMemory, Bytes: 64 << 20, Length: outsideLength},
		"memory=64Mi+1m":                    {Kind: KindMemory, Bytes: 64 << 20, Length: time.Minute, Exact: true},
		"overload=2.5x":                     {Kind: KindOverload, Number: 2.5, Length: outsideLength},
		"held=20":                           {Kind: KindHeld, Number: 20, Length: outsideLength},
		"dependency-outage:db":              {Kind: KindDependency, Dependency: "db", Mode: "down", Length: outsideLength},
		"dependency-outage:db=hang+20s":     {Kind: KindDependency, Dependency: "db", Mode: "hang", Length: 20 * time.Second, Exact: true},
		"dependency-outage:db=slow:300ms":   {Kind: KindDependency, Dependency: "db", Mode: "slow", Delay: 300 * time.Millisecond, Length: outsideLength},
		"dependency-outage:db=dead+3s":      {Kind: KindDependency, Dependency: "db", Mode: "dead", Length: 3 * time.Second, Exact: true},
		"dns":                               {Kind: KindDependency, Dependency: "dns", Mode: "down", Length: outsideLength},
		"dns=slow:5s+20s":                   {Kind: KindDependency, Dependency: "dns", Mode: "slow", Delay: 5 * time.Second, Length: 20 * time.Second, Exact: true},
		"dns@start":                         {Kind: KindDependency, Dependency: "dns", Mode: "down", AtStart: true, Length: outsideLength},
		"gc-stall=8s/1h":                    {Kind: KindGCStall, Length: 8 * time.Second},
		"pool:db":                           {Kind: KindPool, Dependency: "db", Number: 10, Length: outsideLength},
		"pool:db=20x+5s,workload=web":       {Kind: KindPool, Dependency: "db", Number: 20, Length: 5 * time.Second, Exact: true, Workload: "web"},
		"dependency-outage:db@start+15s":    {Kind: KindDependency, Dependency: "db", Mode: "down", AtStart: true, Length: 15 * time.Second, Exact: true},
		"dependency-outage:10.0.0.1.5432":   {Kind: KindDependency, Dependency: "10.0.0.1.5432", Mode: "down", Length: outsideLength},
		"dependency-outage:db,workload=web": {Kind: KindDependency, Dependency: "db", Mode: "down", Length: outsideLength, Workload: "web"},
	} {
		want.Word = text
		if got, err := ParseFault(text); err != nil || got != want {
			t.Errorf("ParseFault(%q) = %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestRefusedFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "unknown fault",
		"explode":                    "unknown fault \"explode\": there are hang, crash",
		"kubelet-restart@90s":        "only a simulation can",
		"refuse":                     "only a simulation can",
		"hang@60s":                   "when it begins, the drill decides",
		"hang=5":                     "write it as hang",
		"hang+":                      "no length",
		"hang+-1s":                   "no length",
		"hang+2h":                    "no length up to 1h0m0s",
		"stop+3s":                    "write it as stop",
		"crash=1":                    "no exit code of a signal",
		"crash=145":                  "which ends no process",
		"crash=147":                  "which ends no process",
		"crash=151":                  "which ends no process",
		"crash=156":                  "which ends no process",
		"throttle=5":                 "no share",
		"throttle=0%":                "no share",
		"throttle=NaN%":              "no share",
		"overload=1x":                "no factor",
		"memory":                     "no amount of memory",
		"memory=12k":                 "no amount of memory",
		"held=0":                     "no number",
		"dependency-outage":          "write it as dependency-outage:db",
		"dependency-outage:db=dead2": "none of down",
		"dependency-outage:db=slow":  "none of down",
		"hang:db":                    "write it as hang",
		"dns:db":                     "write it as dns",
		"dns=gone":                   "none of down",
		"pool":                       "write it as pool:db",
		"pool:db@start":              "write it as pool:db",
		"gc-stall":                   "how often",
		"gc-stall=8s":                "how often",
		"gc-stall=8s/2s":             "not longer than the stall",
		"gc-stall=8s/1h+3s":          "write it as gc-stall",
		"hang,workload=":             "names no workload",
		"hang,container=":            "names no container",
		"hang,pod=web":               "none of workload=NAME and container=NAME",
		"stop,container=web":         "happens to no container alone",
	} {
		if got, err := ParseFault(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseFault(%q) = %+v, %v, want an error with %q", text, got, err, want)
		}
	}
}

// TestReferenceExamples has the examples of the reference be words, and each word have a title.
func TestReferenceExamples(t *testing.T) {
	for _, row := range kindRows() {
		for example := range strings.SplitSeq(row.syntax, ", ") {
			f, err := ParseFault(example)
			if err != nil || f.Title() == "" || f.Side() == SideNone {
				t.Errorf("%q: %+v, title %q, side %q, %v", example, f, f.Title(), f.Side(), err)
			}
			if !strings.Contains(Reference(), example) {
				t.Errorf("%q is not in the reference", example)
			}
		}
	}
}

func FuzzParseFault(f *testing.F) {
	for _, row := range kindRows() {
		for example := range strings.SplitSeq(row.syntax, ", ") {
			f.Add(example)
		}
	}
	f.Add("dependency-outage:a=slow:1s@start+2s,workload=x")
	f.Fuzz(func(t *testing.T, text string) {
		fault, err := ParseFault(text)
		if err != nil {
			return
		}
		if fault.Word != text || fault.Length < 0 || fault.Length > maxLength || fault.Side() == SideNone || fault.Title() == "" {
			t.Errorf("ParseFault(%q) = %+v", text, fault)
		}
	})
}

// TestLasting: the word of a fault that lasts for another time.
func TestLasting(t *testing.T) {
	for word, want := range map[string]string{"memory=64Mi": "memory=64Mi+1m", "memory=64Mi+12s,container=web": "memory=64Mi+1m,container=web"} {
		f, err := ParseFault(word)
		if err != nil || f.lasting(time.Minute) != want {
			t.Errorf("%s becomes %s, %v; want %s", word, f.lasting(time.Minute), err, want)
		}
	}
}
