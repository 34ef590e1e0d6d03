package advisor

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	appsv1 "k8s.io/api/apps/v1"
)

// What false alarms are counted for: so many replicas over a month, of whose answers this part is
// late, each by itself.
const (
	fleet      = 100
	month      = 30 * 24 * 3600 // seconds
	lateAnswer = 0.01
)

// effect says what a patch trades: how much later a real fault is noticed, and how many false
// alarms are saved. It is empty if the patch trades nothing.
func (w *Workload) effect(patch *Patch) string {
	var parts []string
	for _, c := range w.edited(patch) {
		for _, p := range c.Probes() {
			if text := p.effect(patch); text != "" {
				parts = append(parts, text)
			}
		}
		parts = append(parts, c.startEffect(patch)...)
	}
	if seconds, ok := patch.number(w.SpecPath + ".terminationGracePeriodSeconds"); ok {
		parts = append(parts, fmt.Sprintf("a container that does not stop is killed after %d s instead of %d", seconds, w.Grace()))
	}
	if d, isDeployment := w.Object.Resource.(*appsv1.Deployment); isDeployment {
		if seconds, ok := patch.number("spec.progressDeadlineSeconds"); ok {
			parts = append(parts, fmt.Sprintf("a rollout that is stuck counts as failed after %d s instead of %d", seconds, *d.Spec.ProgressDeadlineSeconds))
		}
	}
	return strings.Join(parts, "; ")
}

// edited are the containers that a patch changes something of, in their order.
func (w *Workload) edited(patch *Patch) []*Container {
	var indexes []int
	for _, e := range patch.Edits {
		path, _, _ := strings.Cut(e.Path, "]")
		if i, ok := w.byPath[path+"]"]; ok && !slices.Contains(indexes, i) {
			indexes = append(indexes, i)
		}
	}
	slices.Sort(indexes)
	list := make([]*Container, len(indexes))
	for n, i := range indexes {
		list[n] = w.Containers[i]
	}
	return list
}

// effect compares the probe's numbers before and after the patch.
func (p *Probe) effect(patch *Patch) string {
	after := p.Numbers
	for field, number := range map[string]*int{"initialDelaySeconds": &after.Delay, "periodSeconds": &after.Period, "timeoutSeconds": &after.Timeout,
		"failureThreshold": &after.FailureThreshold} {
		if n, ok := patch.number(p.Path + "." + field); ok {
			*number = n
		}
	}
	if p.Field == StartupProbe {
		if after.StartFatal() == p.StartFatal() {
			return ""
		}
		return fmt.Sprintf("a start that hangs is given up after %d s instead of %d", after.StartFatal(), p.StartFatal())
	}
	if after.ToleratedStall() == p.ToleratedStall() && after.CertainStall() == p.CertainStall() {
		return ""
	}
	text := fmt.Sprintf("%s notices a hang after %d to %d s instead of %d to %d", p.TypeName(), after.ToleratedStall(), after.CertainStall(), p.ToleratedStall(), p.CertainStall())
	before, now := p.falseAlarms(), after.falseAlarms()
	if before == now {
		return text
	}
	return text + fmt.Sprintf(", with %s false alarms instead of %s a month (%d replicas, one answer in %d late)", about(now), about(before), fleet, int(1/lateAnswer))
}

// falseAlarms is how often a month late answers alone make the probe act, in all replicas together.
func (n Numbers) falseAlarms() float64 {
	return fleet * month * n.Rate() * (1 - lateAnswer) * math.Pow(lateAnswer, float64(n.FailureThreshold))
}

// startEffect is about a startupProbe that the patch adds beside liveness.
func (c *Container) startEffect(patch *Patch) []string {
	if c.Startup != nil || c.Liveness == nil {
		return nil
	}
	for _, e := range patch.Edits {
		if e.Path != c.Path+"."+string(StartupProbe) {
			continue
		}
		var added struct {
			Period    int `yaml:"periodSeconds"`
			Threshold int `yaml:"failureThreshold"`
		}
		if err := yaml.Unmarshal([]byte(e.Value), &added); err != nil || added.Period == 0 {
			return nil
		}
		after := Numbers{Period: added.Period, Timeout: 1, FailureThreshold: added.Threshold}
		if after.StartFatal() == c.Liveness.StartFatal() {
			return nil
		}
		return []string{fmt.Sprintf("a start that fails is given up after %d s instead of %d", after.StartFatal(), c.Liveness.StartFatal())}
	}
	return nil
}

// number is what the patch sets a field to; a number that is removed has its default, 0 for a
// delay.
func (p *Patch) number(path string) (int, bool) {
	for _, e := range p.Edits {
		if e.Path != path {
			continue
		}
		if e.Remove {
			return 0, strings.HasSuffix(path, ".initialDelaySeconds")
		}
		n, err := strconv.Atoi(e.Value)
		return n, err == nil
	}
	return 0, false
}

// about rounds to two digits.
func about(x float64) string {
	if x < 0.01 {
		return "hardly any"
	}
	if x < 10 {
		return strconv.FormatFloat(x, 'g', 2, 64)
	}
	step := math.Pow(10, math.Floor(math.Log10(x))-1)
	return strconv.FormatFloat(math.Round(x/step)*step, 'f', 0, 64)
}
