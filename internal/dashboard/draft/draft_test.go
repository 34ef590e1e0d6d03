package draft

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

const calculator = `apiVersion: apps/v1
kind: Deployment
metadata: {name: calculator}
spec:
  replicas: 3
  selector: {matchLabels: {app: calculator}}
  template:
    metadata: {labels: {app: calculator}}
    spec:
      terminationGracePeriodSeconds: 15
      containers:
      - name: calculator
        image: calculator
        ports: [{name: http, containerPort: 8080}]
        # is it stuck?
        livenessProbe:
          httpGet: {path: /livez, port: http}
          periodSeconds: 3 # often
          failureThreshold: 3
        readinessProbe:
          httpGet:
            path: /readyz
            port: http
          periodSeconds: 2
`

// workload is the Deployment of a text as it lives: with defaults, and with what was applied.
func workload(t testing.TB, text string) Workload {
	t.Helper()
	set, err := manifest.Load(manifest.Options{Stdin: strings.NewReader(text)}, "-")
	if err != nil {
		t.Fatal(err)
	}
	r := set.Objects[0].Resource
	configuration, err := set.Objects[0].Configuration()
	if err != nil {
		t.Fatal(err)
	}
	r.SetAnnotations(map[string]string{corev1.LastAppliedConfigAnnotation: configuration})
	return Workload{Resource: r}
}

// typed are the workload's values with some changed.
func typed(t testing.TB, w Workload, changes Values) *Draft {
	t.Helper()
	v := w.Values()
	maps.Copy(v, changes)
	d, err := w.New(v)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestValues(t *testing.T) {
	want := Values{
		"livenessProbe.handler": HTTP, "livenessProbe.httpGet.path": "/livez", "livenessProbe.httpGet.port": "http",
		"livenessProbe.periodSeconds": "3", "livenessProbe.failureThreshold": "3", // the default, but somebody wrote it
		"readinessProbe.handler": HTTP, "readinessProbe.httpGet.path": "/readyz", "readinessProbe.httpGet.port": "http", "readinessProbe.periodSeconds": "2",
	}
	w := workload(t, calculator)
	if diff := cmp.Diff(want, w.Values()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if d := typed(t, w, nil); d.Changed || len(d.Errors) > 0 {
		t.Errorf("nothing was typed: changed %v, errors %v", d.Changed, d.Errors)
	}
	if d := typed(t, w, Values{"livenessProbe.timeoutSeconds": "1"}); d.Changed {
		t.Error("a default that is typed changes nothing")
	}
}

// TestHandlers: what is typed becomes a probe, and what that is can be read again.
func TestHandlers(t *testing.T) {
	w := workload(t, calculator)
	for name, v := range map[string]Values{
		"http": {"livenessProbe.handler": HTTP, "livenessProbe.httpGet.path": "/x", "livenessProbe.httpGet.port": "8080", "livenessProbe.httpGet.scheme": "HTTPS",
			"livenessProbe.httpGet.host": "127.0.0.1", "livenessProbe.httpGet.httpHeaders": "Host: a\nX-B: c d"},
		"tcp":  {"livenessProbe.handler": TCP, "livenessProbe.tcpSocket.port": "http", "livenessProbe.tcpSocket.host": "127.0.0.1"},
		"grpc": {"livenessProbe.handler": GRPC, "livenessProbe.grpc.port": "9090", "livenessProbe.grpc.service": "s"},
		"exec": {"livenessProbe.handler": Exec, "livenessProbe.exec.command": `sh -c 'test "$A" = '\''b c'\'''`, "livenessProbe.initialDelaySeconds": "7",
			"livenessProbe.periodSeconds": "8", "livenessProbe.timeoutSeconds": "9", "livenessProbe.failureThreshold": "4", "livenessProbe.terminationGracePeriodSeconds": "11"},
		"none": {},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := w.New(v)
			if err != nil || len(d.Errors) > 0 || !d.Changed {
				t.Fatalf("%v, errors %v, changed %v", err, d.Errors, d.Changed)
			}
			c, _, _ := w.container(d.Resource)
			if got := Read(c, 15, nil); !maps.Equal(got, v) {
				t.Errorf("%v, want %v", got, v)
			}
			if _, err := d.Diff(); err != nil {
				t.Error(err)
			}
			if now, _ := w.Spec(); now.LivenessProbe.PeriodSeconds != 3 || now.ReadinessProbe == nil {
				t.Error("the object that lives was modified")
			}
		})
	}
}

// TestErrors: each error stands at its field, in the API server's words.
func TestErrors(t *testing.T) {
	const at = "spec.template.spec.containers[0]."
	w := workload(t, calculator)
	for name, c := range map[string]struct {
		typed Values
		want  []Error
	}{
		"the first seed's numbers, as liveness": {
			Values{"livenessProbe.initialDelaySeconds": "10", "livenessProbe.periodSeconds": "5", "livenessProbe.timeoutSeconds": "2",
				"livenessProbe.successThreshold": "3", "livenessProbe.failureThreshold": "2"},
			[]Error{{"livenessProbe.successThreshold", at + "livenessProbe.successThreshold: Invalid value: 3: must be 1"}},
		},
		"as readiness": {
			Values{"readinessProbe.initialDelaySeconds": "10", "readinessProbe.periodSeconds": "5", "readinessProbe.timeoutSeconds": "2",
				"readinessProbe.successThreshold": "3", "readinessProbe.failureThreshold": "2"}, nil,
		},
		"negative": {
			Values{"livenessProbe.periodSeconds": "-1"},
			[]Error{{"livenessProbe.periodSeconds", at + "livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0"}},
		},
		"no number": {
			Values{"livenessProbe.periodSeconds": "often"},
			[]Error{{"livenessProbe.periodSeconds", at + `livenessProbe.periodSeconds: Invalid value: "often": must be a whole number`}},
		},
		"no path below a slash is fine, no port is not": {
			Values{"livenessProbe.httpGet.path": "livez", "livenessProbe.httpGet.port": ""},
			[]Error{{"livenessProbe.httpGet.port", at + "livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive"}},
		},
		"headers": {
			Values{"livenessProbe.httpGet.httpHeaders": "Host"},
			[]Error{{"livenessProbe.httpGet.httpHeaders", at + `livenessProbe.httpGet.httpHeaders: Invalid value: "Host": must be lines of the form Name: value`}},
		},
		"grace of readiness is no field": {Values{"readinessProbe.terminationGracePeriodSeconds": "3"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, typed(t, w, c.typed).Errors); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// facts are the facts of a draft by name.
func facts(d *Draft) map[string]Fact {
	all := map[string]Fact{}
	for _, f := range d.Facts() {
		all[f.Name] = f
	}
	return all
}

func TestFacts(t *testing.T) {
	w := workload(t, calculator)
	for name, c := range map[string]struct {
		typed Values
		want  []Fact
	}{
		"nothing": {nil, []Fact{
			{Name: "A hang is noticed after", Now: "7–10 s", Draft: "7–10 s"}, {Name: "Survives every stall up to", Now: "7 s", Draft: "7 s"},
			{Name: "Probes per minute and Pod", Now: "50", Draft: "50"}}},
		"slower": {Values{"livenessProbe.periodSeconds": "10", "livenessProbe.timeoutSeconds": "2"}, []Fact{
			{"A hang is noticed after", "7–10 s", "22–32 s", "15–22 s later", Worse}, {"Survives every stall up to", "7 s", "22 s", "15 s more", Better},
			{"Probes per minute and Pod", "50", "36", "14 fewer", Better}}},
		"none": {Values{"livenessProbe.handler": ""}, []Fact{
			{"A hang is noticed after", "7–10 s", "never", "no longer", Worse}, {Name: "Survives every stall up to", Now: "7 s", Draft: "any: nothing restarts it"},
			{"Probes per minute and Pod", "50", "30", "20 fewer", Better}}},
		"endless": {Values{"livenessProbe.periodSeconds": "2000000000", "livenessProbe.failureThreshold": "2000000000"}, []Fact{
			{"A hang is noticed after", "7–10 s", "more than a year", "far later", Worse},
			{"Survives every stall up to", "7 s", "more than a year", "far more", Better}, {"Probes per minute and Pod", "50", "30", "20 fewer", Better}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, typed(t, w, c.typed).Facts()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if f := facts(typed(t, w, Values{"livenessProbe.handler": TCP, "livenessProbe.tcpSocket.port": "http"}))["A hang is noticed after"]; f.Draft != "never: it still takes connections" || f.Mood != Worse {
		t.Errorf("a TCP probe: %+v", f)
	}
}

func TestPlay(t *testing.T) {
	w := workload(t, calculator)
	slower := Values{"livenessProbe.periodSeconds": "10", "livenessProbe.timeoutSeconds": "2"}
	for _, fault := range Faults() {
		t.Run(fault.ID, func(t *testing.T) {
			p := typed(t, w, slower).Play(fault.ID)
			for name, s := range map[string]Side{"now": p.Now, "draft": p.Draft} {
				if s.Problem != "" || s.Word == "" || len(s.Picture.Groups) != 1 || len(s.Picture.Groups[0].Lanes) != 4 {
					t.Errorf("%s: problem %q, word %q, picture %+v", name, s.Problem, s.Word, s.Picture)
				}
			}
			if p.Horizon < 2*time.Minute || p.Horizon > 30*time.Minute {
				t.Errorf("horizon %v", p.Horizon)
			}
		})
	}
	hang := typed(t, w, slower).Play("hang")
	if !strings.HasPrefix(hang.Now.Word, "restarted ") || !strings.HasSuffix(hang.Now.Word, " s after the hang") || hang.Now.Word == hang.Draft.Word {
		t.Errorf("now %q, draft %q", hang.Now.Word, hang.Draft.Word)
	}
	if refused := typed(t, w, Values{"livenessProbe.successThreshold": "3"}).Play("hang"); refused.Draft.Problem != "" {
		t.Errorf("a refused success threshold hides the picture: %q", refused.Draft.Problem)
	}
	if nonsense := typed(t, w, Values{"livenessProbe.periodSeconds": "-5"}).Play("hang"); nonsense.Draft.Problem == "" {
		t.Error("a probe that is asked every -5 s is simulated")
	}
	endless := typed(t, w, Values{"livenessProbe.periodSeconds": "2000000000", "livenessProbe.failureThreshold": "2000000000"}).Play("hang")
	if endless.Horizon != 30*time.Minute {
		t.Errorf("horizon %v", endless.Horizon)
	}
}

func TestMany(t *testing.T) {
	f, err := typed(t, workload(t, calculator), Values{"livenessProbe.periodSeconds": "10", "livenessProbe.timeoutSeconds": "2"}).Many(3)
	if err != nil || f.Mood != Better || f.Now == "0" || !strings.HasSuffix(f.Change, " fewer") {
		t.Errorf("%+v, %v: want fewer restarts with slower probes", f, err)
	}
}

func TestJudge(t *testing.T) {
	w := workload(t, calculator)
	ids := func(list []Finding) (all []string) {
		for _, f := range list {
			all = append(all, f.Rule)
		}
		slices.Sort(all)
		return all
	}
	before, err := typed(t, w, nil).Judge(nil)
	if err != nil || len(before.New)+len(before.Solved) > 0 {
		t.Fatalf("an unchanged draft: %+v, %v", before, err)
	}
	f, err := typed(t, w, Values{"livenessProbe.httpGet.path": "/readyz", "readinessProbe.periodSeconds": "5"}).Judge(nil)
	if err != nil || !slices.Contains(ids(f.New), "liveness-equals-readiness") {
		t.Errorf("new %v, %v", ids(f.New), err)
	}
	same := workload(t, strings.NewReplacer("/livez", "/readyz", "periodSeconds: 2", "periodSeconds: 5").Replace(calculator))
	f, err = typed(t, same, Values{"livenessProbe.httpGet.path": "/livez"}).Judge(nil)
	if err != nil || !slices.Contains(ids(f.Solved), "liveness-equals-readiness") {
		t.Errorf("solved %v, %v", ids(f.Solved), err)
	}
}

func TestDiff(t *testing.T) {
	d := typed(t, workload(t, calculator), Values{"livenessProbe.periodSeconds": "10", "livenessProbe.timeoutSeconds": "2"})
	lines, err := d.Diff()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range lines {
		if l.Sign != ' ' {
			got = append(got, string(l.Sign)+strings.TrimSpace(l.Text))
		}
	}
	if diff := cmp.Diff([]string{"-periodSeconds: 3", "+periodSeconds: 10", "+timeoutSeconds: 2"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	text, err := d.YAML()
	if err != nil || strings.Contains(text, "status") || strings.Contains(text, "imagePullPolicy") || !strings.Contains(text, "periodSeconds: 10") {
		t.Errorf("%v\n%s", err, text)
	}
}

// BenchmarkDraft is the answer to a key: all but Monte Carlo. The bar is 50 ms of CPU.
func BenchmarkDraft(b *testing.B) {
	w := workload(b, calculator)
	v := w.Values()
	v["livenessProbe.periodSeconds"] = "10"
	b.ReportAllocs()
	for b.Loop() {
		d, err := w.New(v)
		if err != nil {
			b.Fatal(err)
		}
		d.Facts()
		d.Play("hang")
		if _, err := d.Judge(nil); err != nil {
			b.Fatal(err)
		}
		if _, err := d.Diff(); err != nil {
			b.Fatal(err)
		}
	}
}
