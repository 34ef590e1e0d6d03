package compose

import (
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/manifest"
)

// extended follows the extends of all services of a file.
func (l *loader) extended(services *value, m *model, from []string) *value {
	if services == nil {
		return nil
	}
	done := *services
	done.fields = nil
	for _, e := range services.fields {
		e.value = l.extend(e.key, e.value, services, m, from, nil)
		done.fields = append(done.fields, e)
	}
	return &done
}

// extend returns a service on top of what it extends. chain are the services that led here.
func (l *loader) extend(name string, service, services *value, m *model, from, chain []string) *value {
	extends := service.get("extends")
	if service.kind != mapping || extends == nil {
		return service
	}
	path := Path{name, "extends"}
	link := service.at.File + ":" + name
	if slices.Contains(chain, link) {
		l.fail(extends.at, path, manifest.ReasonType, "a service that extends itself, by %s", strings.Join(append(chain, link), ", "))
		return withoutExtends(service)
	}
	other, file := extends, (*value)(nil)
	if extends.kind == mapping {
		other, file = extends.get("service"), extends.get("file")
		for _, e := range extends.fields {
			if e.key != "service" && e.key != "file" {
				l.unknown(e, path, []string{"service", "file"})
			}
		}
	}
	if other == nil || other.kind != scalar || file != nil && file.kind != scalar {
		l.fail(extends.at, path, manifest.ReasonType, "must be the name of a service, or {file: FILE, service: NAME}")
		return withoutExtends(service)
	}
	if file != nil {
		if opened := l.open(beside(file.at.File, file.text), file.at, path.field("file"), from); opened != nil {
			services, m = opened.services, opened
		} else {
			return withoutExtends(service)
		}
	}
	base := services.get(other.text)
	if base == nil {
		l.fail(other.at, path, manifest.ReasonType, "there is no service %s to extend%s", other.text, didYouMean(other.text, keys(services)))
		return withoutExtends(service)
	}
	base = l.extend(other.text, base, services, m, from, append(chain, link))
	return l.merged(base, withoutExtends(service), Path{Service: name})
}

func didYouMean(name string, names []string) string {
	if guess := manifest.Closest(name, names); guess != "" {
		return ", did you mean " + guess + "?"
	}
	return ""
}

func keys(v *value) (names []string) {
	if v == nil {
		return nil
	}
	for _, e := range v.fields {
		names = append(names, e.key)
	}
	return names
}

func withoutExtends(v *value) *value {
	changed := *v
	changed.fields = slices.DeleteFunc(slices.Clone(v.fields), func(e entry) bool { return e.key == "extends" })
	return &changed
}
