package advisor

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Invocation is one program that an exec probe or hook runs.
type Invocation struct {
	// Name is the program's base name.
	Name string
	Args []string
	// Limit is how long an enclosing timeout(1) lets it run, or 0.
	Limit time.Duration
}

// Invocations are the programs that an exec handler's command runs: the program itself, or those in
// the script of a shell.
func Invocations(command []string) []Invocation {
	script, isShell := Script(command)
	if !isShell {
		return invocation(nil, command)
	}
	var list []Invocation
	for _, words := range simpleCommands(script) {
		list = invocation(list, words)
	}
	return list
}

func invocation(list []Invocation, words []string) []Invocation {
	if len(words) == 0 || len(list) > 100 {
		return list
	}
	limit := time.Duration(0)
	if path.Base(words[0]) == "timeout" {
		limit, words = timeoutOf(words[1:])
		if len(words) == 0 {
			return list
		}
	}
	if script, ok := Script(words); ok {
		for _, inner := range simpleCommands(script) {
			if len(inner) > 0 && !isShell(inner[0]) {
				list = append(list, Invocation{path.Base(inner[0]), inner[1:], limit})
			}
		}
		return list
	}
	return append(list, Invocation{path.Base(words[0]), words[1:], limit})
}

// timeoutOf reads the arguments of timeout(1): options, the time, the command. Busybox has the time
// behind -t.
func timeoutOf(words []string) (time.Duration, []string) {
	for len(words) > 0 && strings.HasPrefix(words[0], "-") {
		takesValue := slices.Contains([]string{"-k", "-s", "--kill-after", "--signal"}, words[0])
		words = words[1:]
		if takesValue && len(words) > 0 {
			words = words[1:]
		}
	}
	if len(words) == 0 {
		return 0, nil
	}
	d, ok := parseSeconds(words[0])
	if !ok {
		return 0, words
	}
	return d, words[1:]
}

func isShell(word string) bool {
	return slices.Contains([]string{"sh", "bash", "ash", "dash", "zsh", "ksh"}, path.Base(word))
}

// Script is the text that a command gives to a shell with -c, if that is what it does.
func Script(command []string) (string, bool) {
	s, ok := shellScript(command)
	return s.text, ok
}

// flag finds an option's value in any of its spellings: -w 5, -w5 for one letter, --wait 5,
// --wait=5.
func (v Invocation) flag(names ...string) (string, bool) {
	for i, arg := range v.Args {
		for _, name := range names {
			value, isJoined := strings.CutPrefix(arg, name+"=")
			switch {
			case isJoined:
				return value, true
			case arg == name && i+1 < len(v.Args):
				return v.Args[i+1], true
			case len(name) == 2 && len(arg) > 2 && strings.HasPrefix(arg, name) && !strings.HasPrefix(arg, "--"):
				return arg[2:], true
			}
		}
	}
	return "", false
}

// positional are the arguments that are no options; options in takesValue are followed by a value.
func (v Invocation) positional(takesValue ...string) []string {
	var list []string
	for i := 0; i < len(v.Args); i++ {
		switch arg := v.Args[i]; {
		case slices.Contains(takesValue, arg):
			i++
		case !strings.HasPrefix(arg, "-"):
			list = append(list, arg)
		}
	}
	return list
}

// parseSeconds reads "5", "1.5", "30s", "2m", "500ms".
func parseSeconds(text string) (time.Duration, bool) {
	const day = 24 * 60 * 60
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		if n < 0 || !(n <= day) {
			return 0, false
		}
		return time.Duration(n * float64(time.Second)), true
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d >= 0 && d <= day*time.Second
}

// Wait is the longest time that the command waits by its own options, and the words that give it.
// Zero means that it gives none.
func Wait(command []string) (longest time.Duration, words string) {
	for _, v := range Invocations(command) {
		d, text := v.wait()
		if v.Limit > 0 && (d == 0 || v.Limit < d) {
			d, text = v.Limit, "timeout "+v.Limit.String()
		}
		if d > longest {
			longest, words = d, text
		}
	}
	return longest, words
}

func (v Invocation) wait() (time.Duration, string) {
	if v.Name == "sleep" {
		d, _ := v.sleepTime() // a variable gives no bound
		return d, strings.Join(append([]string{v.Name}, v.Args...), " ")
	}
	for _, names := range waitFlags(v.Name) {
		if text, ok := v.flag(names...); ok {
			if d, ok := parseSeconds(text); ok {
				return d, v.Name + " " + names[len(names)-1] + " " + text
			}
		}
	}
	return 0, ""
}

// waitFlags are the options that bound a program's time, the outermost bound first; spellings of
// one option stand together.
func waitFlags(program string) [][]string {
	switch program {
	case "curl":
		return [][]string{{"-m", "--max-time"}, {"--connect-timeout"}}
	case "wget":
		return [][]string{{"-T", "--timeout"}}
	case "nc", "ncat", "netcat":
		return [][]string{{"-w"}}
	case "pg_isready":
		return [][]string{{"-t", "--timeout"}}
	case "mysqladmin", "mysql", "mariadb-admin", "mariadb":
		return [][]string{{"--connect-timeout", "--connect_timeout"}}
	case "grpc_health_probe", "grpc-health-probe":
		return [][]string{{"-rpc-timeout", "--rpc-timeout"}, {"-connect-timeout", "--connect-timeout"}}
	case "ping":
		return [][]string{{"-w"}, {"-W"}}
	case "ps", "find", "grep", "cat", "test", "[", "ls":
		return nil
	}
	return [][]string{{"-timeout", "--timeout"}, {"--request-timeout"}, {"--command-timeout"}}
}

// sleepTime is how long sleep(1) takes by its arguments, which add up, and by a timeout(1) around
// it. known is false if one of them is no time, a variable for example; it counts as none.
func (v Invocation) sleepTime() (total time.Duration, known bool) {
	known = len(v.Args) > 0
	for _, arg := range v.Args {
		d, ok := parseSeconds(arg)
		total, known = total+d, known && ok
	}
	if v.Limit > 0 {
		total = min(total, v.Limit)
	}
	return total, known
}

// Sleep is how long a preStop command sleeps in all, at least.
func Sleep(command []string) time.Duration {
	total := time.Duration(0)
	for _, v := range Invocations(command) {
		if v.Name == "sleep" {
			d, _ := v.sleepTime()
			total += d
		}
	}
	return total
}

// HeavyRuntime names the runtime that a command starts, if each start costs a good part of a CPU
// second, or returns "".
func HeavyRuntime(command []string) string {
	for _, v := range Invocations(command) {
		switch v.Name {
		case "java", "nodetool", "cqlsh", "jcmd", "groovy", "scala", "kotlin", "jshell", "zkCli.sh", "kafka-topics.sh", "kafka-topics",
			"kafka-broker-api-versions.sh", "kafka-broker-api-versions", "kafka-consumer-groups.sh", "kafka-consumer-groups":
			return "a JVM"
		case "dotnet", "pwsh":
			return "the .NET runtime"
		case "rabbitmqctl", "rabbitmq-diagnostics":
			return "an Erlang VM"
		case "node", "mongosh", "npm", "npx", "yarn":
			return "Node.js"
		case "php", "artisan":
			return "PHP"
		case "python", "python2", "python3", "ruby", "bundle", "rails", "rake", "kubectl":
			return v.Name
		}
	}
	return ""
}

// CommandField is the path, in the probe or hook, of the first item of an exec command that
// contains the text, or of the whole command.
func CommandField(command []string, text string) string {
	if i := slices.IndexFunc(command, func(word string) bool { return strings.Contains(strings.ToLower(word), text) }); i >= 0 && text != "" {
		return "exec.command[" + strconv.Itoa(i) + "]"
	}
	return "exec.command"
}
