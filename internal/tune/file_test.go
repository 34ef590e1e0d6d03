package tune

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func example() *Series {
	return &Series{Schema: Schema, Host: "linux/amd64, 2 CPUs", Containers: []Container{{
		Workload: "deployment/web", Name: "server", Starts: []Start{{1.5, Alone}, {2.5, Together}},
		Endpoints: []Endpoint{{Probes: []string{"startup", "liveness"}, Request: Request{Text: "GET :http/livez"}, Windows: []Window{
			{Seconds: 120, Samples: 2400, Latency: Sketch{0, 0, 2400}},
			{Load: "20/s GET /", Seconds: 1080, Samples: 21600, Tainted: 3, Stalls: []Stall{{Begin: 10, Length: 2.1}, {Begin: 50, Length: 0.5, Errors: true}}, Slow: []Slow{{Begin: 60, Length: 5, Than: 2}}},
		}}},
		Counts: []Count{{Context: "prod", PodHours: 500, EventHours: 3, Restarts: 2, Liveness: &Setting{10, 1, 3}}},
	}}}
}

func TestFile(t *testing.T) {
	var file, again bytes.Buffer
	if err := example().Write(&file); err != nil {
		t.Fatal(err)
	}
	if err := example().Write(&again); err != nil || !bytes.Equal(file.Bytes(), again.Bytes()) {
		t.Errorf("equal series have different files (%v)", err)
	}
	got, err := Read(&file)
	if diff := cmp.Diff(example(), got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestReadRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":           {"", "it is no series"},
		"another file":      {"apiVersion: v1", "it is no series"},
		"another schema":    {`{"schema": "v9"}`, "was it written by another version"},
		"two":               {`{"schema": "probity.run/series/v1"} {}`, "something follows"},
		"no gzip":           {"\x1f\x8b....", "cannot be unpacked"},
		"a container twice": {wrap(`{"workload": "pod/a", "container": "b"}, {"workload": "pod/a", "container": "b"}`), "container pod/a/b twice"},
		"no name":           {wrap(`{"workload": "pod/a"}`), "it has no name"},
		"a start before":    {wrap(`{"workload": "pod/a", "container": "b", "starts": [{"seconds": -1, "how": "alone"}]}`), "starts[0] is none"},
		"a start of a kind": {wrap(`{"workload": "pod/a", "container": "b", "starts": [{"seconds": 1, "how": "so"}]}`), "starts[0] is none"},
		"a probe":           {endpoint(`"probes": ["x"]`), `there is no probe "x"`},
		"no length":         {endpoint(`"windows": [{"seconds": 0}]`), "it is 0 s long"},
		"endless":           {endpoint(`"windows": [{"seconds": 1e300}]`), "it is 1e+300 s long"},
		"tainted":           {endpoint(`"windows": [{"seconds": 1, "samples": 1, "tainted": 2}]`), "2 of them are tainted"},
		"less than none":    {endpoint(`"windows": [{"seconds": 1, "latency": [-1]}]`), "latency[0] is -1"},
		"a stall behind":    {endpoint(`"windows": [{"seconds": 10, "stalls": [{"begin": 100, "length": 1}]}]`), "stalls[0]"},
		"stalls that cross": {endpoint(`"windows": [{"seconds": 10, "stalls": [{"begin": 1, "length": 5}, {"begin": 2, "length": 1}]}]`), "stalls[1]"},
		"slow at no time":   {endpoint(`"windows": [{"seconds": 10, "slow": [{"begin": 1, "length": 100, "than": 1}]}]`), "slow[0]"},
		"slow than nothing": {endpoint(`"windows": [{"seconds": 10, "slow": [{"begin": 1, "length": 2}]}]`), "slow[0]"},
		"a count":           {wrap(`{"workload": "pod/a", "container": "b", "counts": [{"kills": -1}]}`), "counts[0]"},
		"numbers of a probe": {wrap(`{"workload": "pod/a", "container": "b", "counts": [{"liveness": {"Period": 0, "Timeout": 1, "Failures": 1}}]}`),
			"below 1"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Read(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func wrap(containers string) string {
	return `{"schema": "probity.run/series/v1", "containers": [` + containers + `]}`
}

func endpoint(fields string) string {
	return wrap(`{"workload": "pod/a", "container": "b", "endpoints": [{` + fields + `}]}`)
}

// What older versions wrote is read, and joined with what is written now.
func TestReadVersion1(t *testing.T) {
	s, err := Read(strings.NewReader(endpoint(`"probes": ["liveness"], "windows": [{"seconds": 10}]`)))
	if err != nil || s.Schema != Schema {
		t.Errorf("schema %v (%v), want %s", s, err, Schema)
	}
}

func TestReadCleans(t *testing.T) {
	s, err := Read(strings.NewReader(`{"schema": "probity.run/series/v1", "host": "\u001b[2Jx\ny"}`))
	if err != nil || strings.ContainsAny(s.Host, "\x1b\n") {
		t.Errorf("host %q (%v) would reach a terminal", s.Host, err)
	}
}

// FuzzRead: whatever somebody wrote, a series that is read can be judged, and written again.
func FuzzRead(f *testing.F) {
	var file bytes.Buffer
	if err := example().Write(&file); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Add([]byte(endpoint(`"probes": ["liveness"], "windows": [{"seconds": 100, "stalls": [{"begin": 1, "length": 90}]}]`)))
	f.Add([]byte(endpoint(`"probes": ["liveness"], "windows": [{"seconds": 100, "stalls": [{"begin": 1, "length": 9}], "slow": [{"begin": 5, "length": 60, "than": 60}]}]`)))
	f.Add([]byte(wrap(`{"workload": "pod/a", "container": "b", "starts": [{"seconds": 1e9, "how": "cluster"}], "counts": [{"podHours": 1, "restarts": 3}]}`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		for i := range s.Containers {
			c := &s.Containers[i]
			Recommend(c, Today{Workload: c.Workload, Container: c.Name, Liveness: &Setting{10, 1, 3}, Readiness: &Setting{5, 1, 1}}, Objectives{Detect: 30, Survive: 8, FalseRestarts: 1})
		}
		s.Script()
		var again bytes.Buffer
		if err := Merge(s, s).Write(&again); err != nil {
			t.Fatal(err)
		}
	})
}
