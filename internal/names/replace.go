package names

import (
	"net/netip"
	"strconv"
	"strings"
)

// Lookup finds the address that works for a host name and a port: "127.77.1.2" and 8080. Port 0 is
// asked for where none stands beside the name; then the result may have none either. ok is false if
// the name means no Service, or nobody would answer there.
type Lookup func(host string, port int) (address string, workingPort int, ok bool)

// Replace puts working addresses in the place of what names Services in the value of a variable:
// HOST:PORT, the host of a URL, and dotted names. A bare word stays, as it may mean anything.
// Several in one value are replaced one by one.
func Replace(value string, lookup Lookup) (replaced string, changed bool) {
	return replace(value, isName, lookup)
}

// ReplaceHosts does the same with every host that stands there: localhost and addresses, too, those
// of IPv6 in brackets.
func ReplaceHosts(value string, lookup Lookup) (replaced string, changed bool) {
	return replace(value, func(host string) bool {
		_, err := netip.ParseAddr(host)
		return err == nil || isName(host)
	}, lookup)
}

func replace(value string, isHost func(string) bool, lookup Lookup) (replaced string, changed bool) {
	var b strings.Builder
	rest := 0 // what is not copied yet begins here
	for at := 0; at < len(value); {
		end := at
		for end < len(value) && isHostByte(value[end]) {
			end++
		}
		if end == at {
			end += bracketed(value[at:])
		}
		if end == at {
			at++
			continue
		}
		if text, upTo, ok := replaceHost(value, at, end, isHost, lookup); ok {
			b.WriteString(value[rest:at])
			b.WriteString(text)
			rest, at = upTo, upTo
			changed = true
			continue
		}
		at = end
	}
	b.WriteString(value[rest:])
	return b.String(), changed
}

// bracketed is the length of an address of IPv6 in brackets at the beginning of a text; 0 if there
// is none.
func bracketed(text string) int {
	inside, _, ok := strings.Cut(strings.TrimPrefix(text, "["), "]")
	if _, err := netip.ParseAddr(inside); !ok || err != nil || text[0] != '[' || !strings.Contains(inside, ":") {
		return 0
	}
	return len(inside) + len("[]")
}

// inBrackets is an address as it stands in front of a port.
func inBrackets(address string) string {
	if strings.Contains(address, ":") {
		return "[" + address + "]"
	}
	return address
}

// replaceHost is the replacement of the word at value[at:end] and of the port behind it, and where
// these end.
func replaceHost(value string, at, end int, isHost func(string) bool, lookup Lookup) (text string, upTo int, ok bool) {
	host, where := strings.Trim(value[at:end], "[]"), placeOf(value, at)
	if where == elsewhere || !isHost(host) {
		return "", 0, false
	}
	port, upTo := portAfter(value, end)
	if upTo < len(value) && !endsHost(value[upTo]) || where == inURL && isUserInfo(value[upTo:]) {
		return "", 0, false
	}
	asked := port
	switch {
	case port > 0:
	case where == inURL:
		asked = schemePort(value[:at])
	case where == afterAt || !strings.Contains(host, ".") || value[at] == '[':
		return "", 0, false
	}
	address, workingPort, ok := lookup(host, asked)
	if !ok {
		return "", 0, false
	}
	if port == 0 && (workingPort == asked || workingPort == 0) {
		return inBrackets(address), upTo, true // the program adds the port itself
	}
	if port == 0 && where != inURL {
		return "", 0, false // and would add the wrong one
	}
	return inBrackets(address) + ":" + strconv.Itoa(workingPort), upTo, true
}

// place is where a word stands.
type place int

const (
	elsewhere place = iota
	alone           // at the beginning, or after what separates words
	inURL           // after a scheme
	afterAt         // after a user
)

func placeOf(value string, at int) place {
	switch before := value[:at]; {
	case before == "" || strings.IndexByte(" \t\r\n,;|=\"'([{<", before[at-1]) >= 0:
		return alone
	case strings.HasSuffix(before, "://"):
		return inURL
	case strings.HasSuffix(before, "@"):
		if scheme := strings.LastIndex(before, "://"); scheme >= 0 && !strings.ContainsAny(before[scheme+len("://"):], "/?# \t\r\n") {
			return inURL
		}
		return afterAt
	}
	return elsewhere
}

// isUserInfo reports whether a URL goes on, after what may be its host, to an @ that makes a user
// of that.
func isUserInfo(rest string) bool {
	end := strings.IndexAny(rest, "/?# \t\r\n,\"'")
	if end < 0 {
		end = len(rest)
	}
	return strings.Contains(rest[:end], "@")
}

// portAfter reads ":8080"; it is 0 without.
func portAfter(value string, at int) (port, end int) {
	if at >= len(value) || value[at] != ':' {
		return 0, at
	}
	end = at + 1
	for end < len(value) && value[end] >= '0' && value[end] <= '9' {
		end++
	}
	n, err := strconv.ParseUint(value[at+1:end], 10, 16)
	if err != nil || n == 0 {
		return 0, at
	}
	return int(n), end
}

// schemePort is the usual port of the scheme at the end of a text; 0 if it has none.
func schemePort(before string) int {
	before = before[:strings.LastIndex(before, "://")]
	for scheme, port := range map[string]int{
		"http": 80, "ws": 80, "https": 443, "wss": 443, "redis": 6379, "rediss": 6379, "postgres": 5432, "postgresql": 5432, "mysql": 3306,
		"mongodb": 27017, "amqp": 5672, "amqps": 5671, "nats": 4222, "ldap": 389, "ldaps": 636, "ftp": 21, "ssh": 22,
	} {
		if head, ok := strings.CutSuffix(strings.ToLower(before), scheme); ok && (head == "" || !isHostByte(head[len(head)-1]) && head[len(head)-1] != '+') {
			return port
		}
	}
	return 0
}

func isHostByte(c byte) bool {
	return c == '-' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// endsHost reports whether a byte can follow a host or a port.
func endsHost(c byte) bool {
	return !isHostByte(c) && strings.IndexByte(":_@%$*\\~", c) < 0 && c < 0x80
}

// isName tells names from numbers, IPv4 addresses and stray dots.
func isName(host string) bool {
	return strings.ContainsFunc(host, func(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }) &&
		host[0] != '-' && host[0] != '.' && !strings.Contains(host, "..")
}
