package script

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/lifecycle"
)

func TestDecode(t *testing.T) {
	got, err := Decode("s.yaml", []byte(`
podSetup: 2s
endpointDelay: {uniform: {from: 0s, to: 1s}}
programs:
  web:
    startup: {lognormal: {median: 20s, p99: 50s}}
    beforeStartup: 503
    latency: {normal: {mean: 20ms, deviation: 5ms}}
    failures: 0.01
    shutdown: never
    exit: {after: {exponential: 1h}, code: 3}
    preStop: 5s
  "*": {startup: 1m30s}
faults:
- {fault: hang, every: {exponential: {mean: 1h}}, for: {constant: 8s}, name: gc, shared: true}
- {fault: status, at: 1d, for: 90s, container: web, probes: [readiness, liveness], path: /readyz, replicas: [0, 2], reply: 429, outlastsRestart: true}
- {fault: slow, at: 5m, latency: 3s, ramp: 10m}
- {fault: exit, at: 10s, code: 137}
- {fault: dependency-outage, at: 5m, for: 2m, probes: readiness, reply: hang}
`))
	if err != nil {
		t.Fatal(err)
	}
	unavailable := Reply{Kind: ReplyStatus, Code: 503}
	want := &Script{
		PodSetup: Fixed(2 * time.Second), EndpointDelay: Distribution{Shape: Uniform, B: time.Second},
		Programs: map[string]Program{
			"web": {
				Startup: Distribution{Shape: Lognormal, A: 20 * time.Second, B: 50 * time.Second}, Before: unavailable,
				Latency: Distribution{Shape: Normal, A: 20 * time.Millisecond, B: 5 * time.Millisecond}, Failures: 0.01, Shutdown: Fixed(Infinity),
				Exit: &Exit{After: Distribution{Shape: Exponential, A: time.Hour}, Code: 3}, PreStop: Fixed(5 * time.Second),
			},
			"*": {Startup: Fixed(90 * time.Second), Before: Reply{Kind: ReplyRefused}, Latency: Fixed(5 * time.Millisecond)},
		},
		Faults: []Fault{
			{Kind: FaultHang, Name: "gc", Every: &Distribution{Shape: Exponential, A: time.Hour}, For: new(Fixed(8 * time.Second)), Shared: true, Reply: unavailable, Code: 1},
			{Kind: FaultStatus, At: new(Fixed(Day)), For: new(Fixed(90 * time.Second)), Container: "web", Probes: []lifecycle.ProbeType{lifecycle.Readiness, lifecycle.Liveness},
				Path: "/readyz", Replicas: []int{0, 2}, Reply: Reply{Kind: ReplyStatus, Code: 429}, Outlasts: true, Code: 1},
			{Kind: FaultSlow, At: new(Fixed(5 * time.Minute)), Latency: 3 * time.Second, Ramp: 10 * time.Minute, Reply: unavailable, Code: 1},
			{Kind: FaultExit, At: new(Fixed(10 * time.Second)), Code: 137, Reply: unavailable},
			{Kind: FaultOutage, At: new(Fixed(5 * time.Minute)), For: new(Fixed(2 * time.Minute)), Probes: []lifecycle.ProbeType{lifecycle.Readiness}, Reply: Reply{Kind: ReplyHang}, Code: 1},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown field":        {"programs:\n  web: {start: 3s}", `s.yaml:2:9: programs.web.start: unknown field: did you mean "startup"?`},
		"unknown fault":        {"faults:\n- fault: hnag\n", `s.yaml:2:10: faults[0].fault: unknown fault "hnag": there are hang, refuse,`},
		"no fault":             {"faults: [{at: 3s}]", "the field fault is missing"},
		"negative time":        {"podSetup: -3s", `s.yaml:1:11: podSetup: cannot use the time -3s: it is negative`},
		"number without unit":  {"podSetup: 3", `podSetup: cannot read "3" as a time: write it as 500ms, 90s, 1h30m or 30d`},
		"eleven years":         {"podSetup: 4000d", `podSetup: cannot read "4000d" as a time`},
		"overflow":             {"podSetup: 3650d999h", "the most is ten years"},
		"list instead":         {"programs: [a]", "programs: a mapping from container names to programs is wanted here"},
		"scalar instead":       {"a script", "s.yaml:1:1: a mapping is wanted here, as in podSetup: …"},
		"twice":                {"podSetup: 1s\npodSetup: 2s", "s.yaml:2:1: podSetup: the field is there twice"},
		"no value":             {"podSetup:", "podSetup: the field has no value"},
		"unknown distribution": {"podSetup: {gamma: 3s}", "podSetup.gamma: unknown distribution"},
		"half a distribution":  {"podSetup: {uniform: {from: 3s}}", "podSetup.uniform: uniform takes from and to"},
		"uniform backwards":    {"podSetup: {uniform: {from: 3s, to: 1s}}", "to lies before from"},
		"lognormal":            {"podSetup: {lognormal: {median: 3s, p99: 3s}}", "the median must be positive and p99 larger"},
		"probability":          {"programs: {web: {failures: 2}}", `cannot use "2": a probability from 0 to 1 is wanted`},
		"not a number":         {"programs: {web: {failures: .nan}}", `cannot use ".nan"`},
		"exit code":            {"faults: [{fault: exit, code: 300}]", `cannot use "300": a whole number from 0 to 255 is wanted`},
		"slow without latency": {"faults: [{fault: slow, at: 1s}]", "a slow fault needs a latency"},
		"latency elsewhere":    {"faults: [{fault: hang, latency: 1s}]", "latency and ramp belong to the fault slow"},
		"too often":            {"faults: [{fault: hang, every: 1ms}]", "a mean of at least 1s is wanted"},
		"too often by chance":  {"faults: [{fault: hang, every: {exponential: 1ms}}]", "a mean of at least 1s is wanted"},
		"probe":                {"faults: [{fault: hang, probes: [ready]}]", `faults[0].probes[0]: cannot use "ready": startup, readiness or liveness is wanted`},
		"reply":                {"faults: [{fault: status, reply: refused}]", "refused connections are the fault refuse"},
		"not YAML":             {"podSetup: [", "s.yaml:1: not valid YAML"},
		"empty":                {"# nothing\n", "cannot use the script s.yaml: it is empty"},
		"two documents":        {"podSetup: 1s\n---\npodSetup: 2s", "a second document"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode("s.yaml", []byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestParseFault(t *testing.T) {
	second := func(n int) *Distribution { return new(Fixed(time.Duration(n) * time.Second)) }
	unavailable := Reply{Kind: ReplyStatus, Code: 503}
	for text, want := range map[string]*Script{
		"hang@60s":          {Faults: []Fault{{Kind: FaultHang, At: second(60)}}},
		"hang@60s+30s:web":  {Faults: []Fault{{Kind: FaultHang, At: second(60), For: second(30), Container: "web"}}},
		"crash@30s":         {Faults: []Fault{{Kind: FaultExit, At: second(30), Code: 1}}},
		"kubelet-restart@5": nil,
		"dependency-outage@60s+120s:web/liveness,readiness": {Faults: []Fault{{Kind: FaultOutage, At: second(60), For: second(120), Container: "web", Shared: true,
			Probes: []lifecycle.ProbeType{lifecycle.Liveness, lifecycle.Readiness}, Reply: unavailable}}},
		"flap": {Faults: []Fault{{Kind: FaultStatus, Every: second(60), For: second(30), Reply: unavailable, Probes: []lifecycle.ProbeType{lifecycle.Readiness}}}},
		"gc-stall=8s/1h": {Faults: []Fault{{Kind: FaultHang, Every: &Distribution{Shape: Exponential, A: time.Hour},
			For: &Distribution{Shape: Exponential, A: 8 * time.Second}}}},
		"slow=3s/10m":    {Faults: []Fault{{Kind: FaultSlow, Latency: 3 * time.Second, Ramp: 10 * time.Minute, Outlasts: true}}},
		"slow-start=90s": {Programs: map[string]Program{"*": {Startup: Fixed(90 * time.Second), Before: Reply{Kind: ReplyRefused}, Latency: Fixed(5 * time.Millisecond)}}},
		"crash=137@30s":  {Faults: []Fault{{Kind: FaultExit, At: second(30), Code: 137}}},
		"dependency-outage:db=hang@60s+20s/readiness": {Faults: []Fault{{Kind: FaultOutage, At: second(60), For: second(20), Shared: true, Reply: Reply{Kind: ReplyHang},
			Probes: []lifecycle.ProbeType{lifecycle.Readiness}}}},
		"dependency-outage:db=reset@60s+20s": {Faults: []Fault{{Kind: FaultOutage, At: second(60), For: second(20), Shared: true, Reply: unavailable}}},
		"dependency-outage:db=slow:300ms@60s": {Faults: []Fault{{Kind: FaultSlowDependency, At: second(60), Shared: true, Reply: unavailable,
			Latency: 300 * time.Millisecond}}},
		"dependency-outage:db@start+30s": {Faults: []Fault{{Kind: FaultOutage, At: second(0), For: second(30), Shared: true, Reply: unavailable}}},
		"dns=slow:5s@60s":                {Faults: []Fault{{Kind: FaultSlowDependency, At: second(60), Shared: true, Reply: unavailable, Latency: 5 * time.Second}}},
		"throttle=5%@60s+30s:web":        {Faults: []Fault{{Kind: FaultThrottle, At: second(60), For: second(30), Container: "web", Share: 0.05}}},
		"fds@60s":                        {Faults: []Fault{{Kind: FaultDescriptors, At: second(60)}}},
		"memory=64Mi@60s":                {Faults: []Fault{{Kind: FaultExit, At: second(60), Code: 137}}},
		"deadlock@60s":                   {Faults: []Fault{{Kind: FaultStatus, At: second(60), Reply: unavailable, Probes: []lifecycle.ProbeType{lifecycle.Liveness}}}},
		"crash=256@30s":                  nil, "crash=@30s": nil, "crash:db@30s": nil, "dependency-outage:@60s": nil, "dependency-outage:a/b@60s": nil, "dependency-outage:db=lost@60s": nil,
		"dependency-outage=slow@60s": nil, "dependency-outage=slow:0s@60s": nil, "dns:x@60s": nil, "dns@start": nil, "throttle=5@60s": nil, "throttle=0.5%@60s": nil,
		"throttle@60s": nil, "throttle=NaN%@60s": nil, "throttle=5%": nil, "memory@60s": nil, "memory=0Mi@60s": nil, "memory=64mi@60s": nil, "deadlock": nil, "slow-start=1x": nil, "slow-start=2x": nil, "slow=2x": nil,
		"hnag@60s": nil, "hang": nil, "hang@": nil, "hang@-3s": nil, "hang@3s+": nil, "hang@60s/ready": nil, "slow-start": nil, "slow-start=-1s": nil, "gc-stall=8s": nil,
		"gc-stall=0s/1h": nil, "flap=3s": nil, "": nil, "@": nil, "hang@60s:": nil, "hang=60s": nil,
	} {
		t.Run(text, func(t *testing.T) {
			s := &Script{}
			err := s.ParseFault(text)
			if want == nil {
				if err == nil {
					t.Errorf("accepted: %+v", s)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(want.Faults) > 0 {
				want.Faults[0].Name = text
			}
			if diff := cmp.Diff(want, s); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestSlowerStart: a factor slows the starts that a script knows.
func TestSlowerStart(t *testing.T) {
	s := &Script{Programs: map[string]Program{"web": {Startup: Distribution{Shape: Lognormal, A: 4 * time.Second, B: 9 * time.Second}}}}
	if err := s.ParseFault("slow-start=2x:web"); err != nil {
		t.Fatal(err)
	}
	if got, want := s.Programs["web"].Startup, (Distribution{Shape: Lognormal, A: 8 * time.Second, B: 18 * time.Second}); got != want {
		t.Errorf("start-up %+v, want %+v", got, want)
	}
}

// TestNotSimulated: what only a drill can do is refused by its name, with what can be simulated.
func TestNotSimulated(t *testing.T) {
	for _, name := range []string{"disk-full", "pool", "held=200", "overload=10x", "stop"} {
		err := (&Script{}).ParseFault(name)
		if err == nil || !strings.HasPrefix(err.Error(), "cannot simulate the fault ") || !strings.Contains(err.Error(), "simulat") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReferenceExample reads the example of the reference.
func TestReferenceExample(t *testing.T) {
	_, example, ok := strings.Cut(Reference(), "Example:\n")
	if !ok {
		t.Fatal("the reference has no example")
	}
	if _, err := Decode("example", []byte(example)); err != nil {
		t.Error(err)
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{"90s": 90 * time.Second, "1h30m": 90 * time.Minute, "30d": 30 * Day, "1.5d": 36 * time.Hour, "1d12h": 36 * time.Hour, "0s": 0} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for d, want := range map[time.Duration]string{90 * time.Second: "1m30s", 30 * time.Minute: "30m", 2 * time.Hour: "2h", 30 * Day: "30d", 36 * time.Hour: "1d12h", 0: "0s", 5644 * time.Millisecond: "5.644s"} {
		if got := FormatDuration(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestDistributions(t *testing.T) {
	for _, d := range []Distribution{
		Fixed(5 * time.Second), {Shape: Uniform, A: time.Second, B: 9 * time.Second}, {Shape: Normal, A: 5 * time.Second, B: 3 * time.Second},
		{Shape: Lognormal, A: 5 * time.Second, B: 20 * time.Second}, {Shape: Exponential, A: 5 * time.Second},
	} {
		for _, u := range []float64{0, 0.01, 0.3, 0.5, 0.9, 0.99, 0.999999} {
			q := d.Quantile(u)
			if q < 0 {
				t.Errorf("%v: quantile %g is %v", d, u, q)
			}
			if got := 1 - d.Exceeds(q); !d.IsFixed() && (got < u-1e-6 || got > u+1e-6) {
				t.Errorf("%v: the share below the quantile %g is %g", d, u, got)
			}
		}
	}
	if got := (Distribution{Shape: Lognormal, A: 40 * time.Second, B: 90 * time.Second}).Quantile(0.99); got.Round(time.Millisecond) != 90*time.Second {
		t.Errorf("p99 of a lognormal of p99 90s is %v", got)
	}
}

// TestNamesOfFaults: what a script calls a fault begins no line of a report.
func TestNamesOfFaults(t *testing.T) {
	s, err := Decode("s.yaml", []byte("faults: [{fault: hang, at: 60s, name: \"x\\n::error::y\\e[2J\"}]"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Faults[0].Name, `x\n::error::y\u001b[2J`; got != want {
		t.Errorf("name %q, want %q", got, want)
	}
}

// TestErrorsQuoteLittle: the script may be a link to any file.
func TestErrorsQuoteLittle(t *testing.T) {
	secret := strings.Repeat("s3cret", 150)
	var many strings.Builder
	for i := range 100 {
		fmt.Fprintf(&many, "s3cret%d: x\n", i)
	}
	for name, text := range map[string]string{
		"a word": secret, "a list": "[" + secret + "]", "a key": secret + ": x", "an alias": "a: *" + secret, "many keys": many.String(),
		"a fault": "faults: [{fault: " + secret + "}]", "a time": "faults: [{fault: hang, at: " + secret + "}]", "a negative time": "faults: [{fault: hang, at: -" + secret + "}]",
	} {
		_, err := Decode("s.yaml", []byte(text))
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if strings.Contains(err.Error(), secret[:90]) || strings.Count(err.Error(), "s3cret") > 40 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
