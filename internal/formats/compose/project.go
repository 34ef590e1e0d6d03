package compose

import (
	"regexp"
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
)

// serviceName is what Compose takes as one.
var serviceName = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)

// project adds the services of a model.
func (l *loader) project(m *model, p *Project) {
	services := l.extended(m.services, m, []string{l.opts.File})
	if services == nil {
		return
	}
	active := slices.Clone(l.opts.Profiles)
	if more, ok := m.lookup("COMPOSE_PROFILES"); ok {
		active = append(active, strings.Split(more, ",")...)
	}
	for _, e := range services.fields {
		path := Path{Service: e.key}
		if !serviceName.MatchString(e.key) {
			l.fail(e.at, Path{Field: "services"}, manifest.ReasonType, "the name of a service has letters, digits, dots, dashes and underscores, this is %s", printable.Quote(e.key))
			continue
		}
		d := &decoder{loader: l, service: &Service{Name: e.key, At: e.at}, lookup: m.lookup}
		if e.kind == null || !d.isMapping(e.value, path) {
			if e.kind == null {
				l.fail(e.at, path, manifest.ReasonType, "must be a mapping with image or build, this is nothing")
			}
			continue
		}
		if profiles := d.profiles(e.value, path); !isActive(profiles, active) {
			l.noteNotApplied(e.at, path, "left out: its profile %s is not active; COMPOSE_PROFILES=%s makes it so", strings.Join(profiles, ", "), profiles[0])
			continue
		}
		d.read(e.value, path)
		p.Services = append(p.Services, d.service)
	}
	l.relate(p, keys(services))
}

func isActive(profiles, active []string) bool {
	return len(profiles) == 0 || slices.Contains(active, "*") || slices.ContainsFunc(profiles, func(p string) bool { return slices.Contains(active, p) })
}

// top reads what stands beside the services.
func (l *loader) top(root *value, p *Project) {
	for _, e := range root.fields {
		switch {
		case e.key == "name":
			p.Name = e.text
		case e.key == "jobs":
			l.noteNotApplied(e.at, Path{Field: e.key}, "jobs are not read")
		case !slices.Contains(topFields(), e.key):
			l.unknown(e, Path{}, topFields())
		}
	}
}

// relate checks that services depend on services that are there, and notes who waits for the end of
// another.
func (l *loader) relate(p *Project, names []string) {
	for _, s := range p.Services {
		path := Path{Service: s.Name}
		if s.Image == "" && !s.Build {
			l.fail(s.At, path, manifest.ReasonType, "must have image or build")
		}
		for _, dep := range s.DependsOn {
			i := slices.IndexFunc(p.Services, func(o *Service) bool { return o.Name == dep.Service })
			switch {
			case i >= 0 && p.Services[i] == s:
				l.fail(dep.At, path.field("depends_on"), manifest.ReasonType, "it depends on itself")
			case i >= 0:
				p.Services[i].completes = p.Services[i].completes || dep.Condition == "service_completed_successfully"
			case slices.Contains(names, dep.Service):
				l.noteNotApplied(dep.At, path.field("depends_on"), "not waited for: %s is left out, its profile is not active", dep.Service)
			case dep.Required:
				l.fail(dep.At, path.field("depends_on"), manifest.ReasonType, "there is no service %s%s", dep.Service, didYouMean(dep.Service, names))
			}
		}
		s.DependsOn = slices.DeleteFunc(s.DependsOn, func(dep Dependency) bool {
			return !slices.ContainsFunc(p.Services, func(o *Service) bool { return o.Name == dep.Service })
		})
	}
	circle, order := arrange(p.Services)
	p.Services = order
	if circle != nil {
		l.fail(circle[0].At, Path{circle[0].Name, "depends_on"}, manifest.ReasonType, "services wait for each other in a circle: %s", strings.Join(namesOf(circle), " → "))
	}
}

func namesOf(services []*Service) (names []string) {
	for _, s := range services {
		names = append(names, s.Name)
	}
	return names
}

// arrange puts services behind those that they depend on, and else leaves their order. circle are
// services that depend on each other, if there are any.
func arrange(services []*Service) (circle, order []*Service) {
	var visit func(s *Service, chain []*Service)
	visit = func(s *Service, chain []*Service) {
		if i := slices.Index(chain, s); i >= 0 {
			circle = append(slices.Clone(chain[i:]), s)
		}
		if circle != nil || slices.Contains(order, s) {
			return
		}
		for _, dep := range s.DependsOn {
			i := slices.IndexFunc(services, func(o *Service) bool { return o.Name == dep.Service })
			visit(services[i], append(chain, s))
		}
		order = append(order, s)
	}
	for _, s := range services {
		visit(s, nil)
	}
	return circle, order
}
