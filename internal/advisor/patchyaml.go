package advisor

import (
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// handlerYAML writes the probe's handler in flow style.
func (p *Probe) handlerYAML() string {
	port, _ := p.Port()
	switch p.Handler() {
	case "exec":
		var words []string
		for _, w := range p.Exec.Command {
			words = append(words, quoted(w))
		}
		return "exec: {command: [" + strings.Join(words, ", ") + "]}"
	case "httpGet":
		text := "httpGet: {path: " + scalarYAML(p.HTTPGet.Path) + ", port: " + port.String()
		if p.HTTPGet.Scheme != corev1.URISchemeHTTP {
			text += ", scheme: " + string(p.HTTPGet.Scheme)
		}
		if p.HTTPGet.Host != "" {
			text += ", host: " + scalarYAML(p.HTTPGet.Host)
		}
		if len(p.HTTPGet.HTTPHeaders) > 0 {
			var headers []string
			for _, h := range p.HTTPGet.HTTPHeaders {
				headers = append(headers, fmt.Sprintf("{name: %s, value: %s}", quoted(h.Name), quoted(h.Value)))
			}
			text += ", httpHeaders: [" + strings.Join(headers, ", ") + "]"
		}
		return text + "}"
	case "grpc":
		if *p.GRPC.Service != "" {
			return "grpc: {port: " + port.String() + ", service: " + scalarYAML(*p.GRPC.Service) + "}"
		}
		return "grpc: {port: " + port.String() + "}"
	}
	return "tcpSocket: {port: " + port.String() + "}"
}

// scalarYAML quotes a string only where it must be.
func scalarYAML(s string) string {
	plain := s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") == "" && strings.ContainsAny(s[:1], "/abcdefghijklmnopqrstuvwxyz")
	if plain && len(s) > 3 {
		return s
	}
	if plain && s[0] == '/' {
		return s
	}
	return quoted(s)
}

// quoted is a double-quoted scalar: JSON is YAML.
func quoted(s string) string {
	data, err := json.Marshal(s)
	if err != nil {
		return `""` // a string always has a JSON form
	}
	return string(data)
}
