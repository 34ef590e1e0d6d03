// Package orderedready finds StatefulSets whose first pod waits for one that waits for it.
package orderedready

import (
	"regexp"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is ordered-ready-deadlock.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "ordered-ready-deadlock",
		Severity: advisor.Outage,
		Doc: advisor.Doc{
			Title: "Readiness of a StatefulSet asks a pod that is made only when this one is ready.",
			Consequence: advisor.Prose(`
				Under podManagementPolicy OrderedReady, the default, pod 1 is made when pod 0 is ready. If pod 0 is ready only when pod 1 answers, neither
				ever is.`),
			Remedy: "Let each pod answer for itself, or set podManagementPolicy: Parallel, which needs a new StatefulSet.",
			Before: `kind: StatefulSet
metadata: {name: db}
# in the container
readinessProbe: {exec: {command: [pg_isready, -h, db-1.db]}}`,
			After: `kind: StatefulSet
metadata: {name: db}
# in the container
readinessProbe: {exec: {command: [pg_isready]}}`,
			KubeletRules: []string{"R98", "R99", "R105"},
			SeeAlso:      []string{"https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#pod-management-policies"},
		},
		Covers: []string{"readiness-checks-shared-dependency", "probe-host-set"},
		Check:  check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	set, ok := w.Object.Resource.(*appsv1.StatefulSet)
	if !ok || set.Spec.PodManagementPolicy == appsv1.ParallelPodManagement {
		return nil
	}
	first := 0
	if set.Spec.Ordinals != nil {
		first = int(set.Spec.Ordinals.Start)
	}
	var found []advisor.Finding
	for _, p := range w.Probes() {
		if p.Field == advisor.LivenessProbe {
			continue // it keeps no pod from being ready
		}
		field, text := asks(p)
		if later := laterPod(text, set.Name, first); later != "" {
			found = append(found, p.Finding(field, "the %s probe of %s-%d asks %s, which is made only when %s-%d is ready: neither ever is",
				p.TypeName(), set.Name, first, later, set.Name, first))
		}
	}
	return found
}

// asks is the field that tells whom the probe asks, and its text.
func asks(p *advisor.Probe) (field, text string) {
	if host := p.Host(); host != "" {
		return p.Handler() + ".host", host
	}
	if p.Exec == nil {
		return "", ""
	}
	text = strings.Join(p.Exec.Command, " ")
	for _, v := range advisor.Invocations(p.Exec.Command) {
		if v.Name == "[" || v.Name == "test" || v.Name == "case" || v.Name == "[[" {
			return "", "" // it may ask only on another pod
		}
	}
	return "exec.command", text
}

// laterPod is a pod of the set after its first that the text names, unless the text names the first
// one, too: it may then ask any of them, or decide by its own name. ${NAME:-x} and the like are not
// looked at.
func laterPod(text, set string, first int) string {
	text = regexp.MustCompile(`\|\|\s*(exit\s+[1-9]|false)`).ReplaceAllString(text, "")
	if strings.Contains(text, "||") || strings.Contains(text, "case ") {
		return ""
	}
	later := ""
	pod := regexp.MustCompile(`(?:^|[^-.A-Za-z0-9])(` + regexp.QuoteMeta(set) + `-([0-9]+))(?:[^-A-Za-z0-9]|$)`)
	for _, m := range pod.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil || n <= first {
			return ""
		}
		if later == "" {
			later = m[1]
		}
	}
	return later
}
