package compose

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/probity-run/probity/internal/manifest"
)

// maxPorts bounds what a range of ports can ask for.
const maxPorts = 1000

func (d *decoder) ports(v *value, path Path) {
	if v.kind != list {
		d.fail(v.at, path, manifest.ReasonType, "must be a list of ports, this is %s", v.what())
		return
	}
	for _, item := range v.items {
		at := item.pathIn(path.Service)
		var ports []Port
		var err error
		switch item.kind {
		case scalar:
			ports, err = parsePorts(item.printed)
		case mapping:
			ports, err = d.longPort(item, at)
		default:
			err = fmt.Errorf("must be a port such as \"8080:80\", this is %s", item.what())
		}
		if err != nil {
			d.fail(item.at, at, manifest.ReasonType, "%v", err)
			continue
		}
		for _, p := range ports {
			p.At = item.at
			d.service.Ports = appendPort(d.service.Ports, p)
		}
	}
}

// appendPort adds a port, in place of the same one.
func appendPort(ports []Port, p Port) []Port {
	ports = slices.DeleteFunc(ports, func(old Port) bool {
		return old.Target == p.Target && old.Published == p.Published && old.Protocol == p.Protocol
	})
	if len(ports) >= maxPorts {
		return ports
	}
	return append(ports, p)
}

func (d *decoder) expose(v *value, path Path) {
	if v.kind != list {
		d.fail(v.at, path, manifest.ReasonType, "must be a list of ports, this is %s", v.what())
		return
	}
	for _, item := range v.items {
		ports, err := parsePorts(item.printed)
		if item.kind != scalar || err != nil || len(ports) > 0 && ports[0].Published != 0 {
			d.fail(item.at, item.pathIn(path.Service), manifest.ReasonType, "must be a port of the container, or a range, such as \"8080\" or \"8080/udp\"; this is %s", item.shown())
			continue
		}
		for _, p := range ports {
			p.At = item.at
			d.service.Expose = appendPort(d.service.Expose, p)
		}
	}
}

const reachedAtAll = "all of a Service is reached at each port, and is told by its number"

// longPort reads a port in its long form.
func (d *decoder) longPort(v *value, path Path) ([]Port, error) {
	target, published, protocol := "", "", ""
	for _, e := range v.fields {
		switch e.key {
		case "target":
			d.printed(e.value, path.field(e.key), &target)
		case "published":
			d.printed(e.value, path.field(e.key), &published)
		case "protocol":
			d.text(e.value, path.field(e.key), &protocol)
		case "host_ip":
			if err := checkAddress("[" + e.text + "]"); err != nil {
				return nil, fmt.Errorf("host_ip must be an IP, this is %s", e.shown())
			}
			d.noteNotApplied(e.at, path.field(e.key), reachedAtAll)
		case "mode", "name", "app_protocol":
			d.noteNotApplied(e.at, path.field(e.key), reachedAtAll)
		default:
			d.unknown(e, path, []string{"target", "published", "protocol", "mode", "host_ip", "name", "app_protocol"})
		}
	}
	if target == "" {
		return nil, fmt.Errorf("target is missing: the port of the container")
	}
	text := target
	if published != "" {
		text = published + ":" + target
	}
	if protocol != "" {
		text += "/" + protocol
	}
	return parsePorts(text)
}

// parsePorts reads a port, or a range of them, in its short form:
// [[IP:]PUBLISHED:]TARGET[/PROTOCOL]. An IP of version 6 is in brackets.
func parsePorts(text string) ([]Port, error) {
	rest, protocol, _ := strings.Cut(text, "/")
	if protocol == "" {
		protocol = "tcp"
	}
	if protocol = strings.ToLower(protocol); protocol != "tcp" && protocol != "udp" && protocol != "sctp" {
		return nil, fmt.Errorf("the protocol of %q must be tcp or udp", text)
	}
	host, target := "", rest
	if i := strings.LastIndexByte(rest, ':'); i >= 0 {
		host, target = rest[:i], rest[i+1:]
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		if err := checkAddress(host[:i]); err != nil {
			return nil, fmt.Errorf("%q is no port: %w", text, err)
		}
		host = host[i+1:]
	}
	from, to, err := portRange(target)
	if err != nil {
		return nil, fmt.Errorf("%q is no port: %w", text, err)
	}
	first, last := 0, 0
	if host != "" && host != "0" {
		if first, last, err = portRange(host); err != nil {
			return nil, fmt.Errorf("%q is no port: %w", text, err)
		}
		if last-first != to-from && from != to {
			return nil, fmt.Errorf("%q: the ranges are not equally long", text)
		}
	}
	var ports []Port
	for target := from; target <= to; target++ {
		p := Port{Target: target, Protocol: protocol}
		if first != 0 {
			p.Published = first + target - from // of a range for one port, the first that is free; take the first
		}
		ports = append(ports, p)
	}
	return ports, nil
}

// checkAddress looks at the address at which a port is published, which has no effect here.
func checkAddress(text string) error {
	if text == "" {
		return nil
	}
	bare, inBrackets := strings.CutPrefix(text, "[")
	if inBrackets {
		bare, inBrackets = strings.CutSuffix(bare, "]")
	}
	if address, err := netip.ParseAddr(bare); err != nil || address.Is6() && !inBrackets {
		return fmt.Errorf("expected [[IP:]PUBLISHED:]TARGET, and %q is no IP; one of version 6 stands in brackets", text)
	}
	return nil
}

func portRange(text string) (from, to int, err error) {
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	from, errFrom := strconv.Atoi(first)
	to, errTo := strconv.Atoi(last)
	switch {
	case errFrom != nil || errTo != nil || from < 1 || to > 65535 || to < from:
		return 0, 0, fmt.Errorf("expected a number from 1 to 65535, got %q", text)
	case to-from >= maxPorts:
		return 0, 0, fmt.Errorf("%q are more than %d ports", text, maxPorts)
	}
	return from, to, nil
}
