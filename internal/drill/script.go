package drill

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// ScriptedFaults are the faults of a script of simulate, as words of a drill. How long each lasts
// the script says (of what is left to chance, the median); when it begins, the drill decides, but
// for an outage from the start on. What the script says of programs is for a simulation; here
// they run. A fault that cannot be injected is an error with its name and the reason.
func ScriptedFaults(s *script.Script) (all []Fault, err error) {
	for i := range s.Faults {
		scripted := &s.Faults[i]
		word, why := scriptedWord(scripted)
		if why == "" {
			why = onlySimulated(scripted)
		}
		if why != "" {
			return nil, fmt.Errorf("cannot inject the fault %s of the script: %s (probity drill faults)", scripted.Label(), why)
		}
		if scripted.Workload != "" {
			word += ",workload=" + scripted.Workload
		}
		if scripted.Container != "" {
			word += ",container=" + scripted.Container
		}
		f, err := ParseFault(word)
		if err != nil {
			return nil, fmt.Errorf("cannot inject the fault %s of the script: %w", scripted.Label(), err)
		}
		all = append(all, f)
	}
	return all, nil
}

// scriptedWord is the word of a fault of a script, or why there is none.
func scriptedWord(f *script.Fault) (word, why string) {
	length := ""
	if d := median(f.For); d > 0 {
		length = "+" + script.FormatDuration(d)
	}
	if f.Every != nil && f.Kind != script.FaultHang {
		return "", "a drill does not wait for what comes again and again: without every, it is injected so often as --repeat says"
	}
	switch f.Kind {
	case script.FaultHang:
		if f.Every != nil {
			return scriptedStalls(f)
		}
		return string(KindHang) + length, ""
	case script.FaultExit:
		if f.Code >= leastSignalCode && f.Code <= mostSignalCode {
			return fmt.Sprintf("%s=%d", KindCrash, f.Code), ""
		}
		return string(KindCrash), ""
	case script.FaultRollout:
		return string(KindRollout), ""
	case script.FaultThrottle:
		share := ""
		if f.Share > 0 {
			share = "=" + strconv.FormatFloat(f.Share*100, 'f', -1, 64) + "%"
		}
		return string(KindThrottle) + share + length, ""
	case script.FaultDescriptors:
		if length != "" {
			return "", "it lasts until the restart that cures it: without for, it can be injected"
		}
		return string(KindFDs), ""
	case script.FaultOutage, script.FaultSlowDependency:
		return scriptedOutage(f, length)
	case script.FaultStatus:
		if slices.Equal(f.Probes, []lifecycle.ProbeType{lifecycle.Liveness}) && length == "" {
			return string(KindDeadlock), "" // which is what simulate means by it
		}
		return "", "only a simulation can, as what a program answers is its own; a deadlock is one that liveness alone notices, without for"
	case script.FaultSlow:
		return "", "only a simulation can, as nothing from outside makes answers so much slower: write throttle, or dependency-slow"
	case script.FaultRefuse:
		return "", "only a simulation can, as a port is closed by the program that has opened it: write fds, or hang"
	case script.FaultKubelet:
		return "", "only a simulation can, as the kubelet of a drill is the drill itself"
	}
	return "", "only a simulation can"
}

// onlySimulated is what a fault of a script is restricted to that only a simulation can do: whoever
// left it out would inject another fault. "" if there is nothing.
func onlySimulated(f *script.Fault) string {
	switch {
	case len(f.Probes) > 0 && f.Kind != script.FaultStatus: // of which liveness alone is a deadlock
		return "only a simulation can choose who notices it, as a program answers each probe itself: without probes, it can be injected"
	case f.Path != "":
		return "only a simulation can choose who notices it, as a program answers each path itself: without path, it can be injected"
	case f.Replicas != nil:
		return "only a simulation can choose replicas, as a drill takes one after the other: without replicas, it can be injected"
	case f.Outlasts && !f.OfDependency():
		return "only a simulation can have it go on in the next process: without outlastsRestart, it can be injected"
	case f.Ramp > 0:
		return "only a simulation can have it grow: without ramp, it can be injected"
	case f.Kind == script.FaultExit && f.Code != anyCode && (f.Code < leastSignalCode || f.Code > mostSignalCode):
		return fmt.Sprintf("only the program itself can exit with code %d, a drill ends it by a signal: without code, or with one from %d to %d, it can be injected", f.Code, leastSignalCode, mostSignalCode)
	}
	return ""
}

// anyCode is the exit code of a script that does not say which: any end of a process will do.
const anyCode = 1

// scriptedStalls is the word of stalls that come again and again.
func scriptedStalls(f *script.Fault) (word, why string) {
	if f.For == nil || f.For.Mean() < time.Millisecond {
		return "", "stalls that come again and again need for: how long each lasts"
	}
	short := func(d *script.Distribution) string { return script.FormatDuration(d.Mean().Round(time.Millisecond)) }
	return fmt.Sprintf("%s=%s/%s", KindGCStall, short(f.For), short(f.Every)), ""
}

// scriptedOutage is the word of an outage. The name of the fault is that of the dependency, or its
// ready-made word has it.
func scriptedOutage(f *script.Fault, length string) (word, why string) {
	short, _, _ := strings.Cut(f.Name, ",workload=")
	name, rest := cutAt(short, ":=@+")
	if after, ok := strings.CutPrefix(rest, ":"); ok && name == string(KindDependency) {
		name, _ = cutAt(after, "=@+")
	} else if rest != "" && name != nameServers {
		name = ""
	}
	if name == "" || name == string(KindDependency) {
		return "", "it does not say which dependency: its name has to be that of the dependency, as in name: db"
	}
	how := ""
	switch {
	case f.Kind == script.FaultSlowDependency:
		how = "=slow:" + script.FormatDuration(f.Latency)
	case f.Reply.Kind == script.ReplyHang:
		how = "=hang"
	}
	if f.At != nil && median(f.At) == 0 {
		how += "@start"
	}
	return fmt.Sprintf("%s:%s%s%s", KindDependency, name, how, length), ""
}

// median is the time that half of the draws stay below; 0 if there is none.
func median(d *script.Distribution) time.Duration {
	if d == nil {
		return 0
	}
	return d.Quantile(0.5).Round(time.Millisecond)
}
