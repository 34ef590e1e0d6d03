package diagnosis

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/printable"
)

const outAnnotation = "probity.run/rotation: out"

// at is where a field of the Pod is written, in brackets: " (app.yaml:31)". It is "" if nobody
// knows.
func (f *Facts) at(field string) string {
	if f.Place == nil {
		return ""
	}
	place := f.Place(field)
	if place == "" {
		return ""
	}
	return " (" + place + ")"
}

// probeField is the path of a probe in the Pod's spec, and how a person calls it.
func (f *Facts) probeField(p *Probe) (path, name string) {
	container := f.pathOf(p.Container)
	name = strings.ToLower(string(p.Type)) + "Probe"
	return container + "." + name, name
}

// nextForProbe is what to do about a probe that fails.
func (f *Facts) nextForProbe(p *Probe, failure Failure) string {
	spec := f.specOf(p)
	if spec == nil {
		return ""
	}
	path, name := f.probeField(p)
	switch c, code := failure.cause, failure.code; {
	case c == refused:
		return f.nextForRefusal(p, spec)
	case c == stranger:
		return "end that process, or let the program listen on the port in PORT."
	case c == status && code == 404:
		return fmt.Sprintf("correct %s.httpGet.path%s: nothing answers at %s.", name, f.at(path+".httpGet.path"), spec.HTTPGet.Path)
	case c == status && (code == 401 || code == 403):
		return fmt.Sprintf("let %s answer without a login: a probe has none.", spec.HTTPGet.Path)
	case c == status && code >= 300 && code < 400:
		return fmt.Sprintf("probe the target of the redirect%s, not the page that redirects.", f.at(path+".httpGet.path"))
	case p.Type == startup && c == status:
		wait := "wait; "
		if known := f.Containers[p.Container]; known.Stopping || known.KilledBy == startup {
			wait = ""
		}
		return fmt.Sprintf("%sif it needs longer, raise %s.failureThreshold%s; its log says how far it is (%s).", wait, name, f.at(path+".failureThreshold"), f.Style.log())
	case c == status:
		return f.readTheLog(fmt.Sprintf("why it answers %d", code))
	case c == timedOut && nearTimeout(p, spec):
		return fmt.Sprintf("raise %s.timeoutSeconds%s: p99 was %s of %d s.", name, f.at(path+".timeoutSeconds"), strings.TrimSuffix(Latency(p.Slowest), " s"), spec.TimeoutSeconds)
	case c == timedOut:
		return f.nextForSilence(p)
	case c == command:
		return "run it by hand" + byHand(spec.Exec.Command) + "."
	}
	return f.readTheLog("what it says")
}

func (f *Facts) readTheLog(about string) string {
	return fmt.Sprintf("read in its log %s (%s).", about, f.Style.log())
}

// byHand is a command as one has to write it for a shell, after a colon; "" if that is too long to
// be read.
func byHand(command []string) string {
	words := make([]string, len(command))
	for i, word := range command {
		words[i] = printable.Shell(word)
	}
	text := strings.Join(words, " ")
	if slices.Contains(words, "") || printable.Width(text) > maxText {
		return ""
	}
	return ": " + text
}

// nearTimeout reports whether answers took nearly as long as they may before they failed.
func nearTimeout(p *Probe, spec *corev1.Probe) bool {
	return p.Slowest > seconds(spec.TimeoutSeconds)*7/10
}

func (f *Facts) nextForSilence(p *Probe) string {
	text := fmt.Sprintf("read its last lines (%s)", f.Style.log())
	if c := f.Containers[p.Container]; c.PID != 0 && !c.Stopping {
		before := "kill -QUIT"
		if p.Type == liveness {
			before = "before the restart, kill -QUIT"
		}
		text += fmt.Sprintf("; %s %d makes a Go or Java program print its stacks", before, c.PID)
	}
	return text + "."
}

// nextForRefusal is what to do if nobody listens where a probe asks.
func (f *Facts) nextForRefusal(p *Probe, spec *corev1.Probe) string {
	c := f.Containers[p.Container]
	declared := f.declaredPort(p)
	if !c.Looked {
		return fmt.Sprintf("let it listen on %s; %s shows what it wrote.", portVariable(c, declared), f.Style.log())
	}
	if len(c.Listeners) == 0 {
		text := fmt.Sprintf("let it listen on %s: it has no listening socket", portVariable(c, declared))
		if started := f.startedAt(); !started.IsZero() {
			text += " after " + Span(f.Now.Sub(started).Truncate(time.Second))
		}
		return text + "."
	}
	actual := actualPort(c, declared)
	for _, l := range c.Listeners {
		if int(l.Port()) == actual {
			return fmt.Sprintf("let it listen on 127.0.0.1 or on all addresses: it listens on %s.", l)
		}
	}
	return f.nextForPort(p, spec, c, declared)
}

// nextForPort is what to do if a program listens on another port than a probe asks.
func (f *Facts) nextForPort(p *Probe, spec *corev1.Probe, c Container, declared int) string {
	path, name := f.probeField(p)
	_, field, _ := portOf(spec)
	listens, value := portNames(c)
	return fmt.Sprintf("set %s.%s to %s%s: the program listens on %s, nothing on %d.", name, field, value, f.at(path+"."+field), listens, declared)
}

// portNames says on which ports a program listens, and what to write into a probe for the first.
func portNames(c Container) (listens, value string) {
	var names []string
	for _, port := range ports(c.Listeners) {
		text, write := strconv.Itoa(port), strconv.Itoa(port)
		for _, known := range c.Ports {
			if known.Actual != port {
				continue
			}
			write = strconv.Itoa(known.Declared)
			if known.Name != "" {
				write = known.Name
			}
			if text = strconv.Itoa(known.Declared); known.Declared != port {
				text += fmt.Sprintf(" (here %d)", port)
			}
		}
		if value == "" {
			value = write
		}
		names = append(names, text)
	}
	return strings.Join(names, " and "), value
}

func ports(listeners []netip.AddrPort) []int {
	var all []int
	for _, l := range listeners {
		if !slices.Contains(all, int(l.Port())) {
			all = append(all, int(l.Port()))
		}
	}
	slices.Sort(all)
	return all
}

func actualPort(c Container, declared int) int {
	for _, p := range c.Ports {
		if p.Declared == declared {
			return p.Actual
		}
	}
	return declared
}

// portVariable names a port as the program is told it.
func portVariable(c Container, declared int) string {
	for i, p := range c.Ports {
		if p.Declared == declared && p.Actual != declared {
			if i == 0 || p.Name == "http" {
				return fmt.Sprintf("$PORT (%d)", p.Actual)
			}
			return fmt.Sprintf("$PORT_%d (%d)", declared, p.Actual)
		}
	}
	return "port " + strconv.Itoa(declared)
}

// nextForExit is what to do about a program that has ended.
func (f *Facts) nextForExit(container string, end *corev1.ContainerStateTerminated, again bool) string {
	path := f.pathOf(container)
	c := f.Containers[container]
	rest := " " + f.Style.log() + " shows all it wrote."
	if again && !f.Style.NoKeys {
		rest = " Then r starts it now;" + rest
	}
	killed := end.Signal == int32(syscall.SIGKILL) || end.ExitCode == 128+int32(syscall.SIGKILL)
	if p := f.killer(container); p != nil {
		return f.nextForProbe(p, f.failureOf(p))
	}
	switch {
	case end.Reason == startError:
		return f.startAdvice(container, end.Reason, end.Message)
	case end.ExitCode == 126 || end.ExitCode == 127:
		return f.correctCommand(container, path)
	case end.Reason == "OOMKilled", killed && !c.Killed:
		return "look whether memory ran out (dmesg): somebody else than Probity sent SIGKILL." + rest
	}
	if words := strings.ToLower(c.LastWords); strings.Contains(words, "address already in use") || strings.Contains(words, "eaddrinuse") {
		return "end the process that has the port, or let the program listen on the one in PORT." + rest
	}
	if what := f.missing(c.LastWords); what != "" {
		return what + rest
	}
	if strings.TrimSpace(c.LastWords) == "" && f.Told {
		return f.readTheLog("why it ends") + rest
	}
	if strings.TrimSpace(c.LastWords) == "" {
		return "start it by hand and look: it printed nothing before it ended."
	}
	if again && !f.Style.NoKeys {
		return "correct what its last words say." + rest
	}
	return "correct what its last words say;" + rest
}

// missing names the Service, the variable or the file that the last words of a program miss, if it
// is missing.
func (f *Facts) missing(words string) string {
	if m := patterns().variable.FindStringSubmatch(words); m != nil {
		return "set " + m[1] + " in env."
	}
	if f.HasService != nil && mentionsNetwork(words) {
		for _, expression := range []*regexp.Regexp{patterns().hostAndPort, patterns().hostName} {
			for _, m := range expression.FindAllStringSubmatch(words, -1) {
				if name := m[1]; name != "localhost" && !f.HasService(name) && !slices.Contains(noHosts, name) {
					return fmt.Sprintf("add %s's manifest to the command line: no Service %[1]s exists here.", name)
				}
			}
		}
	}
	if m := patterns().file.FindStringSubmatch(words); m != nil && strings.Contains(strings.ToLower(words), "no such file") {
		return "make " + m[1] + ", or correct its path: it does not exist."
	}
	return ""
}

// noHosts are words that stand where a host could.
var noHosts = []string{"tcp", "udp", "http", "https", "host", "the", "a", "server", "database", "lookup", "dial", "line", "port", "name", "user", "password"}

func mentionsNetwork(words string) bool {
	words = strings.ToLower(words)
	return slices.ContainsFunc([]string{"connection refused", "no such host", "cannot reach", "could not connect", "cannot connect", "could not translate", "name or service", "enotfound",
		"econnrefused", "dial tcp", "lookup", "unreachable", "temporary failure in name", "failed to connect"}, func(part string) bool { return strings.Contains(words, part) })
}
