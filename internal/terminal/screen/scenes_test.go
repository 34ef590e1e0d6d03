package screen

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/lifecycle"
)

var noon = time.Date(2026, 11, 4, 12, 8, 31, 0, time.UTC)

var suffixes = []string{
	"pz4vd", "g9bts", "j4rlq", "h2xkq", "m8rtw", "x5jnl", "2lqsm", "t9wcf", "b7kd2", "qv6zn", "c4mht", "wj8rp", "z2n5x", "ks9fd", "d7vbq", "f5gtl", "l8pnw", "r3mzk",
	"v6xhc", "n4sqj", "p9bdf", "k2wtr", "s7lgm", "h5zvn", "t3cxp", "w8kqb", "x6rjd", "b2mfs", "g4nhl", "m7pvt", "z9wck", "c3dqx", "q5bsr", "j8ltg", "d2hzm",
}

// scene is what may be wrong with a workload, and what has to be on the screen then.
type scene struct {
	name         string
	reason, next string // words of the first Pod's diagnosis
	make         func(replicas int) *State
}

func scenes() []scene {
	return []scene{
		{"never-ready", "HTTP 503 · GET /readyz", "read in its log why it answers 503", neverReady},
		{"crash", "exit 7 after 0.2 s", "no Service db exists here", crash},
		{"hung", "timeout 1 s · GET /livez", "kill -QUIT 48122", hung},
		{"rollout", "HTTP 503 · GET /startupz", "raise startupProbe.failureThreshold (app.yaml:31)", rollout},
		{"wrong-port", "connection refused · GET :8081/readyz", "set readinessProbe.httpGet.port to http (app.yaml:31)", wrongPort},
		{"refused", "app.yaml:14 not applied", "save the file again", refusedReload},
	}
}

// fixture makes a state with a Service and a workload of replicas, each from the facts that change
// gets to correct: all of them are ready to begin with.
func fixture(replicas int, change func(i int, f *diagnosis.Facts)) *State {
	s := &State{Title: "app.yaml", Now: noon, Started: noon.Add(-42 * time.Minute)}
	facts := make([]*diagnosis.Facts, replicas)
	ready := 0
	for i := range replicas {
		facts[i] = healthy(i)
		change(i, facts[i])
		if diagnosis.Of(*facts[i]).State == diagnosis.Ready {
			ready++
		}
	}
	for i, f := range facts {
		f.Workload.Kind, f.Workload.Name, f.Workload.Desired, f.Workload.Ready = "Deployment", "calculator", replicas, ready
		s.Pods = append(s.Pods, podOf(i, *f))
	}
	s.Workloads = []Workload{{ID: "calculator", Name: "calculator", Kind: "Deployment", Ready: ready, Desired: replicas}}
	s.Services = []Service{{
		Name: "calculator", Address: "127.80.3.17:80", Ready: ready, Total: replicas, Rate: "118 req/s", Lost: "0 lost", Also: "127.0.0.1:8090",
		Ports: "80 → http (8080)", InFlight: 4, Names: "calculator  calculator.default.svc.cluster.local",
		Endpoints: []Endpoint{{Address: "127.0.0.1:37121", Pod: s.Pods[0].Name, Requests: 5900, Ready: ready > 0}},
	}}
	s.Events = []Event{
		{At: noon.Add(-290 * time.Second), Reason: "Killing", Object: s.Pods[0].Name, Message: "Container calculator failed liveness probe, will be restarted"},
		{At: noon.Add(-40 * time.Second), Reason: "ScalingReplicaSet", Object: "calculator", Message: "Scaled up replica set calculator-7d9c6b5f4 from 0 to 3"},
		{At: noon, Warning: true, Reason: "Unhealthy", Count: 20, Object: s.Pods[0].Name, Message: "Readiness probe failed: HTTP probe failed with statuscode: 503"},
	}
	for _, text := range []string{"INFO computed sum of 4194304 weights in 31 ms", "INFO computed sum of 4194304 weights in 30 ms", "WARN loop is late by 1.2 s: worker pool exhausted"} {
		s.Output = append(s.Output, LogLine{Text: []Span{{Text: text}}})
	}
	return s
}

func podOf(i int, f diagnosis.Facts) Pod {
	p := Pod{
		ID: f.Pod.Name, Name: f.Pod.Name, Workload: "calculator", Diagnosis: diagnosis.Of(f), Since: f.Pod.CreationTimestamp.Time,
		PID: 48122 + i, Took: "1.1 ms", Port: fmt.Sprintf(":%d", 37121+i), Version: uint64(i + 1),
		At: fmt.Sprintf("http 8080 at 127.0.0.1:%d · pid %d · started 11:26:20", 37121+i, 48122+i),
	}
	for _, s := range f.Pod.Status.ContainerStatuses {
		p.Restarts = int(s.RestartCount)
	}
	for at := range 60 {
		when := noon.Add(time.Duration(at-59) * 5 * time.Second)
		for _, probe := range f.Probes {
			slot := Answered1
			if (at*7+i)%31 == 0 {
				slot = Answered3
			}
			if at > 55 && probe.Failed {
				slot = Failed
			}
			strip := &p.Readiness
			if probe.Type == lifecycle.Liveness {
				strip = &p.Liveness
			}
			strip.Add(when, slot|Passing)
		}
	}
	return p
}

func healthy(i int) *diagnosis.Facts {
	handler := func(path, port string) *corev1.Probe {
		return &corev1.Probe{
			ProbeHandler:   corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromString(port)}},
			TimeoutSeconds: 1, PeriodSeconds: 3, FailureThreshold: 3, SuccessThreshold: 1,
		}
	}
	startup := handler("/startupz", "http")
	startup.PeriodSeconds, startup.FailureThreshold = 1, 60
	readiness := handler("/readyz", "http")
	readiness.FailureThreshold = 1
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "calculator-7d9c6b5f4-" + suffixes[i%len(suffixes)], CreationTimestamp: metav1.NewTime(noon.Add(-42 * time.Minute))},
		Spec: corev1.PodSpec{TerminationGracePeriodSeconds: new(int64(30)), RestartPolicy: corev1.RestartPolicyAlways, Containers: []corev1.Container{{
			Name: "calculator", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
			StartupProbe: startup, ReadinessProbe: readiness, LivenessProbe: handler("/livez", "http"),
		}}},
		Status: corev1.PodStatus{
			Phase:             corev1.PodRunning,
			Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(noon.Add(-41 * time.Minute))}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "calculator", State: running(42 * time.Minute)}},
		},
	}
	probe := func(t lifecycle.ProbeType) diagnosis.Probe {
		return diagnosis.Probe{Container: "calculator", Type: t, Attempts: 800, At: noon.Add(-time.Second), Took: 1100 * time.Microsecond, Status: 200, Passing: true, Known: true, EverPassed: true, Run: 1, Threshold: 1}
	}
	over := probe(lifecycle.Startup)
	over.Over = true
	return &diagnosis.Facts{
		Now: noon, Pod: pod, Probes: []diagnosis.Probe{over, probe(lifecycle.Readiness), probe(lifecycle.Liveness)}, Services: []string{"calculator"},
		Containers: map[string]diagnosis.Container{"calculator": {
			PID: 48122 + i, Ports: []diagnosis.Port{{Name: "http", Declared: 8080, Actual: 37121 + i}}, Looked: true,
			Listeners: []netip.AddrPort{netip.AddrPortFrom(netip.IPv6Unspecified(), uint16(37121+i))},
		}},
		Place:      func(field string) string { return "app.yaml:" + fmt.Sprint(31+strings.Count(field, "command")*5) },
		HasService: func(name string) bool { return name == "calculator" },
	}
}

func running(since time.Duration) corev1.ContainerState {
	return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(noon.Add(-since))}}
}

func unready(f *diagnosis.Facts, since time.Duration) {
	f.Pod.Status.Conditions[0] = corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(noon.Add(-since))}
}

func started(f *diagnosis.Facts, since time.Duration) {
	f.Pod.Status.ContainerStatuses[0].State = running(since)
	f.Pod.CreationTimestamp = metav1.NewTime(noon.Add(-since))
}

func fails(p *diagnosis.Probe, run, threshold int, output string) {
	p.Failed, p.Output, p.Run, p.Threshold = true, output, run, threshold
}

func neverReady(replicas int) *State {
	return fixture(replicas, func(i int, f *diagnosis.Facts) {
		started(f, 72*time.Second)
		unready(f, 72*time.Second)
		p := &f.Probes[1]
		p.EverPassed, p.Passing, p.Attempts, p.Body = false, false, 36, "database: ping: connection refused"
		fails(p, 36, 1, "HTTP probe failed with statuscode: 503")
	})
}

func crash(replicas int) *State {
	return fixture(replicas, func(i int, f *diagnosis.Facts) {
		unready(f, time.Minute)
		f.Probes = nil
		f.Pod.Status.ContainerStatuses[0] = corev1.ContainerStatus{
			Name: "calculator", RestartCount: 6,
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 2m40s restarting failed container=calculator"}},
			LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 7, StartedAt: metav1.NewTime(noon.Add(-126 * time.Second)), FinishedAt: metav1.NewTime(noon.Add(-126 * time.Second)),
			}},
		}
		c := f.Containers["calculator"]
		c.PID, c.LastWords, c.Ran, c.Crashes = 0, "FATAL cannot reach postgres at db:5432: connection refused", 200*time.Millisecond, 7
		f.Containers["calculator"] = c
	})
}

func hung(replicas int) *State {
	return fixture(replicas, func(i int, f *diagnosis.Facts) {
		if i > 0 {
			return
		}
		unready(f, 12*time.Second)
		r, l := &f.Probes[1], &f.Probes[2]
		fails(r, 1, 1, `Get "http://127.0.0.1:37121/readyz": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`)
		r.Passing, r.FailingSince = false, noon.Add(-12*time.Second)
		fails(l, 2, 3, `Get "http://127.0.0.1:37121/livez": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`)
		l.Connected, l.ConnectTook, l.At = true, 100*time.Microsecond, noon.Add(-1200*time.Millisecond)
		f.Pod.Status.ContainerStatuses[0].RestartCount = 2
	})
}

func rollout(replicas int) *State {
	s := fixture(replicas, func(i int, f *diagnosis.Facts) {
		if i > 0 {
			return
		}
		started(f, 11*time.Second)
		unready(f, 11*time.Second)
		p := &f.Probes[0]
		p.Over, p.EverPassed, p.Known, p.Body = false, false, false, "loading weights: 2.1 of 4.0 MiB"
		fails(p, 11, 60, "HTTP probe failed with statuscode: 503")
		f.Probes = f.Probes[:1]
	})
	s.Workloads[0].Rollout = "rollout 4: 1 of 3 updated, waits for " + suffixes[0]
	return s
}

func wrongPort(replicas int) *State {
	s := fixture(replicas, func(i int, f *diagnosis.Facts) {
		started(f, 72*time.Second)
		unready(f, 72*time.Second)
		f.Pod.Spec.Containers[0].ReadinessProbe.HTTPGet.Port = intstr.FromInt32(8081)
		p := &f.Probes[1]
		p.EverPassed, p.Passing, p.Attempts = false, false, 36
		fails(p, 36, 1, `Get "http://127.0.0.1:8081/readyz": dial tcp 127.0.0.1:8081: connect: connection refused`)
		f.Workload.Rollout, f.Workload.Deadline = 1, noon.Add(528*time.Second)
	})
	s.Notices = []Notice{{ID: "check", Role: Warn, Text: "check: readiness-port-not-listened app.yaml:31 web: nothing declares port 8081 (probity explain readiness-port-not-listened)"}}
	return s
}

func refusedReload(replicas int) *State {
	s := rollout(replicas)
	s.Notices = []Notice{{ID: "refused", Role: Bad, Short: "app.yaml:14 not applied: livenessProbe.successThreshold: Invalid value: 3: must be 1; save the file again", Text: "app.yaml:14 not applied: Deployment calculator: spec.template.spec.containers[0].livenessProbe.successThreshold: Invalid value: 3: must be 1. What ran before goes on; save the file again."}}
	return s
}
