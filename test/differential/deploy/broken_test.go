//go:build kubelet && linux

package deploy

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/probity-run/probity/internal/rollout"
	"github.com/probity-run/probity/test/differential/trace"
)

var update = flag.Bool("update", false, "write testdata")

// sight reports whether an object is what one looks for.
type sight func(runtime.Object) bool

// broken is a Deployment that does not come up.
type broken struct {
	manifest string
	cause    rollout.Kind
	degree   rollout.Degree
	// tells reports whether an object tells a part of the cause; all of it is known when each has.
	tells []sight
	// log is in the lines of the log that the verdict has; "" means that it has none.
	log string
}

func brokenOnes(t *testing.T) map[string]broken {
	absent := startRegistry(t).address + "/missing:1"
	const args, env, image, start = "args: [-weights-size, 4MiB]", "env:\n", calculatorImage, "failureThreshold: 60"
	change := func(from []string, changes ...string) string { return calculator(t, slices.Concat(from, changes)...) }
	return map[string]broken{
		"wrong-path": {change(hurried, "path: /readyz", "path: /readyzz"), rollout.Readiness, rollout.Suspect, []sight{runs, unhealthy("Readiness probe failed")}, "GET /readyzz 404"},
		// never ready: on a busy machine what is ready may not be killed in the time that is waited
		"wrong-port": {change(single, "periodSeconds: 2", "initialDelaySeconds: 600\n            periodSeconds: 2", "/livez\n              port: http\n            periodSeconds: 3", "/livez\n              port: 9999\n            timeoutSeconds: 3\n            periodSeconds: 4"),
			rollout.Liveness, rollout.Doomed, []sight{runs, unhealthy("Liveness probe failed")}, "Stopped"},
		"startup-budget": {change(single, args, "args: [-weights-size, 8MiB, -load-rate, 512KiB]", start, "failureThreshold: 5"),
			rollout.Startup, rollout.Doomed, []sight{runs, unhealthy("Startup probe failed")}, "Weights are being loaded"},
		"crash":             {change(single, args, "args: [-weights-size, 4MB]"), rollout.Crash, rollout.Doomed, []sight{ended}, "cannot read the command line"},
		"unschedulable":     {change(hurried, args, "resources: {requests: {cpu: 64}}\n          "+args), rollout.Unschedulable, rollout.Suspect, []sight{unplaced}, ""},
		"image-name":        {change(single, image, `"UPPER//case"`), rollout.ImageName, rollout.Certain, []sight{waits("InvalidImageName")}, ""},
		"image-never":       {change(single, image, "probity.test/missing:1\n          imagePullPolicy: Never"), rollout.ImageName, rollout.Certain, []sight{waits("ErrImageNeverPull")}, ""},
		"image-absent":      {change(single, image, absent), rollout.Image, rollout.Doomed, []sight{waits("ErrImagePull", "ImagePullBackOff")}, ""},
		"image-unreachable": {change(hurried, image, "localhost:9/missing:1"), rollout.Image, rollout.Suspect, []sight{waits("ErrImagePull", "ImagePullBackOff")}, ""},
		"no-database": {change(hurried, env, env+"            - name: DATABASE_URL\n              value: postgres://calculator@127.0.0.1:9/calculator?sslmode=disable\n"),
			rollout.Readiness, rollout.Suspect, []sight{runs, unhealthy("Readiness probe failed")}, "Database cannot be opened"},
		"no-command": {change(single, args, "command: [/absent]"), rollout.Command, rollout.Doomed, []sight{waits("RunContainerError", "CrashLoopBackOff")}, ""},
		"no-volume": {change(single, args, args+"\n          volumeMounts: [{name: v, mountPath: /v}]", "      containers:\n", "      volumes: [{name: v, configMap: {name: settings}}]\n      containers:\n"),
			rollout.Volume, rollout.Doomed, []sight{unmounted}, ""},
		"no-migration": {change(single, "      containers:\n", "      initContainers: [{name: migrate, image: "+image+", args: [-migrate]}]\n      containers:\n"), rollout.Init, rollout.Doomed, []sight{ended}, "cannot read the command line"},
		"no-secret":    {change(single, env, "envFrom: [{secretRef: {name: database}}]\n          "+env), rollout.Config, rollout.Doomed, []sight{waits("CreateContainerConfigError")}, ""},
	}
}

// TestBroken: each shows its cause within a second after the object that tells it, and ends with
// the degree of its kind, exit code 1, and words that help, which are in testdata.
func TestBroken(t *testing.T) {
	t.Parallel()
	for name, b := range brokenOnes(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, in := write(t, "calculator.yaml", b.manifest), namespace(t, name)
			var says string
			var both sync.WaitGroup
			both.Go(func() { _, says = deploy(t, file, "-n", in) })
			b.measure(t, name, file)
			both.Wait()
			compare(t, filepath.Join("testdata", name+".txt"), normal(says, b.log))
		})
	}
}

// soon is within what time a cause is to be shown.
const soon = time.Second

// measure deploys for programs, beside what is deployed for people. What is too late is measured
// anew, as others may have taken the machine for a second, and so is what had not even started when
// its deadline was over.
func (b broken) measure(t *testing.T, name, file string) {
	const tries = 6
	for try := range tries {
		late, started := b.follow(t, name, file, namespace(t, fmt.Sprintf("%s-%d", name, try)))
		switch {
		case !started:
			t.Logf("%s: it had not started when its deadline was over", name)
		case late <= soon:
			return
		default:
			t.Logf("%s: the cause came %v after what tells it", name, late)
		}
	}
	t.Errorf("%s: the cause is shown too late", name)
}

// follow deploys, and returns how much later than the object that tells the cause it was shown.
// started is false if the verdict is about a start that the machine was too busy for.
func (b broken) follow(t *testing.T, name, file, namespace string) (late time.Duration, started bool) {
	ctx, stop := context.WithCancel(t.Context())
	var mu sync.Mutex // guards what follows
	var decided time.Time
	missing := slices.Clone(b.tells)
	var watching sync.WaitGroup
	watching.Go(func() {
		err := site.Watch(ctx, namespace, func(o trace.Observation) {
			mu.Lock()
			defer mu.Unlock()
			missing = slices.DeleteFunc(missing, func(seen sight) bool { return seen(o.Object) })
			if decided.IsZero() && len(missing) == 0 {
				decided = o.At
			}
		})
		if err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	begun := time.Now()
	code, lines := deployJSON(t, file, "-n", namespace)
	stop()
	watching.Wait()
	cause, _ := find(lines, "cause", b.cause)
	verdict, _ := find(lines, "verdict", "")
	if b.cause != rollout.Startup && verdict.Cause == rollout.Startup && verdict.Degree == rollout.Suspect.String() {
		return 0, false
	}
	if code != 1 || verdict.Exit != 1 || verdict.Cause != b.cause || verdict.Degree != b.degree.String() {
		t.Errorf("%s: exit code %d, verdict %+v, want 1, %s, %s", name, code, verdict, b.cause, b.degree)
	}
	if cause.at.IsZero() || decided.IsZero() {
		t.Errorf("%s: the cause is shown at %v, and told at %v", name, cause.at, decided)
	}
	late = cause.at.Sub(decided)
	t.Logf("%s: %s %s, cause after %d ms, verdict after %.1f s, exit %d", name, verdict.Cause, verdict.Degree, late.Milliseconds(), verdict.at.Sub(begun).Seconds(), code)
	return late, true
}

// unhealthy tells a probe that fails, by the beginning of its Event.
func unhealthy(message string) sight {
	return func(o runtime.Object) bool {
		e, ok := o.(*corev1.Event)
		return ok && e.Reason == "Unhealthy" && strings.HasPrefix(e.Message, message)
	}
}

// runs tells a container that runs.
func runs(o runtime.Object) bool {
	return anyStatus(o, func(s corev1.ContainerStatus) bool { return s.State.Running != nil })
}

// ended tells a container that has ended.
func ended(o runtime.Object) bool {
	return anyStatus(o, func(s corev1.ContainerStatus) bool {
		return s.State.Terminated != nil || s.LastTerminationState.Terminated != nil
	})
}

// waits tells a container that waits for one of the reasons.
func waits(reasons ...string) sight {
	return func(o runtime.Object) bool {
		return anyStatus(o, func(s corev1.ContainerStatus) bool {
			return s.State.Waiting != nil && slices.Contains(reasons, s.State.Waiting.Reason)
		})
	}
}

func anyStatus(o runtime.Object, is func(corev1.ContainerStatus) bool) bool {
	pod, ok := o.(*corev1.Pod)
	return ok && (slices.ContainsFunc(pod.Status.InitContainerStatuses, is) || slices.ContainsFunc(pod.Status.ContainerStatuses, is))
}

// unmounted tells a volume that cannot be mounted.
func unmounted(o runtime.Object) bool {
	e, ok := o.(*corev1.Event)
	return ok && e.Reason == "FailedMount"
}

// unplaced tells a Pod that fits on no node.
func unplaced(o runtime.Object) bool {
	pod, ok := o.(*corev1.Pod)
	return ok && slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse
	})
}

// normal is the verdict in what deploy says, without what is chance: names of Pods, ages, counts,
// and other lines of the log than those with a text.
func normal(says, log string) string {
	if i := strings.Index(says, "\nfailed: "); i >= 0 {
		says = says[i+1:]
	}
	for _, chance := range []struct{ pattern, by string }{
		{`-[0-9a-f]{8,10}-[a-z0-9]{5}\b`, "-POD"},
		{`localhost:\d{4,5}`, "localhost:PORT"},
		{`\b(once|\d+ times)\b`, "N times"},
		{`(less than )?\d+ s after its start`, "AGE after its start"},
		{`\brestarts \d+`, "restarts N"},
		{`\b(since|in|after) (\d+[dhms]+ ?|\d+ s ?)+`, "$1 AGE"},
		{`\b(time|duration|percent|retry)=\S+ ?`, ""},
	} {
		says = regexp.MustCompile(chance.pattern).ReplaceAllString(says, chance.by)
	}
	var lines []string
	for line := range strings.Lines(says) {
		if !strings.HasPrefix(line, "    ") || log != "" && strings.Contains(line, log) {
			lines = append(lines, strings.TrimRight(line, " \n"))
		}
	}
	return strings.Join(slices.Compact(lines), "\n") + "\n"
}

func compare(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
