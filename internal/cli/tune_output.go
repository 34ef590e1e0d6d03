package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/tune"
	"github.com/probity-run/probity/internal/tune/render"
)

func wholeSeconds(n int) time.Duration { return time.Duration(n) * time.Second }

// tuneReport is what -o json prints.
type tuneReport struct {
	Advice     []*tune.Advice `json:"advice"`
	Prediction prediction     `json:"prediction"`
	// Commands apply the recommendation, check it now and later.
	Commands []string     `json:"commands,omitempty"`
	Series   *tune.Series `json:"series"`
}

func (t *tuneRun) printJSON(p prediction) error {
	return writeJSON(t.streams.Out, tuneReport{Advice: t.advice, Prediction: p, Commands: t.next(p, true), Series: t.series})
}

func writeJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// printText prints the recommendation for people; changes are there that were not written.
func (t *tuneRun) printText(out io.Writer, p prediction, changes bool) error {
	for i, a := range t.advice {
		if i > 0 {
			if _, err := fmt.Fprintln(out); err != nil {
				return err
			}
		}
		if err := render.Text(out, a); err != nil {
			return err
		}
	}
	var b strings.Builder
	if t.given() {
		text := "cannot be simulated: " + p.None
		if p.None == "" {
			text = fmt.Sprintf("%s restarts in %s with the stalls that were measured and the numbers above, at any phase of the probes", rangeText(p), tune.Time(float64(p.Horizon)))
			if len(p.Without) > 0 {
				text += fmt.Sprintf("; nothing was measured of what liveness asks in %s, so there it is taken to be answered always", strings.Join(p.Without, " and "))
			}
		}
		b.WriteString("\nsimulated: " + strings.Join(render.Wrap(text, 69), "\n           ") + "\n")
	}
	if commands := t.next(p, changes); len(commands) > 0 {
		b.WriteString("\nnext:\n")
		for _, c := range commands {
			b.WriteString("  " + c + "\n")
		}
	}
	_, err := io.WriteString(out, printable.Text(b.String()))
	return err
}

// given reports whether there is a recommendation at all.
func (t *tuneRun) given() bool {
	for _, a := range t.advice {
		if len(a.Choices) > 0 {
			return true
		}
	}
	return false
}

// rangeText gives "0" or "0 to 2".
func rangeText(p prediction) string {
	r := p.Restarts
	if r.Least == nil || r.Most == nil || *r.Least == *r.Most {
		return strings.Split(r.String(), " ")[0]
	}
	return r.String()
}

// next are the commands that apply the recommendation, check it now and verify it later.
func (t *tuneRun) next(p prediction, changes bool) (list []string) {
	if !t.given() {
		return nil
	}
	files := make([]string, len(t.paths))
	for i, path := range t.paths {
		files[i] = printable.Shell(path)
	}
	all := strings.Join(files, " ")
	series := t.out
	if series != "" && changes {
		if env, ok := flagsAgain(t.envAgain()); ok {
			list = append(list, fmt.Sprintf("probity tune %s --from %s%s%s --write", all, printable.Shell(series), t.asked(), env))
		}
	}
	if series != "" && p.None == "" && p.Restarts.Most != nil {
		list = append(list, fmt.Sprintf("probity simulate %s --script %s --replicas 1 --horizon %ds -o summary --assert 'restarts <= %d'",
			all, printable.Shell(scriptOf(series)), p.Horizon, int(math.Ceil(float64(*p.Restarts.Most)))))
	}
	list = append(list, "probity check "+all)
	if faults := t.drilled(); faults != "" {
		list = append(list, fmt.Sprintf("probity drill %s%s --assert", all, faults))
	}
	if series == "" && len(t.from) == 1 && t.from[0] != fromCluster {
		series = t.from[0]
	}
	if series != "" {
		list = append(list, fmt.Sprintf("probity tune --verify %s --from cluster", printable.Shell(series)))
	}
	return list
}

// drilled are the flags of a drill that tries what liveness promises: that a hang is noticed, and
// that a stall which is to be survived restarts nothing; "" without a liveness probe. Of the
// longest stall that is tolerated a tenth is left to whoever makes it, as a drill does by itself.
func (t *tuneRun) drilled() (flags string) {
	named := map[string]bool{}
	for _, a := range t.advice {
		live := a.Choice("liveness")
		if live == nil || named[a.Workload] {
			continue
		}
		named[a.Workload] = true
		stall := wholeSeconds(live.Next.Tolerated()) * 9 / 10
		if t.survive > 0 {
			stall = min(stall, t.survive)
		}
		of := ""
		if len(t.manifests.Workloads) > 1 {
			of = ",workload=" + a.Workload
		}
		for _, fault := range []string{"hang", "hang+" + script.FormatDuration(stall.Truncate(100*time.Millisecond))} {
			flags += " --fault " + printable.Shell(fault+of)
		}
	}
	same, ok := t.sameForDrill()
	if flags == "" || !ok {
		return ""
	}
	return flags + same
}

// sameForDrill are the flags with which a drill runs what was measured, under the same load. ok is
// false if one of them cannot be copied from a line.
func (t *tuneRun) sameForDrill() (flags string, ok bool) {
	requests := make([]string, len(t.requests))
	for i, r := range t.requests {
		requests[i] = r.Text() // a drill has no short form
	}
	return flagsAgain(append([]flagAgain{{"request", requests}, {"command", t.commands}}, t.envAgain()...))
}

// flagAgain is a flag that a command gets as often as it was given.
type flagAgain struct {
	name   string
	values []string
}

// envAgain are the flags for what documents refer to. Values may be secret: a command takes them
// from its environment.
func (t *tuneRun) envAgain() []flagAgain {
	names := make([]string, len(t.env.values))
	for i, value := range t.env.values {
		names[i], _, _ = strings.Cut(value, "=")
	}
	return []flagAgain{{"env", names}, {"env-file", t.env.files}}
}

// flagsAgain writes flags for a shell. ok is false if one of them cannot be copied from a line.
func flagsAgain(list []flagAgain) (flags string, ok bool) {
	for _, f := range list {
		for _, value := range f.values {
			word := printable.Shell(value)
			if word == "" {
				return "", false
			}
			flags += " --" + f.name + " " + word
		}
	}
	return flags, true
}

// asked are the objectives as flags.
func (t *tuneRun) asked() (flags string) {
	for _, f := range []struct {
		name  string
		value time.Duration
	}{{"detect", t.detect}, {"survive", t.survive}, {"drain", t.drain}} {
		if f.value > 0 {
			flags += fmt.Sprintf(" --%s %v", f.name, f.value)
		}
	}
	if t.tuneFlags.endpointDelay != time.Second {
		flags += fmt.Sprintf(" --endpoint-delay %v", t.tuneFlags.endpointDelay)
	}
	if t.falseRestarts != "" {
		flags += " --false-restarts " + printable.Shell(t.falseRestarts)
	}
	return flags
}

// printVerdicts prints what a cluster has made of promises.
func printVerdicts(out io.Writer, output string, verdicts []tune.Verdict) error {
	if output == "json" {
		return writeJSON(out, verdicts)
	}
	var b strings.Builder
	for _, v := range verdicts {
		word := "holds"
		switch {
		case v.Unknown:
			word = "UNKNOWN"
		case !v.Holds:
			word = "BROKEN"
		}
		text := fmt.Sprintf("%s, container %s: %s", v.Workload, v.Container, v.Text)
		b.WriteString(fmt.Sprintf("%-8s", word) + strings.Join(render.Wrap(text, 72), "\n        ") + "\n")
	}
	_, err := io.WriteString(out, printable.Text(b.String()))
	return err
}
