package advisor

import (
	"path"
	"slices"
	"strings"
)

// UnreadCurl is the address that curl asks in an exec command without -f, so that an error of the
// server counts as success, if nobody reads what it prints either.
func UnreadCurl(words []string) (address string, ok bool) {
	text, isScript := Script(words)
	if !isScript {
		if len(words) > 2 && path.Base(words[0]) == "timeout" {
			_, rest := timeoutOf(words[1:])
			return UnreadCurl(rest)
		}
		return unreadCurl(words)
	}
	list := shellCommands(text)
	// A file that a command writes may be read later, and a group's output by what follows it.
	if slices.ContainsFunc(list, func(c shellCommand) bool {
		return len(c.words) == 0 || c.hereDocument || c.words[0] == "}" && c.operator == "|"
	}) {
		return "", false
	}
	for _, c := range list {
		unread := c.depth == 0 && c.operator != "|" && (c.output == "" || c.output == "/dev/null")
		if address, ok := unreadCurl(command(c.words)); ok && unread {
			return address, true
		}
	}
	return "", false
}

func unreadCurl(words []string) (address string, ok bool) {
	if len(words) == 0 || path.Base(words[0]) != "curl" {
		return "", false
	}
	v := Invocation{Name: "curl", Args: words[1:]}
	for i := 0; i < len(v.Args); i++ {
		arg := v.Args[i]
		name, value, takes := curlOption(arg)
		if takes && value == "" && i+1 < len(v.Args) {
			i++
			value = v.Args[i]
		}
		switch {
		case name == "":
			address = arg
		case strings.HasPrefix(name, "--fail"), name == "-f", name == "-K", name == "--config", name == "-O", name == "--remote-name":
			return "", false
		case name == "--url":
			address = value
		case (name == "-o" || name == "--output") && value != "/dev/null" && value != "-":
			return "", false
		}
	}
	scheme, _, hasScheme := strings.Cut(address, "://")
	isHTTP := !hasScheme || scheme == "http" || scheme == "https"
	return address, address != "" && isHTTP
}

// curlOption reads one argument of curl: the option that matters in it, the value that is joined to
// it, and whether it takes a value. name is empty if it is none.
func curlOption(arg string) (name, value string, takes bool) {
	if strings.HasPrefix(arg, "--") {
		name, value, _ = strings.Cut(arg, "=")
		return name, value, slices.Contains([]string{"--output", "--url", "--header", "--max-time", "--write-out", "--request", "--data", "--user", "--connect-timeout",
			"--cacert", "--cert", "--key", "--config", "--retry", "--retry-delay", "--retry-max-time", "--unix-socket", "--resolve", "--user-agent", "--referer", "--proxy",
			"--interface", "--data-raw", "--data-binary", "--cookie", "--noproxy", "--connect-to", "--range", "--limit-rate", "--max-redirs", "--tls-max"}, name)
	}
	if len(arg) < 2 || arg[0] != '-' {
		return "", "", false
	}
	for i, letter := range arg[1:] {
		switch {
		case letter == 'f' || letter == 'O':
			return "-" + string(letter), "", false
		case strings.ContainsRune("oHmwXduAbceEFKTxyYzCPQrtU", letter):
			return "-" + string(letter), arg[i+2:], true
		}
	}
	return arg, "", false
}
