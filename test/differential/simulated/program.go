package simulated

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate"
	simscript "github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/test/differential/ledger"
	"github.com/probity-run/probity/test/differential/script"
)

// programs are the players of a Pod. They implement [simulate.Programs]. What they cannot say they
// report to fail, and the scenario is void.
type programs struct {
	specs   map[string]*corev1.Container
	running map[string]*program // the newest process of each container
	log     *podLog
	now     func() time.Duration
	fail    func(error)
}

// program is one process that serves, or did an action.
type program struct {
	*serving  // nil for an action
	spec      *corev1.Container
	instance  int
	up        time.Duration // when it listens
	answers   map[string]string
	term      string
	counts    map[string]int // requests and actions so far, by name
	signalled bool           // it has had its signal
}

func newPrograms(pod *corev1.Pod, b *podLog, now func() time.Duration, fail func(error)) *programs {
	p := &programs{specs: map[string]*corev1.Container{}, running: map[string]*program{}, log: b, now: now, fail: fail}
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			p.specs[list[i].Name] = &list[i]
		}
	}
	return p
}

// Start implements [simulate.Programs].
func (p *programs) Start(i simulate.Instance) *simulate.Exit {
	end, err := p.start(i)
	if err != nil {
		// the simulation goes on, and its result is not used
		p.running[i.Container] = &program{serving: &serving{}, spec: p.specs[i.Container], counts: map[string]int{}}
		p.fail(err)
	}
	return end
}

// start begins a process and tells when it ends by itself.
func (p *programs) start(i simulate.Instance) (*simulate.Exit, error) {
	spec := p.specs[i.Container]
	if len(spec.Command) < 2 || spec.Command[1] != "serve" {
		return p.startAction(spec)
	}
	s, err := parseServing(spec.Command[2:])
	if err != nil {
		return nil, err
	}
	delay, err := time.ParseDuration(script.OfInstance(s.delay, i.Number))
	if err != nil {
		return nil, err
	}
	answers, err := script.Answers(script.OfInstance(s.answers, i.Number))
	if err != nil {
		return nil, err
	}
	p.running[i.Container] = &program{
		serving: s, spec: spec, instance: i.Number, up: p.now() + delay, answers: answers, term: script.OfInstance(s.term, i.Number), counts: map[string]int{},
	}
	p.log.begin(process{container: i.Container, instance: i.Number, service: s, delay: delay})
	text := script.OfInstance(s.life, i.Number)
	if text == "" {
		return nil, nil
	}
	after, code, err := ending(text)
	return &simulate.Exit{After: after, Code: code}, err
}

// startAction lets an init container do what it has to do, and end. It serves nobody, so the ledger
// knows no instance of it.
func (p *programs) startAction(spec *corev1.Container) (*simulate.Exit, error) {
	d, err := parseAction(spec.Command)
	if err != nil {
		return nil, err
	}
	n := &program{spec: spec, counts: map[string]int{}}
	p.running[spec.Name] = n
	result, err := p.do(n, d)
	return &simulate.Exit{After: result.after, Code: result.code}, err
}

// Stop implements [simulate.Programs]. Only the first signal counts.
func (p *programs) Stop(i simulate.Instance, _ time.Duration) simulate.Exit {
	n := p.running[i.Container]
	if n.signalled || n.serving == nil || n.term == "ignore" {
		return simulate.Exit{After: simscript.Infinity}
	}
	n.signalled = true
	after, code, err := n.ending()
	if err != nil {
		p.fail(err)
	}
	return simulate.Exit{After: after, Code: code}
}

// nextStep is the next step of a script, and a line about it.
func (p *programs) nextStep(n *program, kind, name, steps string) (string, error) {
	count := n.counts[name]
	n.counts[name]++
	step, err := script.StepAt(steps, count)
	p.log.write(p.now(), n.spec.Name, n.instance, kind, name, step)
	return step, err
}

// do does the next step of an action, and writes down when it will be done.
func (p *programs) do(n *program, d action) (done, error) {
	step, err := p.nextStep(n, ledger.Exec, d.name, script.OfInstance(d.script, n.instance))
	if err != nil {
		return done{}, err
	}
	result, err := perform(step)
	p.log.write(p.now()+result.after, n.spec.Name, n.instance, ledger.Done, d.name, "")
	return result, err
}

// Hook implements [simulate.Programs].
func (p *programs) Hook(i simulate.Instance, _ lifecycle.HookType, handler *corev1.LifecycleHandler) simulate.HookAnswer {
	answer, err := p.hook(p.running[i.Container], handler)
	if err != nil {
		p.fail(err)
	}
	return answer
}

// Probe implements [simulate.Programs].
func (p *programs) Probe(a simulate.Attempt) simulate.Answer {
	answer, err := p.probe(p.running[a.Instance.Container], a.Probe)
	if err != nil {
		p.fail(err)
	}
	return answer
}
