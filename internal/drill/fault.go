package drill

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/simulate/script"
)

// Fault is something that is done to a service on purpose.
type Fault struct {
	// Word is as it was written, and as --fault takes it.
	Word string
	// Kind is the first part of the word, such as "hang" or "dependency-outage".
	Kind Kind
	// Dependency is the one that is broken, for a dependency-outage or a pool.
	Dependency string
	// Mode is how: "down", "hang", "reset", "slow" or "dead".
	Mode string
	// Delay is by how much a slow dependency is slower.
	Delay time.Duration
	// Number is a share of a processor, a factor, a count or an exit code, as the kind has it.
	Number float64
	// Bytes is a limit of memory.
	Bytes int64
	// AtStart reports that it is there from the start of the process on.
	AtStart bool
	// Length is how long it lasts; 0: until its consequence is there, or cannot come any more.
	Length time.Duration
	// Exact reports that somebody has asked for that length.
	Exact bool
	// Workload to which it is restricted, as in "deployment/web"; "" means every one.
	Workload string
	// Container that it happens to, by name; "" means that of [Workload.Container], and each of the
	// others in turn if the fault is inside of a process and somebody has asked for it.
	Container string
}

// Kind is a kind of faults.
type Kind string

// The kinds of faults.
const (
	KindBaseline   Kind = "baseline" // none
	KindHang       Kind = "hang"
	KindGCStall    Kind = "gc-stall"
	KindCrash      Kind = "crash"
	KindThrottle   Kind = "throttle"
	KindFDs        Kind = "fds"
	KindDiskFull   Kind = "disk-full"
	KindMemory     Kind = "memory"
	KindDependency Kind = "dependency-outage"
	KindDNS        Kind = "dns" // in words alone: the fault is an outage of the dependency dns
	KindPool       Kind = "pool"
	KindDeadlock   Kind = "deadlock"
	KindHeld       Kind = "held"
	KindOverload   Kind = "overload"
	KindSlowStart  Kind = "slow-start"
	KindStop       Kind = "stop"
	KindRollout    Kind = "rollout"
)

// kindRow is what is known of a kind.
type kindRow struct {
	kind Kind
	side Side
	// syntax is an example of its word, text what it does.
	syntax, text string
	// length is how long it lasts at least if nobody says so; 0: until its consequence.
	length time.Duration
	// all: it happens to every replica.
	all bool
	// value reads what follows "="; nil: nothing may.
	value func(f *Fault, text string) error
	// wants: value is called without "=", too. of: the word names a dependency. contained: it
	// happens to the program of one container.
	wants, of, contained bool
	// number is what the value is without "=".
	number float64
}

// poolDelay is how much later a dependency answers so that connections to it are used up.
const poolDelay = 2 * time.Second

// outsideLength is how long a fault lasts at least that nothing ends: long enough for a probe with
// quick numbers to be wrong. For others [Fault.longEnough] makes it longer.
const outsideLength = 12 * time.Second

func kindRows() []kindRow {
	return []kindRow{
		{kind: KindHang, side: SideInside, contained: true, syntax: "hang, hang+8s", text: "every process of a container is stopped; +8s: a stall that passes"},
		{kind: KindCrash, side: SideEnd, contained: true, syntax: "crash, crash=137", text: "the process of a replica is killed, with the signal of an exit code", value: exitCode, number: 137},
		{kind: KindStop, side: SideEnd, syntax: "stop", text: "one Pod is deleted"},
		{kind: KindRollout, side: SideEnd, syntax: "rollout", text: "the workload is rolled, one replica after the other", all: true},
		{kind: KindGCStall, side: SideOutside, contained: true, syntax: "gc-stall=8s/1h", text: "one stall of 8s, as hang+8s; that it comes once an hour is for a simulation", value: stalls, wants: true},
		{kind: KindDeadlock, side: SideInside, contained: true, syntax: "deadlock", text: "a loop hangs: by the command of the annotation probity.run/drill.deadlock.CONTAINER, which only a restart undoes, or by package health"},
		{kind: KindFDs, side: SideInside, contained: true, syntax: "fds", text: "no further descriptor can be opened"},
		{kind: KindMemory, side: SideEnd, contained: true, syntax: "memory=64Mi", text: "a replica that takes more is killed, as OOMKilled", length: outsideLength, value: bytesValue, wants: true},
		{kind: KindDiskFull, side: SideOutside, contained: true, syntax: "disk-full", text: "emptyDirs with a sizeLimit of up to 256Mi are full; of a replica that has none, nothing can be written to any file", length: outsideLength},
		{kind: KindThrottle, side: SideOutside, contained: true, syntax: "throttle=5%", text: "a replica gets that share of a processor", length: outsideLength, value: share, number: 0.05},
		{kind: KindDependency, side: SideOutside, syntax: "dependency-outage:db, dependency-outage:db=hang+20s, dependency-outage:db=slow:300ms, dependency-outage:db=dead, dependency-outage:db@start",
			text: "what the replicas connect to is down, hangs, resets, is slow, is silent as without power (dead)", length: outsideLength, all: true, value: mode, wants: true, of: true},
		{kind: KindDNS, side: SideOutside, syntax: "dns, dns=slow:5s, dns=dead",
			text: "an outage of the name servers, of all programs that ask them by UDP or TCP", length: outsideLength, all: true, value: mode, wants: true},
		{kind: KindPool, side: SideOutside, syntax: "pool:db, pool:db=20x",
			text:   "what the replicas connect to answers " + script.FormatDuration(poolDelay) + " later, under so many times the requests: more at a time than a pool has connections",
			length: outsideLength, all: true, value: factor, number: 10, of: true},
		{kind: KindHeld, side: SideOutside, syntax: "held=200", text: "so many clients connect to a replica and say nothing", length: outsideLength, value: count, number: 200},
		{kind: KindOverload, side: SideOutside, syntax: "overload=10x", text: "so many times the requests", length: outsideLength, all: true, value: factor, number: 10},
		{kind: KindSlowStart, side: SideOutside, contained: true, syntax: "slow-start=2x", text: "a replica starts at that part of the speed of one processor", length: 2 * outsideLength, value: factor, number: 2},
	}
}

func (k Kind) row() kindRow {
	rows := kindRows()
	if i := slices.IndexFunc(rows, func(r kindRow) bool { return r.kind == k }); i >= 0 {
		return rows[i]
	}
	return kindRow{kind: k, side: SideNone}
}

// Side is where the fault's cause lies. A stall that passes is nothing that a restart cures.
func (f Fault) Side() Side {
	if f.Kind == KindHang && f.Length > 0 {
		return SideOutside
	}
	return f.Kind.row().side
}

// ends reports whether the drill ends the process of a replica to inject the fault: because that is
// the fault, or because it is one of the start.
func (f Fault) ends() bool { return f.Kind == KindCrash || f.Kind == KindSlowStart || f.AtStart }

// crashes reports whether it ends a process without asking it to.
func (k Kind) crashes() bool { return k == KindCrash || k == KindMemory }

// stops reports whether it stops the processes of a replica.
func (f Fault) stops() bool { return f.Kind == KindHang || f.Kind == KindGCStall }

// Title is the fault for people.
func (f Fault) Title() string {
	if f.Container != "" {
		return f.title() + " in container " + f.Container
	}
	return f.title()
}

func (f Fault) title() string {
	switch f.Kind {
	case KindHang, KindGCStall:
		if f.Length > 0 {
			return "stall of " + script.FormatDuration(f.Length)
		}
	case KindDependency:
		how := map[string]string{"down": " down", "hang": " hangs", "reset": " resets", "dead": " dead", "slow": " slow by " + script.FormatDuration(f.Delay)}[f.Mode]
		if f.AtStart {
			how += " at the start"
		}
		return "dependency " + f.Dependency + how
	case KindPool:
		return fmt.Sprintf("pool of %s, %gx load", f.Dependency, f.Number)
	case KindThrottle:
		return fmt.Sprintf("throttle to %g%%", f.Number*100)
	case KindOverload:
		return fmt.Sprintf("overload of %gx", f.Number)
	case KindHeld:
		return fmt.Sprintf("%g silent clients", f.Number)
	case KindSlowStart:
		return fmt.Sprintf("start %gx as slow", f.Number)
	case KindDiskFull:
		return "disk full"
	case KindMemory:
		return "memory limit of " + formatBytes(f.Bytes)
	}
	return string(f.Kind)
}

// ParseFault reads a word:
// WORD[:DEPENDENCY][=VALUE][@start][+LENGTH][,workload=NAME][,container=NAME].
func ParseFault(text string) (Fault, error) {
	fail := func(format string, args ...any) (Fault, error) {
		return Fault{}, fmt.Errorf("cannot read the fault %s: %s", printable.Quote(text), fmt.Sprintf(format, args...))
	}
	short, restrictions, some := strings.Cut(text, ",")
	name, rest := cutAt(short, ":=@+")
	f := Fault{Word: text, Kind: Kind(name)}
	if err := f.known(name); err != nil {
		return Fault{}, err
	}
	if some {
		if err := f.restrict(short, restrictions); err != nil {
			return fail("%v", err)
		}
	}
	row := f.Kind.row()
	f.Number, f.Length = row.number, row.length
	if after, ok := strings.CutPrefix(rest, ":"); ok {
		f.Dependency, rest = cutAt(after, "=@+")
	}
	value := ""
	if after, ok := strings.CutPrefix(rest, "="); ok {
		if value, rest = cutAt(after, "@+"); value == "" || row.value == nil {
			return fail("write it as %s", row.syntax)
		}
	}
	if row.of != (f.Dependency != "") {
		return fail("write it as %s", row.syntax)
	}
	if f.Kind == KindDNS {
		f.Kind, f.Dependency = KindDependency, nameServers
	}
	if row.value != nil && (value != "" || row.wants) {
		if err := row.value(&f, value); err != nil {
			return fail("%v: write it as %s", err, row.syntax)
		}
	}
	if after, ok := strings.CutPrefix(rest, "@start"); ok && f.Kind == KindDependency {
		f.AtStart, rest = true, after
	}
	if rest == "" {
		return f, nil
	}
	after, ok := strings.CutPrefix(rest, "+")
	if !ok || row.length == 0 && f.Kind != KindHang {
		return fail("write it as %s; when it begins, the drill decides", row.syntax)
	}
	var err error
	if f.Length, err = script.ParseDuration(after); err != nil || f.Length <= 0 || f.Length > maxLength {
		return fail("%s is no length up to %v", printable.Quote(after), maxLength)
	}
	f.Exact = true
	return f, nil
}

// restrict reads what a fault is restricted to. short is the word without it.
func (f *Fault) restrict(short, restrictions string) error {
	for restriction := range strings.SplitSeq(restrictions, ",") {
		key, name, _ := strings.Cut(restriction, "=")
		switch {
		case key == "workload" && name == "":
			return fmt.Errorf("it names no workload: write it as %s,workload=deployment/web", short)
		case key == "workload":
			f.Workload = name
		case key == "container" && !f.Kind.row().contained:
			return fmt.Errorf("%s happens to no container alone: write it as %s", f.Kind, short)
		case key == "container" && name == "":
			return fmt.Errorf("it names no container: write it as %s,container=web", short)
		case key == "container":
			f.Container = name
		default:
			return fmt.Errorf("%s is none of workload=NAME and container=NAME", printable.Quote(restriction))
		}
	}
	return nil
}

// lasting is its word with another length.
func (f Fault) lasting(length time.Duration) string {
	short, restrictions, some := strings.Cut(f.Word, ",")
	short, _, _ = strings.Cut(short, "+")
	if some {
		restrictions = "," + restrictions
	}
	return short + "+" + script.FormatDuration(length) + restrictions
}

// in is the fault as it happens to another container than the one of its word.
func (f Fault) in(container string) Fault {
	f.Word, f.Container = f.Word+",container="+container, container
	return f
}

// nameServers is the dependency that all name servers are.
const nameServers = "dns"

// maxLength bounds a fault: nobody waits longer for a drill.
const maxLength = time.Hour

// known is why a word is no fault of a drill; nil if it is one.
func (f Fault) known(name string) error {
	var words []string
	for _, row := range kindRows() {
		if row.kind == f.Kind {
			return nil
		}
		words = append(words, string(row.kind))
	}
	if instead := otherWords()[name]; instead != "" {
		return fmt.Errorf("cannot inject %s: %s", printable.Quote(name), instead)
	}
	for _, r := range script.ReadyMadeFaults() {
		if r.Name == name {
			return fmt.Errorf("cannot inject %s: only a simulation can (probity simulate --fault %s); a drill has %s", printable.Quote(name), r.Syntax, strings.Join(words, ", "))
		}
	}
	return fmt.Errorf("unknown fault %s: there are %s", printable.Quote(f.Word), strings.Join(words, ", "))
}

// otherWords are words of tests in Go and Python that a drill has no use for, with what to write.
func otherWords() map[string]string {
	return map[string]string{
		"kill":    "write crash, which is the same",
		"unready": "it makes no probe act that should not: the annotation probity.run/fault of a Pod that runs has it, for tests",
	}
}

func cutAt(text, signs string) (before, rest string) {
	if i := strings.IndexAny(text, signs); i >= 0 {
		return text[:i], text[i:]
	}
	return text, ""
}

// stalls reads 8s/1h: how long a stall lasts, and how often one comes, which a drill does not wait
// for.
func stalls(f *Fault, text string) error {
	length, every, ok := strings.Cut(text, "/")
	d, err := script.ParseDuration(length)
	if err != nil || !ok || d <= 0 || d > maxLength {
		return fmt.Errorf("%s is no length up to %v and how often", printable.Quote(text), maxLength)
	}
	if p, err := script.ParseDuration(every); err != nil || p <= d {
		return fmt.Errorf("%s is not longer than the stall", printable.Quote(every))
	}
	f.Length = d
	return nil
}

func share(f *Fault, text string) error {
	number, ok := strings.CutSuffix(text, "%")
	x, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(x >= 1 && x <= 100) {
		return fmt.Errorf("%s is no share from 1%% to 100%%", printable.Quote(text))
	}
	f.Number = x / 100
	return nil
}

func factor(f *Fault, text string) error {
	number, ok := strings.CutSuffix(text, "x")
	x, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(x > 1 && x <= 100) {
		return fmt.Errorf("%s is no factor above 1x, up to 100x", printable.Quote(text))
	}
	f.Number = x
	return nil
}

func count(f *Fault, text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 10000 {
		return fmt.Errorf("%s is no number from 1 to 10000", printable.Quote(text))
	}
	f.Number = float64(n)
	return nil
}

func mode(f *Fault, text string) error {
	how, delay, slow := strings.Cut(text, ":")
	f.Mode = how
	switch {
	case text == "":
		f.Mode = "down"
	case how == "slow" && slow:
		d, err := script.ParseDuration(delay)
		if err != nil || d <= 0 {
			return fmt.Errorf("%s is no time", printable.Quote(delay))
		}
		f.Delay = d
	case !slow && slices.Contains([]string{"down", "hang", "reset", "dead"}, how):
	default:
		return fmt.Errorf("%s is none of down, hang, reset, dead and slow:300ms", printable.Quote(text))
	}
	return nil
}

// bytesValue reads a limit of memory in Kubernetes' notation.
func bytesValue(f *Fault, text string) error {
	q, err := parseBytes(text)
	if err != nil || q < 1<<20 {
		return fmt.Errorf("%s is no amount of memory from 1Mi on", printable.Quote(text))
	}
	f.Bytes = q
	return nil
}
