package advisor

import (
	"slices"
	"strings"
)

// IsExporter reports whether the container only translates metrics for Prometheus, as its name or
// its image says: what it gets is scrapes, not traffic.
func (c *Container) IsExporter() bool {
	return isExporterName(c.Name) || isExporterName(c.imageName())
}

func isExporterName(name string) bool { return mentions(name, "exporter", "metrics") }

// imageName is the last part of the image's name, without registry, tag and digest.
func (c *Container) imageName() string {
	repository, _, _ := strings.Cut(c.Image, "@")
	name, _, _ := strings.Cut(repository[strings.LastIndexByte(repository, '/')+1:], ":")
	return name
}

// isProxy reports whether the container hands requests on to the others, as its name or its image
// says.
func (c *Container) isProxy() bool {
	words := []string{"proxy", "proxyv2", "envoy", "nginx", "haproxy", "traefik", "caddy", "gateway", "apache", "httpd", "oauth2", "auth", "authn"}
	return mentions(c.Name, words...) || mentions(c.imageName(), words...)
}

// isHelper reports whether the container serves the others of its pod, as its name or its image
// says.
func (c *Container) isHelper() bool {
	words := []string{"reload", "reloader", "sidecar", "agent", "sync", "watch", "watcher", "log", "logs", "logger", "shipper", "fluentd", "fluent", "fluentbit", "filebeat",
		"promtail", "vector", "vault", "statsd", "registrar", "livenessprobe"}
	return mentions(c.Name, words...) || mentions(c.imageName(), words...)
}

// IsAside reports whether the container stands beside the one that serves: it exports metrics, or
// Services send their traffic to other containers of the pod, and these are no proxies that hand it
// on. The first container is the main one, as it is to kubectl, if its name says nothing else.
func (c *Container) IsAside() bool {
	if c.IsExporter() {
		return true
	}
	others := c.Workload.Backends
	isMain := c.Container == &c.Workload.Spec.Containers[0] && !c.isHelper()
	return len(others) > 0 && len(c.Backends()) == 0 && !isMain &&
		!slices.ContainsFunc(others, func(b Backend) bool { return b.Container.isProxy() })
}
