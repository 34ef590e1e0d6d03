package compose

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/manifest"
)

// request is what a health check asks of its own container by HTTP, or by a connection alone.
type request struct {
	connect bool // a connection is enough
	scheme  string
	path    string
	port    int
	headers []header
	within  time.Duration // the command's own limit; 0 is none
}

type header struct{ name, value string }

// requestOf recognizes commands that a probe can make itself: curl with -f and wget, of a URL of
// this container, and nc -z. What does more than that is no request: it stays a command.
func requestOf(h *Healthcheck) (r request, ok bool) {
	var words []string
	for _, w := range h.Command {
		words = append(words, w.Text)
	}
	if h.Shell {
		if words, ok = plainWords(words[0]); !ok {
			return r, false
		}
	}
	if len(words) == 0 {
		return r, false
	}
	program := words[0][strings.LastIndexByte(words[0], '/')+1:]
	switch program {
	case "curl":
		return curl(words[1:])
	case "wget":
		return wget(words[1:])
	case "nc":
		return netcat(words[1:])
	}
	return r, false
}

// toNowhere are redirections that drop the output.
var toNowhere = regexp.MustCompile(`\s([12&]?>\s*/dev/null|2>&1)\b`)

// plainWords are the words of a shell command that is one program, perhaps with "|| exit 1" at its
// end and output that goes nowhere.
func plainWords(line string) (words []string, ok bool) {
	if before, after, found := strings.Cut(line, "||"); found {
		if !slices.Contains([]string{"exit 1", "exit -1", "exit $?", "exit", "false", "(exit 1)"}, strings.TrimSpace(after)) {
			return nil, false
		}
		line = before
	}
	line = strings.TrimSpace(toNowhere.ReplaceAllString(line, " "))
	words, err := manifest.SplitWords(line)
	if err != nil || strings.ContainsAny(unquoted(line), "|&;<>$`(){}*") {
		return nil, false
	}
	return words, len(words) > 0
}

// unquoted is what of a command line the shell would look at: all but what stands in single quotes,
// and of double quotes what is expanded there.
func unquoted(line string) string {
	var b strings.Builder
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && quote != '\'':
			i++
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case quote == c:
			quote = 0
		case quote == 0 || quote == '"' && (c == '$' || c == '`'):
			b.WriteByte(c)
		}
	}
	return b.String()
}

// arguments splits the options of a command line from the rest. takesWord are the options that have
// a word behind them: a letter each, or long names with "--". Letters may stand together.
func arguments(args []string, takesWord []string, option func(name, word string) bool) (rest []string, ok bool) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		var names []string
		word, hasWord := "", false
		switch {
		case strings.HasPrefix(arg, "--"):
			name, after, has := strings.Cut(arg, "=")
			names, word, hasWord = []string{name}, after, has
		case strings.HasPrefix(arg, "-") && len(arg) > 1:
			for j := 1; j < len(arg) && !hasWord; j++ {
				names = append(names, arg[j:j+1])
				if slices.Contains(takesWord, arg[j:j+1]) && j+1 < len(arg) {
					word, hasWord = strings.TrimPrefix(arg[j+1:], "="), true
				}
			}
		default:
			rest = append(rest, arg)
			continue
		}
		last := names[len(names)-1]
		if slices.Contains(takesWord, last) && !hasWord {
			if i++; i >= len(args) {
				return nil, false
			}
			word = args[i]
		}
		for _, name := range names {
			if !option(name, word) {
				return nil, false
			}
		}
	}
	return rest, true
}

// curl reads the arguments of curl. Without -f any answer is a success, which no probe does.
func curl(args []string) (r request, ok bool) {
	fail, insecure := false, false
	rest, ok := arguments(args, []string{"m", "H", "o", "A", "--max-time", "--header", "--output", "--connect-timeout", "--user-agent"}, func(name, word string) bool {
		switch name {
		case "f", "--fail", "--fail-with-body":
			fail = true
		case "k", "--insecure":
			insecure = true
		case "s", "S", "L", "i", "4", "v", "--silent", "--show-error", "--location", "--no-progress-meter", "--include", "--ipv4", "--compressed", "--http1.1", "--verbose", "--connect-timeout":
		default:
			return r.option(name, word)
		}
		return true
	})
	return r, ok && fail && len(rest) == 1 && r.aim(rest[0]) && (r.scheme == "HTTP" || insecure)
}

// wget reads the arguments of wget, that of GNU or that of BusyBox.
func wget(args []string) (r request, ok bool) {
	insecure := false
	rest, ok := arguments(args, []string{"O", "t", "T", "--output-document", "--tries", "--timeout", "--header"}, func(name, word string) bool {
		switch name {
		case "--no-check-certificate":
			insecure = true
		case "t", "--tries":
			return word == "1"
		case "T", "--timeout":
			return r.option("--max-time", word)
		case "O", "--output-document":
			return r.option("--output", word)
		case "q", "n", "v", "S", "4", "--quiet", "--spider", "--no-verbose", "--server-response":
		default:
			return r.option(name, word)
		}
		return true
	})
	return r, ok && len(rest) == 1 && r.aim(rest[0]) && (r.scheme == "HTTP" || insecure)
}

// netcat reads the arguments of nc -z localhost PORT.
func netcat(args []string) (r request, ok bool) {
	zero := false
	rest, ok := arguments(args, nil, func(name, _ string) bool {
		zero = zero || name == "z"
		return name == "z" || name == "v"
	})
	if !ok || !zero || len(rest) != 2 || !isHere(rest[0]) {
		return r, false
	}
	port, err := strconv.Atoi(rest[1])
	r.connect, r.port = true, port
	return r, err == nil && port > 0 && port < 65536
}

// option takes an option that has a word, and reports whether a probe can do the same.
func (r *request) option(name, word string) bool {
	switch name {
	case "m", "--max-time":
		seconds, err := strconv.ParseFloat(word, 64)
		r.within = time.Duration(seconds * float64(time.Second))
		return err == nil && seconds > 0 && seconds < 1e6
	case "H", "--header":
		key, value, has := strings.Cut(word, ":")
		r.headers = append(r.headers, header{strings.TrimSpace(key), strings.TrimSpace(value)})
		return has && key != ""
	case "A", "--user-agent":
		r.headers = append(r.headers, header{"User-Agent", word})
	case "o", "--output":
		return word == "/dev/null" || word == "-"
	default:
		return false
	}
	return true
}

// aim takes the URL.
func (r *request) aim(target string) bool {
	if target != "" && !strings.Contains(target, "://") {
		target = "http://" + target
	}
	u, err := url.Parse(target)
	if err != nil || u.User != nil || !isHere(u.Hostname()) || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	r.scheme, r.port = "HTTP", 80
	if u.Scheme == "https" {
		r.scheme, r.port = "HTTPS", 443
	}
	if port := u.Port(); port != "" {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return false
		}
		r.port = n
	}
	r.path = u.EscapedPath()
	if r.path == "" {
		r.path = "/"
	}
	if u.RawQuery != "" {
		r.path += "?" + u.RawQuery
	}
	return true
}

func isHere(host string) bool {
	return slices.Contains([]string{"localhost", "127.0.0.1", "0.0.0.0", "::1"}, host)
}
