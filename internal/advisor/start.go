package advisor

import (
	"fmt"
	"maps"
	"math"
	"path"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// startName matches the names of annotations and variables that state how long a start takes:
// STARTUP_SECONDS, example.com/startup-time, START_DELAY.
var startName = regexp.MustCompile(`(?i)(^|[-_./])start(up)?[-_.]?(time|seconds|secs|duration|delay)([-_.](seconds|secs))?$`)

// A Start is what a manifest tells about how long its container takes to start.
type Start struct {
	// Seconds is 0 if the manifest tells nothing.
	Seconds int
	// Evidence names the place that tells it, in a few words.
	Evidence string
	// Declared means that an annotation or a variable states it. Otherwise it is the delay of
	// readiness.
	Declared bool
}

// StartTime finds the time that an annotation of the pod or a variable states, or else a delay of
// readiness that is longer than liveness waits at most. Such a delay counts as the time of a start
// if both probes ask the same, or on a JVM.
func (c *Container) StartTime() Start {
	annotations := c.Workload.Meta.Annotations
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		if s := startSeconds(key, annotations[key]); s > 0 {
			return Start{s, "annotation " + key, true}
		}
	}
	for _, e := range c.Env {
		if s := startSeconds(e.Name, e.Value); s > 0 {
			return Start{s, "variable " + e.Name, true}
		}
	}
	ready, live := c.Readiness, c.Liveness
	if ready == nil || live == nil || ready.Delay <= live.StartFatal() {
		return Start{}
	}
	if jvm := c.JVM(); jvm != "" {
		return Start{ready.Delay, "the delay of readiness, and this is a JVM: " + jvm, false}
	}
	if ready.SameRequest(live) {
		return Start{ready.Delay, "the delay of readiness, which asks the same", false}
	}
	return Start{}
}

func startSeconds(name, value string) int {
	if !startName.MatchString(name) {
		return 0
	}
	d, ok := parseSeconds(strings.TrimSpace(value))
	if !ok {
		return 0
	}
	return int(math.Ceil(d.Seconds()))
}

// JVM returns the reason to think that the container runs on a JVM, or "".
func (c *Container) JVM() string {
	for _, word := range slices.Concat(c.Command, c.Args) {
		for inner := range strings.FieldsSeq(word) {
			if base := path.Base(inner); base == "java" || strings.HasSuffix(base, ".jar") {
				return "it runs " + base
			}
		}
	}
	variables := []string{"JAVA_OPTS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "JVM_OPTS", "JAVA_OPTIONS", "CATALINA_OPTS", "SPRING_PROFILES_ACTIVE"}
	i := slices.IndexFunc(c.Env, func(e corev1.EnvVar) bool { return slices.Contains(variables, e.Name) })
	if i >= 0 {
		return "variable " + c.Env[i].Name
	}
	repository, _, _ := strings.Cut(c.Image, "@")
	if mentions(repository[strings.LastIndexByte(repository, '/')+1:],
		"java", "jvm", "jdk", "jre", "openjdk", "temurin", "corretto", "tomcat", "wildfly", "spring", "springboot") {
		return "image " + c.Image
	}
	return ""
}

// StartupPatch adds a startupProbe that asks what liveness asks, as often, and allows a start of so
// many seconds. A delay of readiness, which stood in for it, goes.
func (p *Probe) StartupPatch(seconds int) *Patch {
	threshold := Numbers{Period: p.Period}.ThresholdForStart(seconds)
	value := fmt.Sprintf("{%s, periodSeconds: %d, timeoutSeconds: %d, failureThreshold: %d}", p.handlerYAML(), p.Period, p.Timeout, threshold)
	patch := &Patch{Summary: "startupProbe: " + value, Edits: []Edit{{Path: p.Container.Path + "." + string(StartupProbe), Value: value}}}
	if ready := p.Container.Readiness; ready != nil {
		patch.Edits = append(patch.Edits, ready.WithoutDelay()...)
	}
	return patch
}

// WithoutDelay are the edits that take the probe's initialDelaySeconds away, if it has one.
func (p *Probe) WithoutDelay() []Edit {
	field := p.Path + ".initialDelaySeconds"
	if p.Delay == 0 || !p.Container.Workload.Object.Has(field) {
		return nil
	}
	return []Edit{{Path: field, Remove: true}}
}
