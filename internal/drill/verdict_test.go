package drill

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const second = Offset(time.Second)

// seconds is a moment.
func seconds(s float64) *Offset { return new(Offset(s * float64(time.Second))) }

// scene is evidence in the making: two replicas, a and b, of a service with a readiness probe that
// acts within 3 s and a liveness probe that acts within 10 s. The fault begins at 10 s, in a.
type scene struct{ evidence }

func newScene(t *testing.T, fault string) *scene {
	t.Helper()
	f := Fault{Word: fault, Kind: KindBaseline}
	if fault != string(KindBaseline) {
		var err error
		if f, err = ParseFault(fault); err != nil {
			t.Fatal(err)
		}
	}
	w := &Workload{Name: "deployment/web", Replicas: 2, Container: "web", Service: "web", Grace: 5 * second, Start: second, Probes: []Probe{
		{Type: "Readiness", Period: 2 * second, Timeout: second, Failures: 1, Successes: 1},
		{Type: "Liveness", Period: 3 * second, Timeout: second, Failures: 3, Successes: 1},
	}}
	rep := &Repetition{Number: 1, Pod: "a", Begin: 10 * second, End: 30 * second, Until: 35 * second, Sent: 35 * second, Replicas: []Replica{{Pod: "a", Ready: true}, {Pod: "b", Ready: true}}}
	return &scene{evidence{Repetition: rep, fault: f, workload: w, delay: time.Second, window: Offset(settleTime)}}
}

// requests sends n of a class to a Pod, one each 100 ms from a moment on.
func (s *scene) requests(pod, class string, from float64, n int, failed bool) {
	for i := range n {
		s.Requests = append(s.Requests, Request{At: *seconds(from + float64(i)/10), Took: second / 100, Pod: pod, Class: class, Failed: failed, Refused: pod == ""})
	}
}

// answers are attempts of a Pod's readiness probe, n of them, one each 500 ms from a moment on.
// From the one with that number on they fail.
func (s *scene) answers(from float64, pod string, bad, n int) {
	for i := range max(n, bad) {
		s.Attempts = append(s.Attempts, Attempt{At: *seconds(from + float64(i)/2), Pod: pod, Container: "web", Probe: "Readiness", Success: i+1 < bad})
	}
}

func (s *scene) change(at float64, pod string, kind ChangeKind, text string) {
	s.Changes = append(s.Changes, Change{At: *seconds(at), Pod: pod, Kind: kind, Text: text})
	for i := range s.Replicas {
		if r := &s.Replicas[i]; r.Pod == pod && kind == ChangeDecided {
			r.Restarts++
		}
	}
}

// verdictOf is what a rule says; nil if it does not apply.
func verdictOf(s *scene, id string) *Verdict {
	for _, r := range rules() {
		if r.id == id {
			return r.judge(s.evidence)
		}
	}
	return nil
}

type verdictTest struct {
	fault string
	scene func(s *scene)
	want  string // word, "" if the rule does not apply
	text  string // in the verdict's text
	grade Grade
}

func checkRule(t *testing.T, id string, tests map[string]verdictTest) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, test.fault)
			test.scene(s)
			v := verdictOf(s, id)
			switch {
			case v == nil && test.want == "":
			case v == nil:
				t.Errorf("no verdict, want %q", test.want)
			case v.Word != test.want || !strings.Contains(v.Text, test.text) || test.want != "" && v.Grade != test.grade:
				t.Errorf("%s %q: %s, want %s %q: …%s…", v.Grade, v.Word, v.Text, test.grade, test.want, test.text)
			}
		})
	}
}

// killed is a restart as the numbers have it.
func killed(after, replaced float64) func(*scene) {
	return func(s *scene) {
		s.Predicted.Killed, s.Measured.Killed, s.Measured.Replaced = seconds(8.5), seconds(after), seconds(replaced)
	}
}

func TestV1RestartedInTime(t *testing.T) {
	checkRule(t, "V1", map[string]verdictTest{
		"as predicted":       {"hang", killed(8.6, 9), "caught", "8.6s", GradePass},
		"a long grace":       {"hang", killed(8.5, 14), "caught", "replacing it took 5.5s more", GradePass},
		"later":              {"hang", killed(8.8, 9), "late", "had to be after 8.5s", GradeFail},
		"its own lag counts": {"deadlock", func(s *scene) { killed(13, 14)(s); s.OwnLag = seconds(4.4) }, "caught", "13s", GradePass},
		"never":              {"hang", func(*scene) {}, "missed", "let it be", GradeFail},
		"nothing to do it":   {"hang", func(s *scene) { s.workload.Probes = s.workload.Probes[:1] }, "missed", "no liveness probe", GradeFail},
		"another one restarts": {"hang", func(s *scene) {
			s.workload.Probes = s.workload.Probes[:1]
			s.change(14, "a", ChangeDecided, "Liveness")
			s.Changes[0].Container = "proxy"
		}, "missed", "container web has no liveness probe; restarted was proxy instead", GradeFail},
		"its probe asks another": {"hang", func(s *scene) {
			s.change(14, "a", ChangeDecided, "Liveness")
			s.Changes[0].Container = "proxy"
		}, "missed", "broken for 20s, and its liveness probe let it be; restarted was proxy instead", GradeFail},
		"never replaced":    {"hang", func(s *scene) { killed(8.5, 0)(s); s.Measured.Replaced = nil; s.workload.Grace = 600 * second }, "late", "grace period is 10m", GradeFail},
		"replaced late":     {"hang", killed(8.5, 17), "late", "", GradeFail},
		"outside":           {"throttle=5%", killed(8.5, 9), "", "", ""},
		"a stall that ends": {"hang+6s", killed(8.5, 9), "", "", ""},
	})
}

func TestV2NotRestarted(t *testing.T) {
	once := func(s *scene) { s.change(16, "a", ChangeDecided, "Liveness") }
	checkRule(t, "V2", map[string]verdictTest{
		"nothing":         {"throttle=5%", func(*scene) {}, "passed", "", GradePass},
		"one restart":     {"dependency-outage:db", once, "false restart", "1 of 2 replicas restarted by the Liveness probe", GradeFail},
		"again and again": {"dependency-outage:db", func(s *scene) { once(s); s.change(20, "a", ChangeDecided, "Liveness") }, "restart loop", "2 restarts", GradeFail},
		"by which probe":  {"dependency-outage:db", func(s *scene) { s.change(9, "b", ChangeDecided, "Startup"); s.Replicas[1].Restarts = 0; once(s) }, "false restart", "by the Liveness probe", GradeFail},
		"at the start": {"baseline", func(s *scene) {
			s.Begin = 0
			s.change(1, "a", ChangeDecided, "Startup")
			s.change(2, "a", ChangeDecided, "Startup")
		}, "restart loop", "Startup", GradeFail},
		"it ends by itself": {"dependency-outage:db", func(s *scene) { s.Replicas[1].Exits = 1 }, "false restart", "ended by itself", GradeFail},
		"never ready":       {"baseline", func(s *scene) { s.Replicas[1].Ready = false }, "never ready", "not ready after 25s", GradeFail},
		"inside":            {"hang", once, "", "", ""},
		"a stall":           {"hang+6s", once, "false restart", "", GradeFail},
	})
}

func TestV3NotGreenWhileFailing(t *testing.T) {
	checkRule(t, "V3", map[string]verdictTest{
		"ready and failing":    {"hang", func(s *scene) { s.requests("a", "GET /", 16, 20, true) }, "green while failing", "a stayed ready while 20 of the 20", GradeFail},
		"a few failures":       {"hang", func(s *scene) { s.requests("a", "GET /", 16, 40, false); s.requests("a", "GET /", 16, 2, true) }, "passed", "", GradePass},
		"before it can notice": {"hang", func(s *scene) { s.requests("a", "GET /", 10, 40, true) }, "", "", ""},
		"it left": {"hang", func(s *scene) {
			s.change(12, "a", ChangeUnready, "")
			s.requests("a", "GET /", 16, 20, true)
			s.requests("b", "GET /", 16, 20, false)
		}, "passed", "", GradePass},
		"the front is late":         {"hang", func(s *scene) { s.change(15.5, "a", ChangeUnready, ""); s.requests("a", "GET /", 15.5, 11, true) }, "", "", ""},
		"others need no dependency": {"dependency-outage:db", func(s *scene) { s.requests("a", "GET /", 10, 60, false); s.requests("a", "POST /", 10, 100, true) }, "", "", ""},
		"all need it":               {"dependency-outage:db", func(s *scene) { s.requests("a", "POST /", 10, 100, true) }, "green while failing", "", GradeFail},
		"declared, so it has to go": {"dependency-outage:db", func(s *scene) {
			s.owned = true
			s.requests("a", "GET /", 10, 60, false)
			s.requests("a", "POST /", 10, 100, true)
		}, "green while failing", "", GradeFail},
		"own lag is said": {"hang", func(s *scene) {
			s.answers(10.5, "a", 3, 7)
			s.change(13.5, "a", ChangeUnready, "")
			s.requests("b", "GET /", 16, 20, false)
		}, "passed", "who was ready answered; its own answers turned bad 1s late (own lag)", GradePass},
		"own lag is no more than it was": {"hang", func(s *scene) { s.answers(10.5, "a", 1, 7); s.requests("a", "GET /", 13.1, 20, true) }, "green while failing", "20 of the 20", GradeFail},
		"own lag has a limit": {"hang", func(s *scene) {
			s.answers(10.5, "a", 12, 7)
			s.requests("a", "GET /", 15, 20, true)
		}, "green while failing", "turned bad 5.5s late, of which 2s are allowed", GradeFail},
		"an end":                      {"stop", func(s *scene) { s.requests("a", "GET /", 16, 20, true) }, "", "", ""},
		"no readiness probe to do it": {"hang", func(s *scene) { s.workload.Probes = nil; s.requests("a", "GET /", 13, 20, true) }, "green while failing", "", GradeFail},
	})
}

func TestV4NotRedWhileWorking(t *testing.T) {
	checkRule(t, "V4", map[string]verdictTest{
		"killed while it answered": {"overload=2x", func(s *scene) { s.requests("a", "GET /", 12, 40, false); s.change(17, "a", ChangeDecided, "Liveness") }, "red while working", "40 of 40", GradeFail},
		"killed while it did not":  {"overload=2x", func(s *scene) { s.requests("a", "GET /", 12, 40, true); s.change(17, "a", ChangeDecided, "Liveness") }, "", "", ""},
		"inside":                   {"fds", func(s *scene) { s.requests("a", "GET /", 12, 40, false); s.change(17, "a", ChangeDecided, "Liveness") }, "", "", ""},
		"not killed":               {"overload=2x", func(s *scene) { s.requests("a", "GET /", 12, 40, false) }, "", "", ""},
	})
}

func TestV5Recovered(t *testing.T) {
	checkRule(t, "V5", map[string]verdictTest{
		"all ready":              {"dependency-outage:db", func(*scene) {}, "recovered", "", GradePass},
		"one never comes back":   {"dependency-outage:db", func(s *scene) { s.Replicas[1].Ready = false }, "stuck", "b was not ready again 5s", GradeFail},
		"ready, and still fails": {"dependency-outage:db", func(s *scene) { s.requests("b", "POST /", 33.6, 12, true) }, "stuck", "12 of 12", GradeFail},
		"hangs, until nobody waits": {"dependency-outage:db", func(s *scene) { // for the answers, after the last was sent
			s.requests("b", "POST /", 30, 50, true)
			s.Until = 40 * second
		}, "stuck", "of 15 requests still failed 5s after", GradeFail},
		"few requests a second": {"dependency-outage:db", func(s *scene) {
			s.window = Offset(sample(1, 1))
			for i := range 9 {
				s.requests("b", "POST /", 26.5+float64(i), 1, true)
			}
		}, "stuck", "9 of 9 requests", GradeFail},
		"ready before it answers": {"hang", func(s *scene) {
			killed(8.5, 9)(s)
			s.change(19, "a", ChangeStarted, "")
			s.change(19, "a", ChangeUnready, "")
			s.requests("a", "GET /", 19.1, 5, false) // not ready yet
			s.change(29, "a", ChangeReady, "")
			s.requests("a", "GET /", 30, 20, true)
			s.requests("a", "GET /", 33, 20, false)
			s.requests("b", "GET /", 33, 20, false)
		}, "ready too soon", "20 of the 40 requests", GradeFail},
		"the old one failed": {"hang", func(s *scene) {
			killed(8.5, 9)(s)
			s.requests("a", "GET /", 10, 80, true)
			s.change(19, "a", ChangeStarted, "")
			s.requests("a", "GET /", 31, 20, false)
		}, "recovered", "", GradePass},
		"V1 says it":             {"hang", func(s *scene) { s.Replicas[0].Ready = false }, "", "", ""},
		"the drill restarted it": {"deadlock", func(s *scene) { s.Measured.Replaced = seconds(20.1) }, "", "", ""},
		"not after its restart":  {"hang", func(s *scene) { killed(8.5, 9)(s); s.Replicas[0].Ready = false }, "stuck", "", GradeFail},
	})
}

func TestV6FleetStayed(t *testing.T) {
	empty := func(s *scene) {
		s.requests("a", "GET /", 10, 10, false)
		s.requests("b", "POST /", 10, 10, true)
		s.change(11.5, "a", ChangeUnready, "")
		s.change(12, "b", ChangeUnready, "")
		s.requests("", "GET /", 13, 30, true)
		s.requests("", "POST /", 13, 30, true)
	}
	checkRule(t, "V6", map[string]verdictTest{
		"emptied":               {"dependency-outage:db", empty, "fleet emptied", "30 requests that need no db were refused (GET /)", GradeWarning},
		"by restarts":           {"dependency-outage:db", func(s *scene) { s.change(11, "a", ChangeDecided, "Liveness"); empty(s) }, "", "", ""},
		"by an earlier restart": {"dependency-outage:db", func(s *scene) { s.change(9, "a", ChangeDecided, "Liveness"); empty(s) }, "fleet emptied", "", GradeWarning},
		"declared":              {"dependency-outage:db", func(s *scene) { empty(s); s.owned = true }, "declared", "", GradePass},
		"one stayed":            {"dependency-outage:db", func(s *scene) { s.change(11.5, "a", ChangeUnready, "") }, "passed", "", GradePass},
		"other fault":           {"throttle=5%", empty, "", "", ""},
	})
}

func TestV7NothingLost(t *testing.T) {
	checkRule(t, "V7", map[string]verdictTest{
		"nothing":                    {"stop", func(s *scene) { s.requests("b", "GET /", 10, 40, false) }, "passed", "", GradePass},
		"after it stopped to listen": {"stop", func(s *scene) { s.requests("b", "GET /", 10, 40, false); s.requests("a", "GET /", 10, 5, true) }, "lost 5 of 45", "endpoints change later", GradeFail},
		"a few elsewhere":            {"stop", func(s *scene) { s.requests("b", "GET /", 10, 57, false); s.requests("b", "GET /", 10, 3, true) }, "passed", "", GradePass},
		"too many for the others": {"crash", func(s *scene) {
			s.requests("b", "GET /", 12, 40, false)
			s.requests("b", "GET /", 14, 5, true)
		}, "lost 5 of 45", "5 of them at replicas that nothing was done to", GradeFail},
		"at a new process": {"stop", func(s *scene) {
			s.change(12, "c", ChangeStarted, "")
			s.change(13, "c", ChangeReady, "")
			s.requests("c", "GET /", 14, 5, true)
			s.requests("a", "GET /", 10, 2, true)
		}, "lost 7 of 7", "5 of them at replicas that had started anew and were ready, 2 at those", GradeFail},
		"nobody else": {"stop", func(s *scene) { s.Replicas = s.Replicas[:1]; s.requests("", "GET /", 10, 5, true) }, "lost 5 of 5", "there is one replica", GradeFail},
		"those before": {"stop", func(s *scene) {
			s.requests("", "GET /", 9, 5, true)
			s.requests("b", "GET /", 9.995, 2, false)
		}, "passed", "no request lost", GradePass},
		"those in flight at a crash":    {"crash", func(s *scene) { s.requests("a", "GET /", 9.995, 15, true) }, "passed", "the 15 requests", GradePass},
		"those after a crash was known": {"crash", func(s *scene) { s.requests("a", "GET /", 12.5, 3, true) }, "lost 3 of 3", "", GradeFail},
		"no load":                       {"stop", func(*scene) {}, "", "", ""},
		"a rollout":                     {"rollout", func(s *scene) { s.requests("", "GET /", 10, 3, true); s.requests("a", "GET /", 10, 2, true) }, "lost 5 of 5", "2 of them at replicas that listened no longer, 3 while no replica was ready", GradeFail},
	})
}

func TestV8StartedWithout(t *testing.T) {
	checkRule(t, "V8", map[string]verdictTest{
		"waits":          {"dependency-outage:db@start", func(*scene) {}, "passed", "started without db", GradePass},
		"exits":          {"dependency-outage:db@start", func(s *scene) { s.Replicas[0].Exits = 3 }, "crash loop", "3 times", GradeFail},
		"not start":      {"dependency-outage:db", func(s *scene) { s.Replicas[0].Exits = 3 }, "", "", ""},
		"is killed":      {"dependency-outage:db@start", func(s *scene) { s.change(15, "a", ChangeDecided, "Startup") }, "", "", ""},
		"is killed, too": {"dependency-outage:db@start", func(s *scene) { s.change(15, "a", ChangeDecided, "Startup"); s.Replicas[0].Exits = 3 }, "crash loop", "3 times", GradeFail},
	})
}

func TestV9OutOfRotationFirst(t *testing.T) {
	checkRule(t, "V9", map[string]verdictTest{
		"before":             {"hang", func(s *scene) { killed(8.5, 9)(s); s.Measured.Unready = seconds(2) }, "passed", "6.5s before", GradePass},
		"at the same time":   {"deadlock", func(s *scene) { killed(8.5, 9)(s); s.Measured.Unready = seconds(8.5) }, "killed in rotation", "", GradeWarning},
		"less than the lag":  {"deadlock", func(s *scene) { killed(8.5, 9)(s); s.Measured.Unready = seconds(7.6) }, "killed in rotation", "", GradeWarning},
		"never":              {"deadlock", killed(8.5, 9), "killed in rotation", "", GradeWarning},
		"nobody asks for it": {"hang", func(s *scene) { killed(8.5, 9)(s); s.workload.Service = "" }, "", "", ""},
	})
}

// TestJudge has repetitions differ: the worst counts, and those in which this machine was late do
// not, unless there are no others.
func TestJudge(t *testing.T) {
	good, bad, late := newScene(t, "hang"), newScene(t, "hang"), newScene(t, "hang")
	killed(8.5, 9)(good)
	late.Tainted, late.Late = true, second
	good.Number, bad.Number, late.Number = 1, 2, 3
	find := func(all []Verdict, id string) *Verdict {
		i := slices.IndexFunc(all, func(v Verdict) bool { return v.Rule == id })
		if i < 0 {
			return nil
		}
		return &all[i]
	}
	all := judge([]evidence{good.evidence, bad.evidence, late.evidence})
	if v := find(all, "V1"); v == nil || v.Word != "missed" || !slices.Equal(v.Repetitions, []int{2}) || all[0].Grade != GradeFail {
		t.Errorf("the worst repetition is to count: %+v", all)
	}
	all = judge([]evidence{good.evidence, late.evidence})
	if v := find(all, "V1"); v == nil || v.Word != "caught" || !slices.Equal(v.Repetitions, []int{1}) {
		t.Errorf("what this machine was too late for is not to count: %+v", all)
	}
	all = judge([]evidence{late.evidence})
	if len(all) != 1 || all[0].Grade != GradeInconclusive || !strings.Contains(all[0].Text, "1s late") {
		t.Errorf("without a sound repetition the drill cannot tell: %+v", all)
	}
}

// TestLostOfSoundOnes: what was lost while this machine was too busy to tell is not counted, if
// there is something else to count.
func TestLostOfSoundOnes(t *testing.T) {
	sound, late := newScene(t, "stop"), newScene(t, "stop")
	sound.requests("a", "GET /", 12, 3, true)
	late.requests("a", "GET /", 12, 7, true)
	late.Tainted = true
	for _, test := range []struct {
		all  []evidence
		lost int
	}{{[]evidence{sound.evidence, late.evidence}, 3}, {[]evidence{late.evidence}, 7}} {
		d := &drill{report: &Report{}}
		d.conclude(sound.fault, &target{Workload: *sound.workload}, test.all)
		if r := d.report.Results[0]; r.Lost != test.lost || r.Requests != test.lost || len(r.Repetitions) != len(test.all) {
			t.Errorf("%d lost of %d in %d repetitions, want %d", r.Lost, r.Requests, len(r.Repetitions), test.lost)
		}
	}
}
