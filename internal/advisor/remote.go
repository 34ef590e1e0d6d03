package advisor

import (
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

var (
	devTCP   = regexp.MustCompile(`/dev/(?:tcp|udp)/([^/\s"']+)/`)
	variable = regexp.MustCompile(`\$(?:\(([A-Za-z_][A-Za-z0-9_]*)\)|\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))`)
)

// RemoteHost is the first other host that a command in the container asks, and the program that
// asks it. It is known only if the command or the environment names it: a host in an unknown
// variable might be the pod itself.
func (c *Container) RemoteHost(command []string) (host, program string) {
	for _, v := range Invocations(command) {
		for _, h := range v.hosts() {
			if h = c.resolveHost(h); h != "" {
				return h, v.Name
			}
		}
	}
	if script, ok := Script(command); ok {
		for _, m := range devTCP.FindAllStringSubmatch(script, -1) {
			if h := c.resolveHost(m[1]); h != "" {
				return h, "/dev/tcp"
			}
		}
	}
	return "", ""
}

// hosts are the hosts or addresses that the arguments name.
func (v Invocation) hosts() []string {
	var found []string
	for _, arg := range v.Args {
		if u, err := url.Parse(arg); err == nil && u.Host != "" && u.Scheme != "" && u.Scheme != "file" && u.Scheme != "unix" {
			found = append(found, u.Host)
		}
	}
	if names := hostFlags(v.Name); names != nil {
		if h, ok := v.flag(names...); ok && !strings.Contains(h, "://") {
			found = append(found, strings.Split(h, ",")...)
		}
	}
	return append(found, v.positionalHosts()...)
}

func hostFlags(program string) []string {
	switch program {
	case "pg_isready", "psql", "redis-cli", "valkey-cli", "mysqladmin", "mysql", "mariadb-admin", "mariadb", "mysqlcheck", "nodetool", "clickhouse-client":
		return []string{"-h", "--host"}
	case "mongo", "mongosh":
		return []string{"--host"}
	case "grpc_health_probe", "grpc-health-probe":
		return []string{"-addr", "--addr"}
	case "etcdctl":
		return []string{"--endpoints"}
	case "kafka-topics.sh", "kafka-topics", "kafka-broker-api-versions.sh", "kafka-broker-api-versions", "kafka-consumer-groups.sh", "kafka-consumer-groups":
		return []string{"--bootstrap-server"}
	}
	return nil
}

func (v Invocation) positionalHosts() []string {
	var words []string
	switch v.Name {
	case "nc", "ncat", "netcat", "telnet":
		words = v.positional("-w", "-i", "-p", "-s", "-q")
	case "ping", "ping6":
		words = v.positional("-c", "-w", "-W", "-i", "-s", "-t", "-I")
	case "nslookup", "dig", "host":
		words = v.positional("-t", "-type", "-p")
		if i := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "@") }); i >= 0 {
			return []string{words[i][1:]}
		}
		if len(words) > 1 && v.Name == "nslookup" { // the second is the server to ask
			return words[1:2]
		}
	case "wait-for-it.sh", "wait-for-it", "wait-for":
		words = v.positional("-t")
	case "curl": // a URL without a scheme
		words = slices.DeleteFunc(v.positional("-m", "--max-time", "-o", "--output", "-H", "--header", "-u", "--user", "-w", "--write-out", "-X", "--request", "-d", "--data",
			"--connect-timeout", "--cacert", "--cert", "--key", "-A", "--retry", "--unix-socket", "--resolve", "-E", "-e", "-b", "-c"),
			func(w string) bool {
				return strings.Contains(w, "://") || !strings.Contains(w, ".") && !strings.Contains(w, ":")
			})
		if _, ok := v.flag("--unix-socket"); ok {
			return nil
		}
	}
	if len(words) == 0 {
		return nil
	}
	host, _, _ := strings.Cut(words[0], "/")
	return []string{host}
}

// resolveHost returns the host, without its port, if it surely is not the pod, and otherwise "".
func (c *Container) resolveHost(host string) string {
	host = c.expand(host)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	switch {
	case host == "", strings.ContainsAny(host, "$`*()<>{}\" "), !strings.ContainsAny(host, "abcdefghijklmnopqrstuvwxyz0123456789"):
		return ""
	case IsLoopback(host), host == c.Workload.Spec.Hostname, c.isAlias(host), strings.HasPrefix(host, "/"):
		return ""
	}
	first, _, _ := strings.Cut(host, ".")
	if ordinal, ok := strings.CutPrefix(first, c.Workload.Object.Resource.GetName()+"-"); ok && strings.Trim(ordinal, "0123456789") == "" {
		return "" // a StatefulSet's Pod by its own name
	}
	if strings.Trim(host, "0123456789") == "" {
		return "" // a port
	}
	return host
}

// IsLoopback reports whether a name or an address means the network namespace of the process that
// uses it.
func IsLoopback(host string) bool {
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "localhost" || strings.HasPrefix(host, "localhost.") || strings.HasSuffix(host, ".localhost") || host == "ip6-localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

func (c *Container) isAlias(host string) bool {
	return slices.ContainsFunc(c.Workload.Spec.HostAliases, func(a corev1.HostAlias) bool {
		return IsLoopback(a.IP) && slices.Contains(a.Hostnames, host)
	})
}

// maxHost is more than any name of a host has.
const maxHost = 1 << 10

// expand replaces variables that the environment gives a literal value. Others stay, so that a "$"
// is left where something is unknown, and where the result would be longer than a host's name.
func (c *Container) expand(text string) string {
	size := len(text)
	return variable.ReplaceAllStringFunc(text, func(ref string) string {
		name := strings.Trim(ref, "$(){}")
		i := slices.IndexFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == name })
		if i < 0 || c.Env[i].ValueFrom != nil || size+len(c.Env[i].Value) > maxHost {
			return ref
		}
		size += len(c.Env[i].Value)
		return c.Env[i].Value
	})
}
