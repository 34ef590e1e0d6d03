// Package variable finds variables in probes that nobody replaces by their values.
package variable

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is variable-not-expanded.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "variable-not-expanded",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "A variable in a probe is never replaced by its value.",
			Consequence: advisor.Prose(`
				Only a shell replaces $NAME. $(NAME) in a command is replaced by the literal values of the container's env list alone: a variable of
				envFrom stays as it is written, and one with valueFrom becomes nothing. In httpGet, tcpSocket and grpc nothing is replaced at all. So the
				probe asks what nobody meant.`),
			Remedy:       "Write sh -c and the line, with $NAME in it; in a path, write the value.",
			Before:       "livenessProbe: {exec: {command: [curl, -f, 'http://localhost:$PORT/livez']}}",
			After:        "livenessProbe: {exec: {command: [sh, -c, 'curl -f http://localhost:$PORT/livez']}}",
			KubeletRules: []string{"R57", "R83"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	if isTemplate(w) {
		return nil
	}
	var found []advisor.Finding
	for _, c := range w.Containers {
		seen := map[string]bool{}
		for _, p := range c.Probes() {
			for _, u := range unexpanded(p) {
				if !seen[u.name] {
					seen[u.name] = true // one variable, one finding
					found = append(found, p.Finding(u.field, "%s is never replaced: %s", u.name, u.reason))
				}
			}
		}
	}
	return found
}

// isTemplate reports whether something else is going to replace variables: names and images have
// some, too.
func isTemplate(w *advisor.Workload) bool {
	return strings.Contains(w.Object.Resource.GetName(), "$") ||
		slices.ContainsFunc(w.Spec.Containers, func(c corev1.Container) bool { return strings.ContainsAny(c.Image, "${") })
}

// use is a variable that stays, and where.
type use struct{ name, field, reason string }

func unexpanded(p *advisor.Probe) []use {
	switch p.Handler() {
	case "exec":
		return inCommand(p)
	case "httpGet":
		get := p.HTTPGet
		list := inField(nil, "httpGet.path", get.Path)
		list = inField(list, "httpGet.host", get.Host)
		for i, h := range get.HTTPHeaders {
			list = inField(list, fmt.Sprintf("httpGet.httpHeaders[%d].value", i), h.Value)
		}
		return list
	case "tcpSocket":
		return inField(nil, "tcpSocket.host", p.TCPSocket.Host)
	case "grpc":
		return inField(nil, "grpc.service", *p.GRPC.Service)
	}
	return nil
}

// The forms of variables: that of the kubelet, and that of a shell in capitals.
var (
	kubeletForm = regexp.MustCompile(`\$\$|\$\(([A-Za-z_][A-Za-z0-9_]*)\)`)
	shellForm   = regexp.MustCompile(`\$(?:\{([A-Z_][A-Z0-9_]+)\}|([A-Z_][A-Z0-9_]+))`)
	capitals    = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)
)

func inField(list []use, field, text string) []use {
	for _, form := range []*regexp.Regexp{kubeletForm, shellForm} {
		for _, name := range form.FindAllString(text, -1) {
			if name != "$$" {
				list = append(list, use{name, field, "the kubelet takes this field as it is written"})
			}
		}
	}
	return list
}

func inCommand(p *advisor.Probe) []use {
	var list []use
	replaces := replacesVariables(p.Exec.Command)
	for i, word := range p.Exec.Command {
		field := fmt.Sprintf("exec.command[%d]", i)
		for _, m := range kubeletForm.FindAllStringSubmatch(word, -1) {
			if reason := reasonFor(p.Container, m[1], replaces); m[1] != "" && reason != "" {
				list = append(list, use{m[0], field, reason})
			}
		}
		if replaces {
			continue
		}
		for _, m := range shellForm.FindAllString(word, -1) {
			list = append(list, use{m, field, "no shell runs this command, and the kubelet replaces only $(NAME)"})
		}
	}
	return list
}

// reasonFor says why the kubelet does not replace $(name) by a value, or "" if it does, or if it
// may be a command that a shell runs.
func reasonFor(c *advisor.Container, name string, inShell bool) string {
	i := slices.IndexFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == name })
	switch {
	case i >= 0 && c.Env[i].ValueFrom == nil:
		return ""
	case i >= 0:
		return "for a variable with valueFrom the kubelet puts nothing into a probe's command; a shell has it as $" + name
	case inShell && !capitals.MatchString(name):
		return ""
	case inShell:
		return "it is not in the container's env list, so the shell takes it for a command; the variable is $" + name
	}
	return "it is not in the container's env list, where alone the kubelet looks"
}

// replacesVariables reports whether a program of the command is a shell, or has $NAME in a language
// of its own.
func replacesVariables(command []string) bool {
	for i := range command {
		if _, ok := advisor.Script(command[i:]); ok {
			return true
		}
	}
	return slices.ContainsFunc(command, func(word string) bool {
		switch word[strings.LastIndexAny(word, `/\`)+1:] {
		case "su", "runuser", "ssh", "eval", "envsubst", "awk", "gawk", "mawk", "perl", "php", "ruby", "tclsh", "make", "mongo", "mongosh",
			"powershell", "powershell.exe", "pwsh", "cmd", "cmd.exe", "script":
			return true
		}
		return false
	})
}
