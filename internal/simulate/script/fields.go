package script

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/printable"
)

func scriptFields() []field[Script] {
	return []field[Script]{
		{"podSetup", chanceForm(), "0s", "From a Pod's creation to its first process: sandbox, volumes, images.",
			func(d *decoder, n *yaml.Node, at string, s *Script) { d.distribution(n, at, &s.PodSetup) }},
		{"endpointDelay", chanceForm(), "0s", "How long a change of readiness takes to reach those who send requests.",
			func(d *decoder, n *yaml.Node, at string, s *Script) { d.distribution(n, at, &s.EndpointDelay) }},
		{"programs", programsForm(), "", "How the containers' processes behave when nothing is wrong.", readPrograms},
		{"faults", listForm("list of faults", reference("fault")), "", "What happens to them.", func(d *decoder, n *yaml.Node, at string, s *Script) {
			d.list(n, at, func(n *yaml.Node, at string) { s.Faults = append(s.Faults, readFault(d, n, at)) })
		}},
	}
}

func readPrograms(d *decoder, n *yaml.Node, at string, s *Script) {
	if n.Kind != yaml.MappingNode {
		d.fail(n, at, "a mapping from container names to programs is wanted here")
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if _, twice := s.Programs[key.Value]; twice {
			d.fail(key, join(at, key.Value), "the container is there twice")
		}
		p := DefaultProgram()
		object(d, n.Content[i+1], join(at, key.Value), programFields(), &p)
		s.Programs[key.Value] = p
	}
}

func programFields() []field[Program] {
	return []field[Program]{
		{"startup", chanceForm(), "0s", "From the start of the process until it answers.",
			func(d *decoder, n *yaml.Node, at string, p *Program) { d.distribution(n, at, &p.Startup) }},
		{"beforeStartup", replyForm("refused, hang, ok or a status code", "refused", "hang", "error", "ok"), "refused", "What probes get until then.",
			func(d *decoder, n *yaml.Node, at string, p *Program) { d.reply(n, at, &p.Before) }},
		{"latency", chanceForm(), "5ms", "How long an answer takes. One that takes longer than timeoutSeconds fails.",
			func(d *decoder, n *yaml.Node, at string, p *Program) { d.distribution(n, at, &p.Latency) }},
		{"failures", shareForm("probability"), "0", "That a probe fails by itself (status 500), each independent of the others.",
			func(d *decoder, n *yaml.Node, at string, p *Program) { d.probability(n, at, &p.Failures) }},
		{"shutdown", shutdownForm(), "0s",
			"From SIGTERM to the end of the process. 0s: the signal itself ends it, with code 143; else the code is 0. never: it ignores the signal.",
			readShutdown},
		{"exit", form{"exit", reference("exit")}, "", "When the process ends by itself after each start. Default: never; an init container's at once.", readExit},
		{"preStop", chanceForm(), "0s", "How long the preStop hook takes. A sleep hook, and a command such as sleep 10, take what they say.",
			func(d *decoder, n *yaml.Node, at string, p *Program) { d.distribution(n, at, &p.PreStop) }},
		{"postStart", chanceForm(), "0s", "The same for the postStart hook.",
			func(d *decoder, n *yaml.Node, at string, p *Program) { d.distribution(n, at, &p.PostStart) }},
	}
}

func readShutdown(d *decoder, n *yaml.Node, at string, p *Program) {
	if n.Value == "never" {
		p.Shutdown = Fixed(Infinity)
		return
	}
	d.distribution(n, at, &p.Shutdown)
}

func readExit(d *decoder, n *yaml.Node, at string, p *Program) {
	p.Exit = &Exit{}
	object(d, n, at, exitFields(), p.Exit)
}

func exitFields() []field[Exit] {
	return []field[Exit]{
		{"after", chanceForm(), "0s", "From the start of the process to its end.", func(d *decoder, n *yaml.Node, at string, e *Exit) { d.distribution(n, at, &e.After) }},
		{"code", integerForm("number", 0, maxExitCode), "0", "The exit code.", func(d *decoder, n *yaml.Node, at string, e *Exit) { d.exitCode(n, at, &e.Code) }},
	}
}

// maxExitCode is the greatest exit code that a process can have.
const maxExitCode = 255

func (d *decoder) exitCode(n *yaml.Node, at string, into *int32) {
	code := int(*into)
	d.integer(n, at, 0, maxExitCode, &code)
	*into = int32(code)
}

func faultFields() []field[Fault] {
	return []field[Fault]{
		{"fault", wordForm(strings.Join(kindNames(), ", "), kindNames()...), "", "What happens. " + strings.Join(kindNotes(), "; ") + ".", readKind},
		{"name", textForm("text"), "the fault", "What reports call it.", readName},
		{"at", chanceForm(), "0s, with every: after one draw of every", "When it happens, counted from the start of the simulation.",
			func(d *decoder, n *yaml.Node, at string, f *Fault) { f.At = d.optional(n, at) }},
		{"every", chanceForm(), "", "From one beginning to the next. {exponential: 1h}: at random moments, one an hour.", readEvery},
		{"for", chanceForm(), "until the container restarts", "How long it lasts.",
			func(d *decoder, n *yaml.Node, at string, f *Fault) { f.For = d.optional(n, at) }},
		{"workload", textForm("name, or kind/name"), "all", "To the Pods of which workload it happens.",
			func(d *decoder, n *yaml.Node, at string, f *Fault) { d.text(n, at, &f.Workload) }},
		{"container", textForm("name"), "all but init containers", "To which container it happens.",
			func(d *decoder, n *yaml.Node, at string, f *Fault) { d.text(n, at, &f.Container) }},
		{"probes", probesForm(), "all", "Which probes notice it.",
			func(d *decoder, n *yaml.Node, at string, f *Fault) { d.probes(n, at, &f.Probes) }},
		{"path", textForm("path"), "any", "Only httpGet probes of that path notice it.", func(d *decoder, n *yaml.Node, at string, f *Fault) { d.text(n, at, &f.Path) }},
		{"replicas", listForm("list of numbers from 0", integerSchema(0, MaxReplicas-1)), "all", "To which replicas it happens.", readReplicas},
		{"shared", booleanForm(), "false", "Whether chance strikes all replicas at the same time.",
			func(d *decoder, n *yaml.Node, at string, f *Fault) { d.boolean(n, at, &f.Shared) }},
		{"outlastsRestart", booleanForm(), "false" + alwaysOutlast(), "Whether it goes on when the container restarts.",
			func(d *decoder, n *yaml.Node, at string, f *Fault) { d.boolean(n, at, &f.Outlasts) }},
		{"reply", replyForm("hang or a status code", "hang"), "503", "What probes get from a " + strings.Join(kindsThatTake("reply"), " or a ") + ".",
			func(d *decoder, n *yaml.Node, at string, f *Fault) { d.reply(n, at, &f.Reply) }},
		{"code", integerForm("number", 0, maxExitCode), "1", "The exit code of an " + strings.Join(kindsThatTake("code"), " or an ") + ".", func(d *decoder, n *yaml.Node, at string, f *Fault) { d.exitCode(n, at, &f.Code) }},
		{"latency", timeForm(), "", "What " + strings.Join(kindsThatTake("latency"), " or ") + " adds to each answer.", func(d *decoder, n *yaml.Node, at string, f *Fault) { d.duration(n, at, &f.Latency) }},
		{"share", shareForm("number from 0 to 1"), "0.05", "The share of a processor that a " + strings.Join(kindsThatTake("share"), " or ") + " leaves: answers take 1/share times as long.",
			func(d *decoder, n *yaml.Node, at string, f *Fault) { d.probability(n, at, &f.Share) }},
		{"ramp", timeForm(), "0s", "During which that grows from 0.", func(d *decoder, n *yaml.Node, at string, f *Fault) { d.duration(n, at, &f.Ramp) }},
	}
}

// alwaysOutlast names the kinds that no restart ends, whatever a script says.
func alwaysOutlast() (text string) {
	for _, name := range kindsThat(func(row kindRow) bool { return row.dependency }) {
		text += "; " + name + ": true"
	}
	return text
}

// readName reads what reports write on their lines.
func readName(d *decoder, n *yaml.Node, at string, f *Fault) {
	d.text(n, at, &f.Name)
	f.Name = printable.Line(f.Name)
}

func readKind(d *decoder, n *yaml.Node, at string, f *Fault) {
	if d.scalar(n, at, "a fault") && !slices.Contains(kindNames(), n.Value) {
		why := ""
		if problem := notSimulated(n.Value); problem != "" {
			why = " (" + problem + ")"
		}
		d.fail(n, at, "unknown fault %s: there are %s%s", printable.Quote(n.Value), strings.Join(kindNames(), ", "), why)
	}
	f.Kind = FaultKind(n.Value)
}

func readEvery(d *decoder, n *yaml.Node, at string, f *Fault) {
	f.Every = d.optional(n, at)
	if f.Every.Mean() < time.Second {
		d.fail(n, at, "a mean of at least 1s is wanted")
	}
}

func readReplicas(d *decoder, n *yaml.Node, at string, f *Fault) {
	f.Replicas = []int{}
	d.list(n, at, func(n *yaml.Node, at string) {
		i := 0
		d.integer(n, at, 0, MaxReplicas-1, &i)
		f.Replicas = append(f.Replicas, i)
	})
}

func (d *decoder) optional(n *yaml.Node, at string) *Distribution {
	into := &Distribution{}
	d.distribution(n, at, into)
	return into
}

// readFault reads a fault and checks that its fields go together.
func readFault(d *decoder, n *yaml.Node, at string) Fault {
	f := Fault{Code: 1, Reply: Reply{Kind: ReplyStatus, Code: 503}}
	before := len(d.errs)
	object(d, n, at, faultFields(), &f)
	if len(d.errs) == before {
		if problem := f.problem(); problem != "" {
			d.fail(n, at, "%s", problem)
		}
	}
	return f
}
