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
	_, container := f.containerOf(p.Container)
	name = strings.ToLower(string(p.Type)) + "Probe"
	return container + "." + name, name
}

// nextForProbe is what to do about a probe that fails.
func (f *Facts) nextForProbe(p *Probe, c cause) string {
	spec := f.specOf(*p)
	if spec == nil {
		return ""
	}
	path, name := f.probeField(p)
	_, code := causeOf(*p, spec)
	switch {
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
		return fmt.Sprintf("wait; if it needs longer, raise %s.failureThreshold%s; its log says how far it is (l).", name, f.at(path+".failureThreshold"))
	case c == status:
		return f.readTheLog(fmt.Sprintf("why it answers %d", code))
	case c == timedOut && nearTimeout(p, spec):
		return fmt.Sprintf("raise %s.timeoutSeconds%s: p99 was %s of %d s.", name, f.at(path+".timeoutSeconds"), strings.TrimSuffix(Latency(p.Slowest), " s"), spec.TimeoutSeconds)
	case c == timedOut:
		return f.nextForSilence(p)
	case c == command:
		return fmt.Sprintf("run it by hand: %s.", strings.TrimPrefix(Asked(spec, 0, false), "exec "))
	}
	return f.readTheLog("what it says")
}

func (f *Facts) readTheLog(about string) string { return "read in its log " + about + " (l)." }

// nearTimeout reports whether answers took nearly as long as they may before they failed.
func nearTimeout(p *Probe, spec *corev1.Probe) bool {
	return p.Slowest > seconds(spec.TimeoutSeconds)*7/10
}

func (f *Facts) nextForSilence(p *Probe) string {
	text := "read its last lines (l)"
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
	declared := f.declaredPort(*p)
	if !c.Looked {
		return fmt.Sprintf("let it listen on %s; l shows what it wrote.", portVariable(c, declared))
	}
	if len(c.Listeners) == 0 {
		text := fmt.Sprintf("let it listen on %s: it has no listening socket", portVariable(c, declared))
		if started := f.startedAt(); !started.IsZero() {
			text += " after " + span(f.Now.Sub(started).Truncate(time.Second))
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

var (
	hostName    = regexp.MustCompile(`(?:\blookup |\bhost(?: name)? |://(?:[^/@\s]*@)?|\bENOTFOUND )"?([a-z][a-z0-9-]*)`)
	hostAndPort = regexp.MustCompile(`\b([a-z][a-z0-9-]*)(?:\.[a-z0-9.-]+)?:\d{2,5}\b`)
	variable    = regexp.MustCompile(`\b([A-Z][A-Z0-9]*_[A-Z0-9_]+|PORT)\b(?:.{0,30}\b(?:not set|required|missing|undefined|empty|unset|must be set)\b)`)
	missingFile = regexp.MustCompile(`(?:open|stat|cannot open|No such file or directory:|read) ['"]?([./~][^\s'":,]+)['"]?`)
)

// nextForExit is what to do about a program that has ended.
func (f *Facts) nextForExit(container string, end *corev1.ContainerStateTerminated, again bool) string {
	_, path := f.containerOf(container)
	c := f.Containers[container]
	rest := " l shows all it wrote."
	if again {
		rest = " Then r starts it now; l shows all it wrote."
	}
	killed := end.Signal == int32(syscall.SIGKILL) || end.ExitCode == 128+int32(syscall.SIGKILL)
	switch {
	case end.ExitCode == 126 || end.ExitCode == 127:
		return "correct command" + f.at(path+".command") + ", or name the program with --command " + container + "='./program'."
	case end.Reason == "OOMKilled", killed && !c.Killed:
		return "look whether memory ran out (dmesg): somebody else than Probity sent SIGKILL." + rest
	}
	if what := f.missing(c.LastWords); what != "" {
		return what + rest
	}
	if strings.TrimSpace(c.LastWords) == "" {
		return "start it by hand and look: it printed nothing before it ended."
	}
	if again {
		return "correct what its last words say." + rest
	}
	return "correct what its last words say;" + rest
}

// missing names the Service, the variable or the file that the last words of a program miss, if it
// is missing.
func (f *Facts) missing(words string) string {
	if m := variable.FindStringSubmatch(words); m != nil {
		return "set " + m[1] + " in env."
	}
	if f.HasService != nil && mentionsNetwork(words) {
		for _, expression := range []*regexp.Regexp{hostAndPort, hostName} {
			for _, m := range expression.FindAllStringSubmatch(words, -1) {
				if name := m[1]; name != "localhost" && !f.HasService(name) && !slices.Contains(noHosts, name) {
					return fmt.Sprintf("add %s's manifest to the command line: no Service %[1]s exists here.", name)
				}
			}
		}
	}
	if m := missingFile.FindStringSubmatch(words); m != nil && strings.Contains(strings.ToLower(words), "no such file") {
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
