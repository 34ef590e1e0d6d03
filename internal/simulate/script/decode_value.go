package script

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/printable"
)

// scalar reports whether a node is a plain value; it is an error if it is not.
func (d *decoder) scalar(n *yaml.Node, at, want string) bool {
	if n.Kind != yaml.ScalarNode {
		d.fail(n, at, "%s is wanted here", want)
		return false
	}
	return true
}

func (d *decoder) text(n *yaml.Node, at string, into *string) {
	if d.scalar(n, at, "a word") {
		*into = n.Value
	}
}

func (d *decoder) duration(n *yaml.Node, at string, into *time.Duration) {
	if !d.scalar(n, at, "a time such as 90s") {
		return
	}
	t, err := ParseDuration(n.Value)
	if err != nil {
		d.fail(n, at, "%v", err)
		return
	}
	*into = t
}

func (d *decoder) integer(n *yaml.Node, at string, low, high int, into *int) {
	if !d.scalar(n, at, "a number") {
		return
	}
	i, err := strconv.Atoi(n.Value)
	if err != nil || i < low || i > high {
		d.fail(n, at, "cannot use %s: a whole number from %d to %d is wanted", printable.Quote(n.Value), low, high)
		return
	}
	*into = i
}

func (d *decoder) probability(n *yaml.Node, at string, into *float64) {
	if !d.scalar(n, at, "a probability") {
		return
	}
	p, err := strconv.ParseFloat(n.Value, 64)
	if err != nil || !(p >= 0 && p <= 1) {
		d.fail(n, at, "cannot use %s: a probability from 0 to 1 is wanted", printable.Quote(n.Value))
		return
	}
	*into = p
}

func (d *decoder) boolean(n *yaml.Node, at string, into *bool) {
	if n.Kind != yaml.ScalarNode || n.Value != "true" && n.Value != "false" {
		d.fail(n, at, "cannot use %s: true or false is wanted", printable.Quote(n.Value))
		return
	}
	*into = n.Value == "true"
}

// list reads a sequence, or one value on its own.
func (d *decoder) list(n *yaml.Node, at string, each func(n *yaml.Node, at string)) {
	if n.Kind != yaml.SequenceNode {
		each(n, at)
		return
	}
	for i, item := range n.Content {
		each(follow(item), fmt.Sprintf("%s[%d]", at, i))
	}
}

func (d *decoder) probes(n *yaml.Node, at string, into *[]lifecycle.ProbeType) {
	*into = []lifecycle.ProbeType{}
	d.list(n, at, func(n *yaml.Node, at string) {
		t, ok := probeNamed(n.Value)
		if n.Kind != yaml.ScalarNode || !ok {
			d.fail(n, at, "cannot use %s: startup, readiness or liveness is wanted", printable.Quote(n.Value))
			return
		}
		*into = append(*into, t)
	})
}

// ProbeName is what scripts call a probe type: startup, readiness or liveness.
func ProbeName(t lifecycle.ProbeType) string { return strings.ToLower(string(t)) }

func probeNamed(word string) (lifecycle.ProbeType, bool) {
	all := lifecycle.ProbeTypes()
	i := slices.IndexFunc(all, func(t lifecycle.ProbeType) bool { return ProbeName(t) == word })
	if i < 0 {
		return "", false
	}
	return all[i], true
}

// reply reads refused, hang, error, a status code or, for a start that nobody notices, ok.
func (d *decoder) reply(n *yaml.Node, at string, into *Reply) {
	r, ok := parseReply(n.Value)
	if n.Kind != yaml.ScalarNode || !ok {
		d.fail(n, at, "cannot use %s: refused, hang, error, ok or a status code from 200 to 599 is wanted", printable.Quote(n.Value))
		return
	}
	*into = r
}

// The status codes that a script may have a program answer.
const (
	minStatus = 200
	maxStatus = 599
)

func parseReply(word string) (Reply, bool) {
	switch word {
	case "refused":
		return Reply{Kind: ReplyRefused}, true
	case "hang":
		return Reply{Kind: ReplyHang}, true
	case "error":
		return Reply{Kind: ReplyError}, true
	case "ok":
		return Reply{}, true
	}
	code, err := strconv.Atoi(word)
	return Reply{Kind: ReplyStatus, Code: code}, err == nil && code >= minStatus && code <= maxStatus
}

// distribution reads a time, or a mapping from the name of a shape to what it takes.
func (d *decoder) distribution(n *yaml.Node, at string, into *Distribution) {
	if n.Kind == yaml.ScalarNode {
		d.duration(n, at, &into.A)
		return
	}
	if n.Kind != yaml.MappingNode || len(n.Content) != 2 {
		d.fail(n, at, "a time such as 45s is wanted here, or one distribution such as {normal: {mean: 45s, deviation: 5s}}")
		return
	}
	key, value := n.Content[0], follow(n.Content[1])
	shape := slices.IndexFunc(shapes(), func(s shapeForm) bool { return s.name == key.Value })
	if shape < 0 {
		d.fail(key, join(at, key.Value), "unknown distribution: there are constant, uniform, normal, lognormal and exponential")
		return
	}
	form := shapes()[shape]
	at = join(at, key.Value)
	if value.Kind == yaml.ScalarNode && len(form.takes) == 1 {
		d.duration(value, at, &into.A)
	} else {
		object(d, value, at, form.fields(), into)
		if got := len(value.Content) / 2; value.Kind == yaml.MappingNode && got < len(form.takes) {
			d.fail(value, at, "%s takes %s", form.name, form.wants())
			return
		}
	}
	into.Shape = form.shape
	if problem := form.problem(*into); problem != "" {
		d.fail(value, at, "%s", problem)
	}
}
