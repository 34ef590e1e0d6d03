package script

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// shapeForm is how a shape is written.
type shapeForm struct {
	name  string
	shape Shape
	takes []string // names of A and B
}

func shapes() []shapeForm {
	return []shapeForm{
		{"constant", Constant, []string{"value"}},
		{"uniform", Uniform, []string{"from", "to"}},
		{"normal", Normal, []string{"mean", "deviation"}},
		{"lognormal", Lognormal, []string{"median", "p99"}},
		{"exponential", Exponential, []string{"mean"}},
	}
}

func (s shapeForm) fields() []field[Distribution] {
	all := []field[Distribution]{{name: s.takes[0], form: timeForm(), read: func(d *decoder, n *yaml.Node, at string, into *Distribution) { d.duration(n, at, &into.A) }}}
	if len(s.takes) > 1 {
		all = append(all, field[Distribution]{name: s.takes[1], form: timeForm(), read: func(d *decoder, n *yaml.Node, at string, into *Distribution) { d.duration(n, at, &into.B) }})
	}
	return all
}

func (s shapeForm) wants() string { return strings.Join(s.takes, " and ") }

// problem is what is wrong with the numbers of a distribution, or "".
func (s shapeForm) problem(d Distribution) string {
	switch {
	case s.shape == Uniform && d.B < d.A:
		return "to lies before from"
	case s.shape == Lognormal && (d.A <= 0 || d.B <= d.A):
		return "the median must be positive and p99 larger"
	case s.shape == Exponential && d.A <= 0:
		return "the mean must be positive"
	case s.shape == Normal && d.A == 0 && d.B == 0:
		return "mean and deviation are both 0"
	default:
		return ""
	}
}

// Reference is the reference of scripts and of ready-made faults, made of the tables that read
// them.
func Reference() string {
	var b strings.Builder
	b.WriteString("A script is a YAML file. Times are written 500ms, 90s, 1h30m or 30d; \"time\" below may also be by chance:\n\n")
	for _, s := range shapes() {
		fmt.Fprintf(&b, "    {%s: {%s: …}}\n", s.name, strings.Join(s.takes, ": …, "))
	}
	section(&b, "Fields", scriptFields())
	section(&b, "Fields of a program (programs.NAME; the name * stands for every container that is not named, and the name of a workload may come first, as in deployment/web:server)", programFields())
	section(&b, "Fields of exit", exitFields())
	section(&b, "Fields of a fault", faultFields())
	b.WriteString("\nReady-made faults, for --fault:\n\n")
	for _, r := range ReadyMadeFaults() {
		fmt.Fprintf(&b, "    %s\n        %s\n", r.Syntax, r.Text)
	}
	b.WriteString(referenceEnd)
	return b.String()
}

const referenceEnd = `
A fault that begins @TIME may be given ":CONTAINER" and "/PROBES" at its end, as in hang@60s:web or
dependency-outage@60s+2m/liveness,readiness: that container only, those probes only. Every one may be given ",workload=NAME" after that, as in
hang@60s,workload=deployment/web or slow-start=90s,workload=web: the Pods of that workload only.

A dependency's outage is noticed by the readiness probe, and by every other probe that asks the same question as the readiness probe. A fault
without "for" lasts until the container restarts. A tcpSocket probe notices refused connections only: the kernel accepts connections for a
process that hangs.

Example:

    podSetup: 2s
    programs:
      web:
        startup: {lognormal: {median: 20s, p99: 50s}}
        latency: {uniform: {from: 5ms, to: 80ms}}
        shutdown: 3s
    faults:
    - {fault: hang, every: {exponential: 1h}, for: {exponential: 8s}, name: garbage collection}
    - {fault: dependency-outage, at: 5m, for: 2m, probes: [readiness], reply: 503}
    - {fault: kubelet-restart, at: 9m}
`

func section[T any](b *strings.Builder, title string, fields []field[T]) {
	fmt.Fprintf(b, "\n%s:\n\n", title)
	for _, f := range fields {
		fmt.Fprintf(b, "    %s: %s", f.name, f.form.words)
		if f.otherwise != "" {
			fmt.Fprintf(b, " (default %s)", f.otherwise)
		}
		fmt.Fprintf(b, "\n        %s\n", f.text)
	}
}
